"""What is known of commands beyond the package managers: what they leave behind, what they are for.

`commands.json` says what each of the sets means.
"""

from __future__ import annotations

from dockerfix.knowledge.data import names

BUILT_IN = names("commands", "built_in")
RESERVED = names("commands", "reserved")
INITS = names("commands", "inits")
ENDS_SHELL = names("commands", "ends_shell")
CHANGES_SHELL = names("commands", "changes_shell")
STARTS_SERVICE = names("commands", "starts_service")
NEVER_SHADOWED = names("commands", "never_shadowed")
ADJUSTS = names("commands", "adjusts")
SETS_UP_PACKAGES = names("commands", "sets_up_packages")
FETCHES_FILES = names("commands", "fetches_files")
FETCHES_DEPENDENCIES = names("commands", "fetches_dependencies")
RUNS_SOMETHING = names("commands", "runs_something")
SETS_UP_TOO = names("commands", "sets_up_too")
