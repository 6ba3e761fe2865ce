"""pin-tags: images by the most exact tag that means the same today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockerfix.registry.reference import Reference, ReferenceError, parse_reference
from dockerfix.registry.tags import read_tag
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.images import ImageUse, argument_users, base_users, image_uses
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

_Found = Iterator[Change | Declined]

#: Reasons that a look-up can do away with; the detail is the reference then.
NO_LOCK = "not pinned: no dockerfix.lock; make one with `dockerfix lock`"
NOT_IN_LOCK = "not pinned: the lock does not know it"
NOT_ASKED = "not updated: its registry was not asked"
OPEN = (NO_LOCK, NOT_IN_LOCK, NOT_ASKED)


class PinTags(Transform):
    """Pin images by what `dockerfix.lock`, or their registry, says that they are.

    This pass asks no registry: the command line looks up what is missing and hands it in, unless
    with `--locked`. Variants stay: `-alpine` is pinned to an alpine tag. Digests are those of the
    index, so that every platform stays.

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
            yield from _look_at(use, workspace)


def open_questions(declined: Iterable[Declined]) -> Iterator[str]:
    """The references that this pass left alone and a look-up would help with."""
    for item in declined:
        if item.pass_name == PinTags.name and item.reason in OPEN:
            yield item.detail


def lock_key(reference: Reference) -> str:
    """What a reference is called in the lock: with its tag, also where none is written."""
    return str(reference if reference.digest else reference.with_tag(reference.tag or "latest"))


def _look_at(use: ImageUse, workspace: Workspace) -> _Found:
    if use.reason:
        yield Declined(f"not pinned: {use.reason}", use.line, use.text)
        return
    try:
        reference = parse_reference(use.text)
    except ReferenceError as error:
        yield Declined("no image reference", use.line, str(error))
        return
    if workspace.moves is not None:
        yield from _move(use, reference, workspace)
    else:
        yield from _pin(use, reference, workspace)


def _pin(use: ImageUse, reference: Reference, workspace: Workspace) -> _Found:
    if reference.digest or (workspace.pin == "tag" and read_tag(reference.tag).is_exact):
        return
    key = lock_key(reference)
    lock = workspace.lock
    pin = lock.get(key) if lock else None
    if lock is None or pin is None:
        yield Declined(NOT_IN_LOCK if lock else NO_LOCK, use.line, key)
        return
    tags = (reference.tag,) if workspace.pin == "digest" else (pin.tag, *pin.also)
    digest = "" if workspace.pin == "tag" else pin.digest
    texts = [_written(use.text, reference, tag, digest) for tag in tags]
    if use.text in texts[:1]:
        if key in lock.pins:
            yield Declined("not pinned: no more exact tag has the same digest", use.line, key)
        return
    text = next((text for text in texts if use.edited(text) is not None), texts[0])
    yield _edit(
        use,
        text,
        workspace,
        (f"`{use.text}` moves", f"Use `{text}`, which is the same image today"),
        Level.SAFE,
        Evidence(
            reference.domain if pin.reference in lock.added else "dockerfix.lock",
            f"{pin.reference} is {pin.digest} on {pin.date}",
        ),
    )


def _move(use: ImageUse, reference: Reference, workspace: Workspace) -> _Found:
    if reference.digest and not reference.tag:
        yield Declined("not updated: no tag says what it follows", use.line, use.text)
        return
    key = lock_key(reference)
    pin = (workspace.moves or {}).get(key)
    if pin is None:
        yield Declined(NOT_ASKED, use.line, key)
        return
    digest = pin.digest if reference.digest or workspace.pin != "tag" else ""
    text = _written(use.text, reference, pin.tag, digest)
    if text == use.text:
        yield Declined("not updated: it is the newest", use.line, key)
        return
    yield _edit(
        use,
        text,
        workspace,
        (f"`{use.text}` has a successor", f"Move from `{use.text}` to `{text}`"),
        Level.REVIEW,
        Evidence(reference.domain, f"{pin.tag} is {pin.digest} on {pin.date}"),
    )


def _written(text: str, reference: Reference, tag: str, digest: str) -> str:
    """The reference as it should stand there, its name as the author wrote it."""
    name = text.partition("@")[0]
    name = name.removesuffix(f":{reference.tag}") if reference.tag else name
    tagged = f"{name}:{tag}" if tag else name
    return f"{tagged}@{digest}" if digest else tagged


def _edit(
    use: ImageUse,
    text: str,
    workspace: Workspace,
    words: tuple[str, str],
    level: Level,
    evidence: Evidence,
) -> Change | Declined:
    part = use.edited(text)
    if part is None:
        detail = f"{use.text} would be {text}"
        return Declined("not pinned: variables make up its tag", use.line, detail)
    reason = _why_not(use, workspace)
    if reason is not None:
        return reason
    edits = (Edit(use.start, use.end, part),)
    return Change(words[0], words[1], edits, use.line, level, evidence=(evidence,))


def _why_not(use: ImageUse, workspace: Workspace) -> Declined | None:
    """What else the edited text decides, in the file or outside."""
    context = workspace.context
    if use.argument:
        if len(set(base_users(workspace.dockerfile, use.argument))) > 1:
            reason = "not pinned: its ARG names several images"
            return Declined(reason, use.line, f"{use.argument} for {use.text}")
        for line, what in argument_users(workspace.dockerfile, use.argument):
            reason = "not pinned: its ARG is used elsewhere too"
            return Declined(reason, use.line, f"{use.argument} for {what} in line {line}")
    if context is None:
        return None
    from dockerfix.context.given import giver_of_argument, giver_of_context

    giver = giver_of_argument(context, use.argument) if use.argument else None
    if giver is not None:
        detail = f"{use.argument} in {giver}"
        return Declined("not pinned: its ARG is given from outside", use.line, detail)
    giver = giver_of_context(context, use.text)
    if giver is not None:
        detail = f"{use.text} in {giver}"
        return Declined("not pinned: a build context takes its place", use.line, detail)
    return None
