"""Installs of Node.js packages that take just what the lock says."""

from __future__ import annotations

from dockerfix.hygiene.lock_installs import NotLockedError, find_lock_install
from dockerfix.hygiene.run import Found, PackageRun
from dockerfix.knowledge.package_managers import NPM, YARN
from dockerfix.transform import Change, Level


def follow_lock(run: PackageRun) -> Found:
    """Installs that take just what the lock says."""
    for _, package in run.commands:
        if package.manager not in (NPM, YARN):
            continue
        try:
            found = find_lock_install(run.run, package, run.workspace)
        except NotLockedError as error:
            yield run.declined(error.reason, error.detail)
            continue
        if found is not None:
            yield Change(
                f"`{found.before}` may install other versions than the lock file names",
                f"Use `{found.after}`",
                (found.edit,),
                run.instruction.line,
                Level.REVIEW,
                evidence=found.evidence,
            )
