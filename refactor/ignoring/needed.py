"""What must stay in a build context: whatever a Dockerfile, a mount or a step counts on."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from dockerfix.context.build_context import BuildContext
from dockerfix.context.ignore import IgnoreRules
from dockerfix.context.usage.usage import all_findings, repository_of
from dockerfix.ignoring.candidates import Candidate
from dockerfix.patterns import pattern
from dockerfix.syntax.instruction import Instruction
from dockerfix.syntax.parser import parse
from dockerfix.syntax.tree import Dockerfile
from dockerfix.transform import Workspace

_MOUNT_SOURCE = pattern(r"(?:source|src)=([^,\s]+)")
_MAX_OTHERS = 40


def needed_by(candidate: Candidate, workspace: Workspace, context: BuildContext) -> str:
    """Who counts on something that a candidate would hide; "" for nobody."""
    for where, instruction in _instructions(workspace, context):
        if any(_is_hidden(source, candidate) for source in _sources(instruction)):
            return f"{where}, line {instruction.line}"
        if instruction.keyword == "RUN" and _is_read(candidate, instruction):
            return f"{where}, line {instruction.line}"
    return ""


def would_let_in(candidate: Candidate, rules: IgnoreRules) -> bool:
    """Whether an older line lets something in again that a new line at the end would hide."""
    plain = candidate.path
    return any(
        line.lets_in
        and (
            line.matches(plain)
            or line.text.startswith((f"{plain}/", f"**/{posixpath.basename(plain)}"))
            or line.text.startswith("**")
        )
        for line in rules.patterns
    )


def _is_read(candidate: Candidate, instruction: Instruction) -> bool:
    """Whether a step names a file of secrets, settings or descriptions: it may read it."""
    name = posixpath.basename(candidate.path)
    if candidate.is_history or "made anew" in candidate.why:
        return False
    words = instruction.code.replace("/", " ").replace('"', " ").replace("'", " ").split()
    return name in words


def _instructions(workspace: Workspace, context: BuildContext) -> Iterator[tuple[str, Instruction]]:
    for instruction in workspace.dockerfile.instructions:
        yield context.dockerfile, instruction
    for path, other in other_dockerfiles(context):
        for instruction in other.instructions:
            yield path, instruction


def other_dockerfiles(context: BuildContext) -> Iterator[tuple[str, Dockerfile]]:
    """The Dockerfiles that are built with the same context."""
    root = os.path.realpath(context.root)
    found = {
        os.path.join(root, name) for name in context.names(".") if "dockerfile" in name.lower()
    }
    for findings in all_findings(repository_of(context)):
        for build in findings.builds:
            if build.dockerfile and build.context and os.path.realpath(build.context) == root:
                found.add(os.path.realpath(build.dockerfile))
    own = os.path.normpath(os.path.join(root, context.dockerfile))
    for path in sorted(found - {own})[:_MAX_OTHERS]:
        text = _read(path)
        if text is not None:
            yield os.path.relpath(path, root), parse(text)


def _read(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read(200_000).decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _sources(instruction: Instruction) -> Iterator[str]:
    """What an instruction names in the context."""
    if instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is None:
        yield from (posixpath.normpath(w.strip("/\"'") or ".") for w in instruction.arguments[:-1])
    for flag in instruction.flags:
        if flag.name == "mount" and flag.value and "from=" not in flag.value:
            match = _MOUNT_SOURCE.search(flag.value)
            if match and "type=cache" not in flag.value and "type=secret" not in flag.value:
                yield posixpath.normpath(match[1].strip("/") or ".")


def _is_hidden(source: str, candidate: Candidate) -> bool:
    """Whether a source is what a candidate hides, or lies in it."""
    name = posixpath.basename(candidate.path)
    if candidate.pattern.startswith("**") or "/**" in candidate.pattern:
        return name in source.split("/")
    if "$" in source:
        return name in source.split("/")
    return source == candidate.path or source.startswith(f"{candidate.path}/")
