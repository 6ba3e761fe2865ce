"""modernise: today's way to write what has been superseded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerfix.context.archives import NotPlainError, why_plain
from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.nodes import Blank
from dockerfix.syntax.pairs import NotEqualError, new_form_edits, quote_literal, read_old_pair
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Dockerfile
from dockerfix.syntax.words import KEYWORDS, SPACES, unquote
from dockerfix.transform import Change, Declined, Evidence, Level, Transform, Workspace

#: The key that Docker's reference recommends in place of MAINTAINER.
AUTHORS = "org.opencontainers.image.authors"
#: Instructions of which a stage heeds the last one only (Docker's reference).
_LAST_COUNTS = ("CMD", "ENTRYPOINT", "HEALTHCHECK")
#: Flags that ADD and COPY both know, with the same meaning.
_COMMON_FLAGS = frozenset(("chown", "chmod", "link", "exclude"))

_STAGE_NAME = pattern(r"\S+\s+(as)\s+\S+", re.IGNORECASE)
_QUOTED = pattern(r"(?<![\w<])(['\"])((?:(?!\1).|(?<=\w)'(?=\w))*)\1(?!\w)")
_ADDRESS = pattern(r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+")
_HEALTH_KIND = pattern(r"(?:cmd|none)\b", re.IGNORECASE)

_Found = Iterator[Change | Declined]


class Modernise(Transform):
    """Write superseded instructions and forms the way Docker's reference has them today.

    Before:
        FROM alpine:3.20 as base
        MAINTAINER Jane Doe <jane@example.com>
        ENV APP_HOME /srv/app
        ADD run.sh /srv/app/
        CMD ["sh"]
        CMD ["/srv/app/run.sh"]

    After:
        FROM alpine:3.20 AS base
        LABEL org.opencontainers.image.authors="Jane Doe <jane@example.com>"
        ENV APP_HOME=/srv/app
        COPY run.sh /srv/app/
        CMD ["/srv/app/run.sh"]
    """

    name = "modernise"
    level = Level.SAFE

    def apply(self, workspace: Workspace) -> _Found:
        """Go through the stages for what is overridden, then through all instructions."""
        for stage in workspace.dockerfile.stages:
            yield from _maintainers(stage, workspace)
            yield from _overridden(stage, workspace)
        for instruction in workspace.dockerfile.instructions:
            yield from _rewrite(instruction, workspace)
            target = instruction.nested or instruction
            yield from _pairs(target, instruction)
            yield from _empty_continuations(instruction)
            yield from _log_of_a_high_number(instruction, workspace)


def _rewrite(instruction: Instruction, workspace: Workspace) -> _Found:
    """What replaces the keyword: a new instruction, or the keyword in the file's letter case."""
    target = instruction.nested or instruction
    found = _add_to_copy(target, instruction, workspace) if target.keyword == "ADD" else None
    if found is not None:
        yield found
    if not isinstance(found, Change):
        yield from _letter_case(instruction, workspace)


def _change(
    instruction: Instruction,
    message: str,
    help_text: str,
    *edits: Edit,
    evidence: tuple[Evidence, ...] = (),
    removed: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
) -> Change:
    return Change(
        message,
        help_text,
        edits,
        instruction.line,
        Level.SAFE,
        evidence=evidence,
        removed=removed,
        added=added,
    )


def _keyword_span(instruction: Instruction) -> tuple[int, int]:
    logical = instruction.logical
    begin = len(logical) - len(logical.lstrip(SPACES))
    return instruction.span(begin, begin + len(instruction.keyword_text))


# MAINTAINER


def _maintainers(stage: Stage, workspace: Workspace) -> _Found:
    found = [i for i in stage.instructions if i.keyword == "MAINTAINER"]
    if not found:
        return
    reason = _why_not_label(found, stage, workspace.dockerfile)
    if reason:
        yield Declined(f"MAINTAINER stays: {reason}", found[0].line)
        return
    first, last = found[0], found[-1]
    names = ", ".join(dict.fromkeys(_tidy_author(i.argument_text) for i in found))
    label = f"{workspace.style.keyword('LABEL')} {AUTHORS}={quote_literal(names, first.escape)}"
    yield _change(
        first,
        "`MAINTAINER` is deprecated",
        f"Use the label `{AUTHORS}`",
        Edit(_keyword_span(first)[0], last.argument_span[1], label),
        removed=("MAINTAINER",) * len(found),
        added=("LABEL",),
    )


