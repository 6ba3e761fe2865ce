"""Scripts that are fetched and run at once: `curl ... | bash -`."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.knowledge.command_effects import command_facts
from dockerfix.syntax.run import RunScript
from dockerfix.syntax.shell.script import Command


def piped_scripts(run: RunScript) -> Iterator[Command]:
    """The shells that run what is fetched from an address.

    Such a script knows nothing of the project.
    """
    facts = command_facts()
    for item in run.script.items:
        if item.kind != "pipeline":
            continue
        inside = [c for c in run.script.commands() if item.start <= c.start < item.end]
        first, others = inside[0], inside[1:]
        if first.literal_name not in facts.fetchers or "://" not in run.script.text:
            continue
        shells = [command for command in others if _shell_words(command) is not None]
        if len(others) == 1 and len(shells) == 1:
            yield shells[0]


def _shell_words(command: Command) -> list[str] | None:
    """The arguments of a shell that reads its script from its input."""
    words = [word.text for word in command.words]
    if words[:1] == ["sudo"]:
        words = [word for word in words[1:] if word not in ("-E", "-H")]
    if not words or command.redirections:
        return None
    options = words[1:]
    if words[0] == "php":
        # getcomposer.org/download: the installer reads its options and writes one file.
        return options if options[:1] == ["--"] else None
    if words[0] not in command_facts().shells:
        return None
    takes_input = not options or options[0] in ("-", "-s", "--") or options[0].startswith("-e")
    return options if takes_input and "-c" not in options else None
