"""MAINTAINER, which a label replaces."""

from __future__ import annotations

import re

from dockerfix.modernising.change import Found, change, keyword_span
from dockerfix.patterns import pattern
from dockerfix.syntax.edits import Edit
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.pairs import quote_literal
from dockerfix.syntax.stage import Stage
from dockerfix.syntax.tree import Dockerfile
from dockerfix.syntax.words import SPACES
from dockerfix.transform import Declined, Workspace

#: The key that Docker's reference recommends in place of MAINTAINER.
AUTHORS = "org.opencontainers.image.authors"
_QUOTED = pattern(r"(?<![\w<])(['\"])((?:(?!\1).|(?<=\w)'(?=\w))*)\1(?!\w)")
_ADDRESS = pattern(r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+")


def maintainers(stage: Stage, workspace: Workspace) -> Found:
    """Replace those of a stage, which has one at least, by a label."""
    found = [i for i in stage.instructions if i.keyword == "MAINTAINER"]
    reason = _why_not_label(found, stage, workspace.dockerfile)
    if reason:
        yield Declined(f"MAINTAINER stays: {reason}", found[0].line)
        return
    first, last = found[0], found[-1]
    names = ", ".join(dict.fromkeys(_tidy_author(i.argument_text) for i in found))
    label = f"{workspace.style.keyword('LABEL')} {AUTHORS}={quote_literal(names, first.escape)}"
    yield change(
        first,
        "`MAINTAINER` is deprecated",
        f"Use the label `{AUTHORS}`",
        Edit(keyword_span(first)[0], last.argument_span[1], label),
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
