"""What steps leave in root's home, where another user does not find it: caches, environments."""

from __future__ import annotations

import posixpath
import re

from dockerfix.context.json_files import load_object, table
from dockerfix.image.entry import Entry
from dockerfix.knowledge.data import table as facts
from dockerfix.patterns import pattern
from dockerfix.run_as.account import StaysError
from dockerfix.syntax.instruction import Instruction
from dockerfix.transform import Workspace

_REASON = "something lies in the home of root"
#: Package managers that corepack fetches when they are first called.
_OF_COREPACK = ("yarn", "pnpm")
_OTHER_BROWSER = pattern(r"PUPPETEER_(?:SKIP|CACHE_DIR|EXECUTABLE_PATH)|--ignore-scripts")
_INSTALLS = pattern(r"\b(?:npm|yarn|pnpm|bun)\b[^\n]*\b(?:install|i|ci|add)\b|\byarn\s*(?:&|$)")


def check_home(entry: Entry, workspace: Workspace) -> None:
    """Raises StaysError when the program may need what a step left in root's home."""
    code = workspace.dockerfile.code
    for stage in workspace.shipped_stages:
        for instruction in stage.instructions:
            if instruction.keyword == "RUN":
                _check_step(instruction, code)
    _check_corepack(entry, workspace)
    _check_browser(workspace)


def _check_step(instruction: Instruction, code: str) -> None:
    for expression, fact in facts("services", "leaves_at_home").items():
        found = re.search(expression, instruction.logical)
        if found and not (fact["unless"] and re.search(fact["unless"], code)):
            raise StaysError(_REASON, f"line {instruction.line}: {found[0]}")


def _check_corepack(entry: Entry, workspace: Workspace) -> None:
    names = {posixpath.basename(call[0]) for call in entry.calls}
    uses = workspace.mentions("corepack") and not names.isdisjoint(_OF_COREPACK)
    if uses and not workspace.mentions("COREPACK_HOME"):
        raise StaysError(_REASON, "what corepack fetched")


def _check_browser(workspace: Workspace) -> None:
    """A browser that the install of puppeteer brings, in a stage that is shipped."""
    context = workspace.context
    manifest = load_object(context.read("package.json")) if context is not None else None
    if "puppeteer" not in table(manifest or {}, "dependencies"):
        return
    code = workspace.dockerfile.code
    if not _OTHER_BROWSER.search(code) and _INSTALLS.search(code):
        raise StaysError(_REASON, "the browser of puppeteer")