def _why_not_label(found: list[Instruction], stage: Stage, dockerfile: Dockerfile) -> str:
    if not all(_tidy_author(i.argument_text) for i in found):
        return "it names nobody"
    if any(i.inner_comments for i in found):
        return "a comment stands within it"
    if any(AUTHORS in i.argument_text for i in stage.instructions if i.keyword == "LABEL"):
        return "the stage sets the label already"
    places = [dockerfile.index(i) for i in found] if len(found) > 1 else [0]
    if places[-1] - places[0] >= len(found):
        return "the stage has several in different places"
    return ""


def _tidy_author(text: str) -> str:
    """A name without quotes, which MAINTAINER keeps and nobody wants; a quoted address in `<>`."""
    return _QUOTED.sub(_unquote_author, text).strip(SPACES)


def _unquote_author(match: re.Match[str]) -> str:
    inner = match[2].strip(SPACES)
    is_part = match.start() > 0 or match.end() < len(match.string)
    return f"<{inner}>" if is_part and _ADDRESS.fullmatch(inner) else inner


# Letter case


def _letter_case(instruction: Instruction, workspace: Workspace) -> _Found:
    lower = workspace.style.lower_keywords
    words = list(_keyword_words(instruction))
    wrong = [
        (word, span)
        for word, span in words
        if word != (word.lower() if lower else word.upper()) and span[1] - span[0] == len(word)
    ]
    if not wrong:
        return
    names = ", ".join(f"`{word}`" for word, _ in wrong)
    style = "lower case" if lower else "capitals"
    yield _change(
        instruction,
        f"{names} is not in {style} like the file's other keywords",
        f"Write it in {style}",
        *(Edit(*span, word.lower() if lower else word.upper()) for word, span in wrong),
    )


def _keyword_words(instruction: Instruction) -> Iterator[tuple[str, tuple[int, int]]]:
    """The words of an instruction that belong to the language, with their source spans."""
    yield instruction.keyword_text, _keyword_span(instruction)
    if instruction.nested is not None:
        yield from _keyword_words(instruction.nested)
        return
    if instruction.keyword == "FROM":
        match = _STAGE_NAME.fullmatch(instruction.argument_text)
        group = 1
    elif instruction.keyword == "HEALTHCHECK":
        match = _HEALTH_KIND.match(instruction.argument_text)
        group = 0
    else:
        return
    if match:
        start = instruction.argument_start
        yield match[group], instruction.span(start + match.start(group), start + match.end(group))


# ENV and LABEL


def _pairs(target: Instruction, instruction: Instruction) -> _Found:
    if target.keyword not in ("ENV", "LABEL"):
        return
    pair = read_old_pair(target)
    if pair is None:
        return
    if target is not instruction and instruction.escape != "\\":
        # The trigger is kept as text and read later with the default escape character.
        yield Declined(f"{target.keyword} stays: ONBUILD in an escape= file", instruction.line)
        return
    try:
        edits = new_form_edits(target, pair)
    except NotEqualError as error:
        detail = f"{target.keyword} {unquote(pair.name)}"
        yield Declined(f"old form stays: {error}", instruction.line, detail)
        return
    yield _change(
        instruction,
        f"`{target.keyword} {pair.name} ...` is the old form without an equals sign",
        "Write it with an equals sign",
        *edits,
    )


# ADD


def _add_to_copy(
    target: Instruction, instruction: Instruction, workspace: Workspace
) -> Change | Declined:
    flags = [flag.name for flag in target.flags if flag.name not in _COMMON_FLAGS]
    if flags:
        return Declined("ADD stays: it has a flag of its own", instruction.line, f"--{flags[0]}")
    on_build = target is not instruction
    context = None if on_build else workspace.context
    try:
        facts = [why_plain(source, context) for source in target.arguments[:-1]]
    except NotPlainError as error:
        return Declined(f"ADD stays: {error}", instruction.line, target.argument_text)
    copy = workspace.style.keyword("COPY")
    return _change(
        instruction,
        "`ADD` neither fetches nor unpacks anything here",
        "Use `COPY`",
        Edit(*_keyword_span(target), copy),
        evidence=tuple(Evidence("sources of ADD", fact) for fact in facts),
        removed=() if on_build else ("ADD",),
        added=() if on_build else ("COPY",),
    )


