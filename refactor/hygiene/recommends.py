"""Recommended packages of Debian: install what is asked for, name what would be missed."""

from __future__ import annotations

from dockerfix.hygiene.run import Found, PackageRun
from dockerfix.knowledge.package_managers import APT
from dockerfix.knowledge.recommended import debian_releases, is_held, missed_without_recommends
from dockerfix.packages import PackageCommand
from dockerfix.patterns import pattern
from dockerfix.syntax.word_list import WordList
from dockerfix.transform import Change, Evidence, Level

#: More than these an author would hardly name one by one.
_MAX_NAMED = 3
_PACKAGE_NAME = pattern(r"([a-z0-9][a-z0-9+.-]*?)(?::[a-z0-9]+)?(?:=\S+)?")


def no_recommends(run: PackageRun) -> Found:
    """Install what is asked for, and name what would be missed."""
    settled = run.workspace.mentions("-recommends") or run.workspace.mentions("-Recommends")
    if settled or not run.shipped:
        return
    for _, package in run.commands:
        if package.manager is not APT or package.action != "install" or not package.never_asks:
            continue
        if package.program.text == "apt" or not package.packages:
            continue
        found = _missed(run, package)
        if isinstance(found, str):
            yield from _drop_recommends(run, package, (), Level.RISKY, found)
        else:
            level = Level.REVIEW if len(found) <= _MAX_NAMED else Level.RISKY
            detail = f"{', '.join(found[:5]) or 'nothing'} would be missed"
            named = found if level is Level.REVIEW else ()
            yield from _drop_recommends(run, package, named, level, detail)


def _missed(run: PackageRun, package: PackageCommand) -> tuple[str, ...] | str:
    """The recommended packages that have to be named, or why that is not known."""
    root = run.workspace.shipped_stages[0]
    releases = debian_releases(root.base)
    if not releases:
        return f"no package index of {root.base} at hand"
    names = [_PACKAGE_NAME.fullmatch(word.value or "") for word in package.packages]
    if not all(names) or package.has_option("-t", "--target-release"):
        return "packages that no index names"
    found = missed_without_recommends(
        tuple(name[1] for name in names if name), releases, run.workspace.mentions
    )
    if found is None:
        return "packages that the index does not know, or that recommend many"
    # Who speaks of a package may take it out again; a base image may be called like one.
    steps = [i.code for i in run.workspace.dockerfile.instructions if i.keyword != "FROM"]
    return tuple(
        name
        for name in found
        if not is_held(name, root.base) or any(name in code for code in steps)
    )


def _drop_recommends(
    run: PackageRun, package: PackageCommand, named: tuple[str, ...], level: Level, detail: str
) -> Found:
    if level > run.workspace.level:
        yield run.declined("recommended packages stay", detail)
        return
    word = package.action_word
    assert word is not None
    behind = [
        w for w in package.options if w.start > word.end and w.end < package.packages[0].start
    ]
    places = WordList(run.run, package.packages[-1], run.workspace.style)
    places.add(list(named))
    also = f", and name {', '.join(f'`{name}`' for name in named)}" if named else ""
    yield Change(
        f"`{package.program.text} {word.text}` installs what packages recommend as well",
        f"Add `--no-install-recommends`{also}",
        (
            run.run.insert((behind[-1] if behind else word).end, " --no-install-recommends"),
            *([run.run.insert(package.packages[-1].end, "".join(places.text))] if named else []),
        ),
        run.instruction.line,
        level,
        evidence=(Evidence("Debian package index", detail),),
    )
