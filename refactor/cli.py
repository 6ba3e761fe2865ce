"""The command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from dockerfix._version import __version__

#: How far an update goes.
UPDATES = ("patch", "minor", "major")


def _bare_update(argument: str, following: str) -> str:
    """`--update PATH` means `--update=minor PATH`: click would take the path for the value."""
    return "--update=minor" if argument == "--update" and following not in UPDATES else argument


class PathsOrCommand(click.Group):
    """A group whose default command takes paths: `dockerfix PATH` beside `dockerfix list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front, unless the first word names one."""
        if not args or args[0] not in self.commands:
            args = ["refactor", *map(_bare_update, args, [*args[1:], ""])]
        return super().parse_args(ctx, args)


class Refactor(click.Command):
    """The default command, shown as if it were the program itself."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the program's name alone."""
        formatter.write_usage("dockerfix", "[OPTIONS] [PATH]...")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the other commands."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str())
                    for name, command in sorted(main.commands.items())
                    if command is not ctx.command
                ]
            )
        super().format_epilog(ctx, formatter)


def _names(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for item in value for name in item.split(",") if name.strip())


def _complete_path(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    """File names, and the names of the other commands."""
    from click.shell_completion import CompletionItem

    names = [name for name in main.commands if name.startswith(incomplete) and name != "refactor"]
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]


def _complete_pass(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    """Names of passes; of a list with commas, the last one."""
    from click.shell_completion import CompletionItem

    from dockerfix.catalogue import BUILT_IN

    before, comma, start = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{name}") for name in BUILT_IN if name.startswith(start)]


#: What is refactored, and how: the same for every command that refactors.
_REFACTORING = (
    click.option(
        "--level",
        type=click.Choice(["safe", "review", "risky"]),
        help="The most that a change may mean (default: review).",
    ),
    click.option(
        "--select",
        multiple=True,
        callback=_names,
        shell_complete=_complete_pass,
        help="Run only these passes.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        callback=_names,
        shell_complete=_complete_pass,
        help="Leave these passes out.",
    ),
    click.option(
        "--context", metavar="DIR", help="The build context (default: the file's folder)."
    ),
    click.option(
        "--repository", metavar="DIR", help="The folder whose files tell how images are used."
    ),
    click.option("--target", metavar="STAGE", help="The stage that is built (default: the last)."),
)


def _refactoring_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what is refactored, and how."""
    for option in reversed(_REFACTORING):
        command = option(command)
    return command


@click.group(cls=PathsOrCommand, add_help_option=False)
def main() -> None:
    """Refactor Dockerfiles and show the diff."""


@main.command("refactor", cls=Refactor, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=_complete_path)
@click.option(
    "--diff", "action", flag_value="diff", default="diff", help="Show the diff (default)."
)
@click.option("--write", "action", flag_value="write", help="Write the files.")
@click.option("--check", "action", flag_value="check", help="Name the files that would change.")
@click.option("--verify", is_flag=True, help="With --write: build, compare, write what is right.")
@_refactoring_options
@click.option(
    "--pin",
    type=click.Choice(["tag", "digest", "both"]),
    help="How images are pinned (default: tag).",
)
@click.option(
    "--locked",
    is_flag=True,
    envvar="DOCKERFIX_LOCKED",
    help="Ask no registry: pin what dockerfix.lock names.",
)
@click.option(
    "--update",
    is_flag=False,
    flag_value="minor",
    type=click.Choice(UPDATES),
    help="Move images forward: within the minor version (patch), the major one (minor, the "
    "default), or to any (major).",
)
@click.option("--explain", is_flag=True, help="Say why for each change and each decline.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="How to show the results.",
)
@click.option("--exit-code", is_flag=True, help="With --diff: exit 1 when there are changes.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes for many files.")
@click.option("--quiet", "-q", is_flag=True, help="Errors only.")
@click.option("--verbose", "-v", is_flag=True, help="Name every file.")
@click.version_option(__version__, prog_name="dockerfix", message="%(prog)s %(version)s")
def refactor_command(paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Refactor Dockerfiles.

    PATH is a Dockerfile, a folder to search, or - for standard input (default: the folder you are
    in). Without --write nothing is written.
    """
    if options["locked"] and options["update"]:
        raise click.UsageError("--update asks registries, which --locked refuses")
    from dockerfix.commands.refactor import Request, run

    sys.exit(run(paths or (".",), Request(**options)))


@main.command("lock")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--refresh", is_flag=True, help="Look up what the lock knows already, too.")
@click.option("--insecure", multiple=True, metavar="HOST", help="Ask this registry over http.")
def lock_command(paths: tuple[str, ...], refresh: bool, insecure: tuple[str, ...]) -> None:
    """Look up what images mean today, and keep it in dockerfix.lock."""
    from dockerfix.commands.lock import lock_images

    try:
        done = lock_images(paths or (".",), refresh, insecure)
    except (ValueError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    for line in (*done.told, *(f"error: {line}" for line in done.failed)):
        click.echo(line, err=True)
    if done.failed:
        sys.exit(2)


@main.command("verify")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--engine",
    type=click.Choice(["docker", "podman", "buildah"]),
    help="The engine to build with (default: the first that answers).",
)
@_refactoring_options
@click.option("--platform", metavar="OS/ARCH", help="The platform to build for.")
@click.option("--network", metavar="MODE", help="The network of the build.")
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME=VALUE")
@click.option("--secret", "secrets", multiple=True, metavar="ID=...", help="A build secret.")
@click.option("--ssh", multiple=True, metavar="ID", help="An ssh agent for the build.")
@click.option("--build-option", "extra", multiple=True, metavar="OPTION", help="For the build.")
@click.option("--run-option", "run_options", multiple=True, metavar="OPTION", help="For run.")
@click.option("--timeout", type=float, default=1800.0, help="Seconds that a build may take.")
@click.option("--start-time", type=float, default=30.0, help="Seconds a program gets to start.")
@click.option("--no-cache", is_flag=True, help="Build cold.")
@click.option("--builder", metavar="NAME", help="The builder of docker buildx.")
@click.option("--own-builder", is_flag=True, help="A builder that is removed with its cache.")
@click.option("--cache-scope", metavar="NAME", help="Cache mounts under a name of their own.")
@click.option("--measure", is_flag=True, help="Measure builds: cold, again, after edits.")
@click.option("--repeat", type=click.IntRange(1), default=1, help="With --measure: how often.")
@click.option("--run", is_flag=True, help="Start both containers and ask them.")
@click.option(
    "--probe", "probes", multiple=True, metavar="URL|CMD", help="What to ask; implies --run."
)
@click.option("--bisect", is_flag=True, help="When they differ: find the pass that did it.")
@click.option("--logs", metavar="DIR", help="Where logs of failed builds are kept.")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text")
def verify_command(paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Build a file as it is and as refactored, and compare the images.

    Exit code 0: the same but for what changes explain; 1: not; 2: wrong usage; 3: the original
    does not build.
    """
    from dockerfix.commands.verify import run, take_options

    sys.exit(run(paths or (".",), **take_options(options)))


@main.command("graph")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "svg", "html"]),
    default="text",
    help="How to show it (default: text).",
)
@click.option("--edit", metavar="FILE", help="Follow an edit of this file of the context.")
@_refactoring_options
def graph_command(paths: tuple[str, ...], form: str, **options: Any) -> None:  # noqa: ANN401
    """Show what each step touches and what an edit makes run again, before and after.

    Nothing is built, and nothing is written.
    """
    from dockerfix.commands.graph import Request, run

    sys.exit(run(paths or (".",), form, Request(**options)))


@main.command("list")
def list_command() -> None:
    """List the passes."""
    from dockerfix.commands.passes import list_passes

    click.echo(list_passes(), nl=False)


@main.command("explain")
@click.argument("name", metavar="PASS", shell_complete=_complete_pass)
def explain_command(name: str) -> None:
    """Explain a pass, with an example."""
    from dockerfix.catalogue import UnknownPassError
    from dockerfix.commands.passes import explain_pass

    try:
        click.echo(explain_pass(name), nl=False)
    except UnknownPassError as error:
        raise click.UsageError(str(error)) from error
