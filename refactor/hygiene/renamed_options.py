"""Options that their tool has replaced by others."""

from __future__ import annotations

from dockerfix.hygiene.lock_installs import NotLockedError, node_major
from dockerfix.hygiene.run import Found, PackageRun, is_too_old
from dockerfix.knowledge.package_managers import GEM, NPM

#: Says since npm 8 (Node.js 16) in a warning that `--omit=dev` has replaced it (npm-install(1)).
_PRODUCTION = ("--production", "--production=true", "--only=production", "--only=prod")
_FIRST_NODE_WITH_OMIT = 16


def omit_dev(run: PackageRun) -> Found:
    """The option that npm's own warning recommends."""
    for _, package in run.commands:
        old = [word for word in package.options if word.text in _PRODUCTION]
        if package.manager is not NPM or package.action != "install" or len(old) != 1:
            continue
        try:
            node = node_major(run.run, run.workspace)
        except NotLockedError as error:
            yield run.declined(error.reason, error.detail)
            continue
        if node is None or node >= _FIRST_NODE_WITH_OMIT:
            yield run.change(
                f"`{old[0].text}` is deprecated",
                "Use `--omit=dev`",
                run.run.replace(old[0].start, old[0].end, "--omit=dev"),
            )


def no_document(run: PackageRun) -> Found:
    """RubyGems 3 refuses the two options that `--no-document` replaced in RubyGems 2."""
    for _, package in run.commands:
        old = [word for word in package.options if word.text in ("--no-rdoc", "--no-ri")]
        if package.manager is not GEM or {word.text for word in old} != {"--no-rdoc", "--no-ri"}:
            continue
        if len(old) != 2 or is_too_old(run, GEM):
            continue
        words = package.command.words
        before = words[words.index(old[1]) - 1]
        cut = run.run.replace(before.end, old[1].end, "")
        if not any(cut.start <= c.start < cut.end for c in run.instruction.inner_comments):
            yield run.change(
                "`--no-rdoc --no-ri` is gone from RubyGems 3",
                "Use `--no-document`",
                run.run.replace(old[0].start, old[0].end, "--no-document"),
                cut,
            )
