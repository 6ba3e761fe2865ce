"""Run dockerfix, ``tally lint --fix`` and ``hadolint`` on the same files and print the ratios.

    python benchmarks/compare.py                      # a generated corpus of 500 files
    python benchmarks/compare.py --corpus DIR         # every Dockerfile under DIR
    python benchmarks/compare.py --scaling --startup  # only dockerfix: long files, start-up

CPU is user + system time of the program and its children, so other work on the machine moves it
little; wall time is printed beside it. Runs are interleaved (A B C A B C) for the same reason.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

PATTERNS = ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile*")
BATCH = 50  # files for one tally process while looking for those it refuses


# --- running and measuring ---------------------------------------------------------------------


@dataclass(frozen=True)
class Usage:
    """What one process used."""

    cpu: float
    wall: float
    peak: int  # bytes
    output: int  # bytes on standard output: shows that work was done
    status: int


@dataclass(frozen=True)
class Tool:
    """A program with the arguments that come before the file names."""

    name: str
    command: tuple[str, ...]
    version: str
    good: frozenset[int]  # exit codes of a run that went through every file
    writes: bool = False  # rewrites the files it is given


def run(command: Sequence[str], cwd: Path) -> Usage:
    """Run ``command``, its output going to a file, and measure it.

    The peak is the child's ``ru_maxrss``, which on Linux is never below the size this process
    had at the fork. So nothing big is ever held here; files are generated line by line.
    """
    with open(os.devnull, "r+b") as null, tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, stdin=null, stdout=output, stderr=null, env=environment(cwd)
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        written = os.fstat(output.fileno()).st_size
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        peak=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        output=written,
        status=process.returncode,
    )


def environment(cwd: Path) -> dict[str, str]:
    """Give every tool its defaults: a user's own configuration would not be a fair run."""
    return {**os.environ, "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd), "NO_COLOR": "1"}


def median(usages: Sequence[Usage]) -> Usage:
    """Take the median of each figure by itself; the status is the worst one seen."""
    return Usage(
        cpu=statistics.median(usage.cpu for usage in usages),
        wall=statistics.median(usage.wall for usage in usages),
        peak=max(usage.peak for usage in usages),
        output=min(usage.output for usage in usages),
        status=max(usages, key=lambda usage: abs(usage.status)).status,
    )


def interleave(commands: dict[str, Callable[[], Usage]], runs: int) -> dict[str, Usage]:
    """Measure each command ``runs`` times in turn, after one unmeasured round that warms caches."""
    for command in commands.values():
        command()
    usages: dict[str, list[Usage]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            usages[name].append(command())
    return {name: median(seen) for name, seen in usages.items()}


# --- the three tools ---------------------------------------------------------------------------


def find_tools() -> list[Tool]:
    """Find what is installed, dockerfix first; say what is missing and go on without it."""
    tools = []
    if program := find("dockerfix"):
        # Exit 2: it has read every file and some of them are not Dockerfiles.
        arguments: tuple[str, ...] = (program, "--diff", "--locked", "--jobs", "1")
        good = frozenset({0, 2})
        tools.append(Tool("dockerfix", arguments, version_of(program, "--version"), good))
    if program := find("tally"):
        # The wrapper that pip installs starts a Python first; the program behind it is what
        # tally's other packages ship, and it is the faster one. `--slow-checks=off` is what
        # keeps it from asking registries.
        program = tally_binary(program)
        arguments = (program, "lint", "--fix", "--slow-checks=off")
        good = frozenset({0, 1})
        version = version_of(program, "version")
        tools.append(Tool("tally lint --fix", arguments, version, good, writes=True))
    if program := find("hadolint"):
        arguments = (program, "--no-fail")
        good = frozenset({0})
        tools.append(Tool("hadolint", arguments, version_of(program, "--version"), good))
    return tools


def find(name: str) -> str | None:
    """Look beside this Python first, then on PATH."""
    here = Path(sys.executable).parent / name
    program = str(here) if here.is_file() else shutil.which(name)
    if program is None:
        print(f"{name}: not installed, left out (pip install -e '.[bench]')", file=sys.stderr)
    return program


def tally_binary(program: str) -> str:
    """Follow the pip wrapper of tally to the program it starts."""
    environment_folder = Path(program).resolve().parent.parent
    found = environment_folder.glob("lib/python*/site-packages/tally_cli/bin/*/tally")
    return str(next(found, program))


def version_of(*command: str) -> str:
    """Read the first line of what the tool says about its version; a broken tool ends the run."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr}")
    return result.stdout.strip().partition("\n")[0]


# --- the corpus --------------------------------------------------------------------------------


def lay_out(files: Iterable[bytes], folder: Path) -> list[str]:
    """Write each file as NNNN/Dockerfile: a name that every tool knows."""
    names = []
    for number, content in enumerate(files):
        name = f"{number:05d}/Dockerfile"
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
        names.append(name)
    return names


def read_corpus(folder: Path, limit: int | None) -> Iterator[bytes]:
    """Give the bytes of every Dockerfile under ``folder``, in the order of their paths."""
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        # A flat copy of a tree has the path in its names: backend__Dockerfile.
        if any(fnmatch(path.name.rpartition("__")[2], pattern) for pattern in PATTERNS)
        and path.suffix != ".dockerignore"
        and path.is_file()
    ]
    for path in paths[:limit]:
        yield path.read_bytes()


def accepted(tool: Tool, folder: Path, names: list[str]) -> tuple[list[str], list[str]]:
    """Split the files into those that ``tool`` gets through and those it stops at.

    tally gives up the whole run at the first file it cannot parse. Such a file is taken out for
    every tool, so that all of them do the same work. To find them, parsing is enough: every rule
    is switched off.
    """
    kept: list[str] = []
    refused: list[str] = []
    with tempfile.TemporaryDirectory(prefix="dockerfix-bench-") as scratch:
        copy = Path(scratch, "files")
        shutil.copytree(folder, copy)
        batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
        while batches:
            batch = batches.pop(0)
            if run([*tool.command, "--ignore=*", *batch], copy).status in tool.good:
                kept += batch
            elif len(batch) == 1:
                refused += batch
            else:
                half = len(batch) // 2
                batches[:0] = [batch[:half], batch[half:]]
    return kept, refused


def generate_corpus(count: int, seed: int = 20) -> Iterator[bytes]:
    """Make ``count`` Dockerfiles of the kind people write in a hurry, the same ones each time."""
    choose = random.Random(seed)
    for _ in range(count):
        yield generate_dockerfile(choose).encode()


def generate_dockerfile(choose: random.Random) -> str:
    """Make one poor Dockerfile."""
    base, install, manager = choose.choice(
        [
            ("node:20", "npm install", "apt"),
            ("node:20-alpine", "npm install --production", "apk"),
            ("python:3.12", "pip install -r requirements.txt", "apt"),
            ("python:3.12-alpine", "pip install --upgrade pip flask gunicorn", "apk"),
            ("golang:1.23", "go build -o /app/server ./cmd/server", "apt"),
            ("maven:3-eclipse-temurin-21", "mvn package", "apt"),
            ("ruby:3.3", "bundle install", "apt"),
            ("debian", "make all && make install", "apt"),
            ("ubuntu:latest", "./configure && make -j4", "apt"),
            ("rockylinux:9", "python3 setup.py install", "dnf"),
        ]
    )
    lines = [f"FROM {base}" + choose.choice(["", "", " as build"])]
    if choose.random() < 0.4:
        lines.append("MAINTAINER Jane Doe <jane@example.com>")
    for number in range(choose.randrange(5)):
        lines.append(choose.choice([f"ENV OPTION_{number} on", f"ENV LEVEL_{number}={number}"]))
    packages = choose.sample(["curl", "git", "wget", "make", "gcc", "vim", "zip", "jq"], k=5)
    lines += {
        "apt": [
            "RUN apt-get update",
            f"RUN apt-get install -y {packages[0]} {packages[1]}",
            f"RUN apt install {packages[2]} && \\\n    apt-get install -y {packages[3]}",
        ],
        "apk": [
            f"RUN apk add {packages[0]}",
            f"RUN apk add --no-cache {packages[1]} {packages[2]}",
            "RUN rm -rf /var/cache/apk/*",
        ],
        "dnf": [f"RUN dnf install -y {' '.join(packages)}", "RUN dnf clean all"],
    }[manager]
    lines.append(choose.choice(["WORKDIR /app", "RUN mkdir -p /app\nWORKDIR app"]))
    lines.append(choose.choice(["ADD . /app", "COPY . .", "COPY . /app", "ADD . ."]))
    if choose.random() < 0.5:
        lines.append("RUN chown -R www-data:www-data /app")
    lines.append(choose.choice([f"RUN {install}", f"RUN cd /app && {install}"]))
    for number in range(choose.randrange(6)):
        lines.append(
            choose.choice(
                [
                    f"RUN echo 'option_{number} = 1' >> /etc/app.conf",
                    f"RUN cd /tmp && wget https://example.com/tool-{number}.tar.gz \\\n"
                    f"    && tar xzf tool-{number}.tar.gz \\\n    # not needed any more\n"
                    f"    && rm tool-{number}.tar.gz",
                    f"run useradd -m worker{number}; chmod +x /app/*.sh",
                    f'LABEL part.{number}="{number}"',
                    f"RUN <<EOF\nset -e\ncat /etc/hosts > /app/hosts.{number}\nEOF",
                ]
            )
        )
    if choose.random() < 0.2:
        lines += ["", "FROM debian:bookworm", "COPY --from=0 /app /app"]
    lines.append("EXPOSE 8080")
    lines.append(choose.choice(["CMD node server.js", "CMD ./run.sh", 'CMD ["./server"]']))
    blank = choose.choice(["\n", "\n\n"])
    return blank.join(lines) + "\n"


# --- what is compared --------------------------------------------------------------------------


def compare_cold(tools: Sequence[Tool], folder: Path, name: str, runs: int) -> None:
    """Start each tool on one file, many times."""
    content = (folder / name).read_bytes()

    def start(tool: Tool) -> Usage:
        (folder / name).write_bytes(content)
        return run([*tool.command, name], folder)

    lines = content.count(b"\n")
    print(f"\nCold start on one file of {lines} lines, median of {runs} runs")
    usages = interleave({tool.name: partial(start, tool) for tool in tools}, runs)
    (folder / name).write_bytes(content)
    table(tools, usages, 1)


def compare_corpus(tools: Sequence[Tool], folder: Path, names: list[str], runs: int) -> None:
    """Give each tool all the files in one process."""
    size = sum((folder / name).stat().st_size for name in names)
    print(f"\nCorpus of {len(names)} files, {size / 1e6:.1f} MB, median of {runs} runs")

    def start(tool: Tool) -> Usage:
        if not tool.writes:
            return run([*tool.command, *names], folder)
        with tempfile.TemporaryDirectory(prefix="dockerfix-bench-") as scratch:
            copy = Path(scratch, "files")
            shutil.copytree(folder, copy)
            return run([*tool.command, *names], copy)

    usages: dict[str, list[Usage]] = {tool.name: [] for tool in tools}
    for _ in range(runs):
        for tool in tools:
            usages[tool.name].append(start(tool))
    table(tools, {name: median(seen) for name, seen in usages.items()}, len(names))


def table(tools: Sequence[Tool], usages: dict[str, Usage], files: int) -> None:
    """Print one row a tool, and the CPU of each as a multiple of the first."""
    first = tools[0]
    print(
        f"{'':18}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'output kB':>11}{'files/CPU s':>13}"
        f"{'ratio':>9}{'exit':>6}"
    )
    for tool in tools:
        usage = usages[tool.name]
        note = "" if usage.status in tool.good else "  NOT FINISHED"
        print(
            f"{tool.name:18}{usage.cpu:9.3f}{usage.wall:9.3f}{usage.peak / 1e6:9.0f}"
            f"{usage.output / 1e3:11.1f}{files / usage.cpu:13.1f}"
            f"{usage.cpu / usages[first.name].cpu:9.2f}{usage.status:6}{note}"
        )
    print(f"ratio: CPU as a multiple of {first.name}")


def compare_startup(dockerfix: Tool, folder: Path, runs: int) -> None:
    """Compare the bare start of dockerfix with the import of click alone."""
    program = dockerfix.command[0]
    python = interpreter_of(program)
    print(f"\nStart-up, median of {runs} runs ({python})")
    usages = interleave(
        {
            "dockerfix --version": lambda: run([program, "--version"], folder),
            "import click": lambda: run([python, "-c", "import click"], folder),
            "import nothing": lambda: run([python, "-c", ""], folder),
        },
        runs,
    )
    for name, usage in usages.items():
        ratio = usage.cpu / usages["import click"].cpu
        milliseconds = f"{usage.cpu * 1e3:8.1f} ms CPU{usage.wall * 1e3:8.1f} ms wall"
        print(f"{name:22}{milliseconds}{ratio:8.2f}")


def interpreter_of(program: str) -> str:
    """Read which Python runs the console script."""
    with open(program, "rb") as file:
        line = file.readline().decode(errors="replace").removeprefix("#!").strip()
    return line if Path(line).is_file() else sys.executable


def compare_scaling(dockerfix: Tool, folder: Path, runs: int) -> None:
    """Measure a file of 2,000 instructions and one of 200,000: 100 KB and 10 MB."""
    print(f"\nOne long file, median of {runs} runs")
    usages: list[Usage] = []
    for instructions in (2_000, 200_000):
        name = f"long-{instructions}/Dockerfile"
        write_long_file(folder / name, instructions)
        size = (folder / name).stat().st_size
        usage = median([run([*dockerfix.command, name], folder) for _ in range(runs)])
        usages.append(usage)
        note = "" if usage.status in dockerfix.good else f"  NOT FINISHED: exit {usage.status}"
        print(
            f"{size / 1e6:8.2f} MB {instructions:8} instructions{usage.cpu:10.3f} s CPU"
            f"{usage.wall:10.3f} s wall{usage.peak / 1e6:8.0f} MB peak"
            f"{usage.peak / size:8.1f} x size{note}"
        )
    print(f"time of the long file / time of the short one: {usages[1].cpu / usages[0].cpu:.1f}")


def write_long_file(path: Path, instructions: int) -> None:
    """Write a Dockerfile of ENV, RUN and COPY, about 50 bytes an instruction."""
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8") as file:
        file.write("FROM debian:bookworm\n")
        for number in range(1, instructions):
            file.write(
                (
                    f"ENV SETTING_{number:06d}=value-{number:06d}-of-the-long-file\n",
                    f"RUN echo {number:06d} >> /var/log/steps && touch /tmp/{number:06d}\n",
                    f"COPY conf/{number:06d}.conf /etc/app/conf.d/{number:06d}.conf\n",
                )[number % 3]
            )


# --- command line ------------------------------------------------------------------------------


def main() -> int:
    """Run the comparisons that were asked for."""
    parser = argparse.ArgumentParser(
        description="Compare dockerfix, tally lint --fix and hadolint on the same files."
    )
    parser.add_argument("--corpus", type=Path, help="a folder of Dockerfiles (default: generated)")
    parser.add_argument("--limit", type=int, help="take only so many files of the corpus")
    parser.add_argument("--runs", type=int, default=15, help="cold runs of each tool")
    parser.add_argument("--corpus-runs", type=int, default=1, help="runs over the corpus")
    parser.add_argument("--scaling", action="store_true", help="only: long files, dockerfix")
    parser.add_argument("--startup", action="store_true", help="only: start-up, dockerfix")
    options = parser.parse_args()

    tools = find_tools()
    for tool in tools:
        print(f"{tool.name}: {tool.version}\n    {' '.join(tool.command)} FILE...")
    dockerfix = next((tool for tool in tools if tool.name == "dockerfix"), None)
    if not tools or ((options.scaling or options.startup) and dockerfix is None):
        return 2

    with tempfile.TemporaryDirectory(prefix="dockerfix-bench-") as scratch:
        folder = Path(scratch)
        if dockerfix and (options.startup or not options.scaling):
            compare_startup(dockerfix, folder, options.runs)
        if dockerfix and options.scaling:
            compare_scaling(dockerfix, folder, runs=3)
        if not (options.startup or options.scaling):
            compare_files(tools, folder / "corpus", options)
    return 0


def compare_files(tools: list[Tool], folder: Path, options: argparse.Namespace) -> None:
    """Compare all tools, on one file and on the corpus."""
    if options.corpus:
        contents = read_corpus(options.corpus, options.limit)
    else:
        contents = generate_corpus(options.limit or 500)
    names = lay_out(contents, folder)
    if not names:
        print(f"no Dockerfile under {options.corpus}", file=sys.stderr)
        sys.exit(2)
    for tool in tools:
        if tool.writes:
            names, refused = accepted(tool, folder, names)
            print(
                f"\n{tool.name} stops at {len(refused)} of {len(names) + len(refused)} files;"
                " they are left out for every tool"
            )
    # The file of median length stands for a usual one.
    by_size = sorted(names, key=lambda name: (folder / name).stat().st_size)
    compare_cold(tools, folder, by_size[len(by_size) // 2], options.runs)
    compare_corpus(tools, folder, names, options.corpus_runs)


if __name__ == "__main__":
    sys.exit(main())
