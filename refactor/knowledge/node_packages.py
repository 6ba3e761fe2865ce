"""Packages of npm that need more of the system than a slim image holds, and programs of theirs."""

from __future__ import annotations

from dockerfix.knowledge.data import names, table

NEEDS_SYSTEM = names("packages/node", "needs_system")
#: Programs that keep a service running, and the package they come from.
PROGRAM_OF: dict[str, str] = table("packages/node", "program_of")
#: Programs that compile or bundle a project, with what its settings name.
BUILDERS = names("packages/node", "builders")
#: System packages that only installs need.
BUILD_TOOLS = names("packages/node", "build_tools")
#: Programs that slim images lack, and the system package they come from.
SYSTEM_PROGRAMS: dict[str, str] = table("packages/node", "system_programs")
#: Packages that open no file of the project by themselves.
OPENS_NO_FILES = names("packages/node", "opens_no_files")
#: What settings of builders may load, and the build still fills its own folder alone.
WRITES_OUTPUT_ALONE = names("packages/node", "writes_output_alone")