# Continuation lines


def _empty_continuations(instruction: Instruction) -> _Found:
    if not instruction.has_inner_lines:
        return
    edits: list[Edit] = []
    for (_, before), (after, end) in zip(
        instruction.segments, instruction.segments[1:], strict=False
    ):
        found = list(_blank_lines(instruction, before, after))
        words = instruction.code[after:end].split(maxsplit=1)
        if found and words and words[0].upper() in KEYWORDS:
            # Docker takes it as a part of this instruction; the author surely did not mean that.
            line = instruction.line + instruction.code.count("\n", 0, after)
            yield Declined("empty line stays: an instruction seems to follow", line, words[0])
            return
        edits += found
    if edits:
        yield _change(
            instruction,
            f"an empty line stands within a continued `{instruction.keyword}`",
            "Remove the empty line: Docker will refuse it in a future release",
            *edits,
        )


def _blank_lines(instruction: Instruction, before: int, after: int) -> Iterator[Edit]:
    code = instruction.code
    offset = code.index("\n", before) + 1
    while offset < after:
        end = code.index("\n", offset) + 1
        if not code[offset:end].strip(SPACES):
            yield Edit(instruction.start + offset, instruction.start + end, "")
        offset = end


# CMD, ENTRYPOINT, HEALTHCHECK


def _overridden(stage: Stage, workspace: Workspace) -> _Found:
    last: dict[str, Instruction] = {}
    for instruction in reversed(stage.instructions):
        keyword = instruction.keyword
        if keyword not in _LAST_COUNTS:
            continue
        if keyword in last:
            yield _remove_overridden(instruction, last[keyword], workspace)
        else:
            last[keyword] = instruction


def _remove_overridden(
    instruction: Instruction, last: Instruction, workspace: Workspace
) -> Change | Declined:
    keyword = instruction.keyword
    nodes = workspace.dockerfile.nodes
    index = workspace.dockerfile.index(instruction)
    following = nodes[index + 1]
    if workspace.dockerfile.comments_of(instruction) or instruction.inner_comments:
        # The comment would end up above something that it does not speak of.
        return Declined(
            "overridden instruction stays: a comment belongs to it", instruction.line, keyword
        )
    alone = index > 0 and isinstance(nodes[index - 1], Blank) and isinstance(following, Blank)
    end = following.end if alone else instruction.end
    return _change(
        instruction,
        f"`{keyword}` is overridden by the `{keyword}` in line {last.line}",
        "Remove it: only the last one of a stage counts",
        Edit(instruction.start, end, ""),
        removed=(keyword,),
    )


# useradd

#: From here on the logs that useradd makes room in are long (Docker, "Building best practices").
_HIGH_NUMBER = 100_000
_NUMBER_OPTION = pattern(r"(?:-u|--uid)=?(\d*)")
_NO_LOG = pattern(r"--no-log-init|-[a-zA-Z]*l[a-zA-Z]*")


def _log_of_a_high_number(instruction: Instruction, workspace: Workspace) -> _Found:
    """`useradd -u 100000000` fills a layer with an empty log."""
    if instruction.keyword != "RUN" or "useradd" not in instruction.code:
        return
    run = workspace.run(instruction)
    for command in run.script.commands() if run else ():
        words = [word.text for word in command.words[1:]]
        if command.literal_name != "useradd" or any(map(_NO_LOG.fullmatch, words)):
            continue
        if run is not None and _user_number(words) >= _HIGH_NUMBER:
            yield _change(
                instruction,
                "`useradd` makes room in the log of logins for all numbers below",
                "Add `--no-log-init`",
                run.insert(command.words[0].end, " --no-log-init"),
            )


def _user_number(words: list[str]) -> int:
    """The number that useradd is told; -1 when it is told none."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        match = _NUMBER_OPTION.fullmatch(word)
        number = (match[1] or following) if match else ""
        if number.isascii() and number.isdigit() and len(number) < 19:
            return int(number)
    return -1
