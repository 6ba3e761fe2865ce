"""pin-tags: images by the most exact tag that means the same today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockerfix.lockfile import Pin
from dockerfix.patterns import pattern
from dockerfix.registry.reference import Reference, ReferenceError, parse_reference
from dockerfix.registry.tags import read_tag
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.tree import Dockerfile, Instruction
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

_MOUNT_FROM = pattern(r"(?:^|,)from=([^,]+)")
_VARIABLE = pattern(r"\$(?:\{(\w+)\}|(\w+))")


class PinTags(Transform):
    """Pin images by what `dockerfix.lock` says that they are.

    The lock is made by `dockerfix lock`; this pass asks no registry. Variants stay: `-alpine` is
    pinned to an alpine tag. Digests are those of the index, so that every platform stays.

    Build context:
        dockerfix.lock: version = 1
            [images."node:20-alpine"]
            tag = "20.18.1-alpine3.20"
            digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            date = "2026-11-24"

    Before:
        FROM node:20-alpine
        CMD ["node"]

    After:
        FROM node:20.18.1-alpine3.20
        CMD ["node"]
    """

    name = "pin-tags"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Look at every image reference."""
        for use in image_uses(workspace.dockerfile):
            yield from _pin(use, workspace)


@dataclass(frozen=True, slots=True)
class ImageUse:
    """An image reference, and where it stands in the source."""

    text: str
    start: int
    end: int
    instruction: Instruction
    #: Why it cannot be changed; "" when it can.
    reason: str = ""


def image_uses(dockerfile: Dockerfile) -> Iterator[ImageUse]:
    """Every reference to an image of a registry: FROM, `COPY --from`, mounts, and `ARG` defaults.

    Stage names, `scratch` and arguments without default are left out.
    """
    for stage in dockerfile.stages:
        yield from _base(stage.start, dockerfile)
        for instruction in stage.instructions:
            yield from _in_flags(instruction, dockerfile)


def _in_flags(instruction: Instruction, dockerfile: Dockerfile) -> Iterator[ImageUse]:
    """`COPY --from=image` and `RUN --mount=from=image`."""
    for flag in instruction.flags:
        value = flag.value or ""
        start = flag.end - len(value)
        if flag.name == "from" and instruction.keyword == "COPY":
            yield from _in_flag(value, start, instruction, dockerfile)
        elif flag.name == "mount":
            match = _MOUNT_FROM.search(value)
            if match:
                yield from _in_flag(match[1], start + match.start(1), instruction, dockerfile)


def _base(start: Instruction, dockerfile: Dockerfile) -> Iterator[ImageUse]:
    text = start.arguments[0] if start.arguments else ""
    stage = dockerfile.stage_of(start)
    if not text or text.lower() == "scratch" or stage is None:
        return
    if dockerfile.find_stage(text, stage.index) is not None:
        return
    begin, end = start.span(start.argument_start, start.argument_start + len(text))
    if "$" in text:
        yield from _by_argument(text, start, dockerfile)
    elif end - begin == len(text):
        yield ImageUse(text, begin, end, start)


def _by_argument(text: str, start: Instruction, dockerfile: Dockerfile) -> Iterator[ImageUse]:
    """`FROM $BASE` and `FROM node:${VERSION}`: the default of the ARG is edited."""
    match = _VARIABLE.search(text)
    rest = _VARIABLE.sub("", text)
    stage = dockerfile.stage_of(start)
    if match is None or "$" in rest or stage is None or _VARIABLE.search(text, match.end()):
        yield ImageUse(text, start.start, start.start, start, "several variables name it")
        return
    name = match[1] or match[2]
    users = [s for s in dockerfile.stages if _VARIABLE.search(s.base) and name in s.base]
    for argument in reversed(stage.global_arguments):
        for word in argument.arguments:
            key, equals, default = word.partition("=")
            if key != name or not equals:
                continue
            place = argument.code.find(f"{name}={default}") + len(name) + 1
            if len(users) > 1 or default[:1] in "\"'" or not default or "$" in default:
                reason = "its ARG is used elsewhere too"
                yield ImageUse(text, start.start, start.start, start, reason)
                return
            begin = argument.start + place
            full = text[: match.start()] + default + text[match.end() :]
            if match.end() != len(text):
                yield ImageUse(full, start.start, start.start, start, "a variable within its name")
                return
            yield ImageUse(full, begin, begin + len(default), argument)
            return


def _in_flag(
    value: str, start: int, instruction: Instruction, dockerfile: Dockerfile
) -> Iterator[ImageUse]:
    stage = dockerfile.stage_of(instruction)
    known = stage is not None and dockerfile.find_stage(value, stage.index) is not None
    # A name alone may be a build context that is given on the command line.
    if known or value.isdigit() or "$" in value or not any(c in value for c in ":/@"):
        return
    yield ImageUse(value, start, start + len(value), instruction)


def _pin(use: ImageUse, workspace: Workspace) -> _Found:
    line = use.instruction.line
    if use.reason:
        yield Declined(f"not pinned: {use.reason}", line, use.text)
        return
    try:
        reference = parse_reference(use.text)
    except ReferenceError as error:
        yield Declined("no image reference", line, str(error))
        return
    tag = read_tag(reference.tag)
    if reference.digest or (tag is not None and tag.is_exact and workspace.pin == "tag"):
        return
    tagged = reference.with_tag(reference.tag or "latest")
    pin = workspace.lock.get(str(tagged)) if workspace.lock else None
    if pin is None:
        reason = "not pinned: the lock does not know it" if workspace.lock else _NO_LOCK
        yield Declined(reason, line, str(tagged))
        return
    text = _pinned(use.text, reference, pin, workspace.pin)
    if text == use.text:
        yield Declined("not pinned: no more exact tag has the same digest", line, str(tagged))
        return
    yield _change(use, text, reference, pin)


_NO_LOCK = "not pinned: no dockerfix.lock; make one with `dockerfix lock`"


def _pinned(text: str, reference: Reference, pin: Pin, how: str) -> str:
    """The reference as it should stand there, its name as the author wrote it."""
    name = text.removesuffix(f":{reference.tag}") if reference.tag else text
    tag = reference.tag if how == "digest" else pin.tag
    tagged = f"{name}:{tag}" if tag else name
    return tagged if how == "tag" else f"{tagged}@{pin.digest}"


def _change(use: ImageUse, text: str, reference: Reference, pin: Pin) -> Change:
    written = use.text
    start, end, new = use.start, use.end, text
    if end - start != len(written):
        # Only the part that an ARG holds is edited.
        kept = len(written) - (end - start)
        if text[:kept] != written[:kept]:
            raise ValueError(f"the ARG does not hold what changes: {written}")
        new = text[kept:]
    return Change(
        f"`{written}` moves",
        f"Use `{text}`, which is the same image today",
        (Edit(start, end, new),),
        use.instruction.line,
        Level.SAFE,
        evidence=(Evidence("dockerfix.lock", f"{pin.reference} is {pin.digest} on {pin.date}"),),
    )
