"""Container engines, asked through their own command lines."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

#: The engines in the order in which they are looked for.
ENGINES = ("docker", "podman")


class EngineError(Exception):
    """The engine is not there, or did not do what it was told; the message says which."""


class BuildError(Exception):
    """A build failed; the message is the end of its log."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What is passed through to every build."""

    context: Path
    target: str | None = None
    platform: str | None = None
    network: str | None = None
    arguments: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    #: Seconds.
    timeout: float = 1800


@dataclass(frozen=True, slots=True)
class Engine:
    """A command line that builds and runs images."""

    program: str
    version: str

    def build(
        self, dockerfile: Path, tag: str, options: BuildOptions, no_cache: bool = False
    ) -> float:
        """Build an image; how long that took, in seconds. Raises BuildError.

        An ignore file beside the Dockerfile, `<name>.dockerignore`, counts in place of the one of
        the context (Docker's reference, "Filename and location").
        """
        command = [self.program, "build", "--tag", tag, "--file", str(dockerfile)]
        ignore = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
        if self.program == "podman" and ignore.is_file():
            command += ["--ignorefile", str(ignore)]
        for flag, value in (
            ("--target", options.target),
            ("--platform", options.platform),
            ("--network", options.network),
        ):
            command += [flag, value] if value else []
        for flag, values in (
            ("--build-arg", options.arguments),
            ("--secret", options.secrets),
            ("--ssh", options.ssh),
        ):
            for value in values:
                command += [flag, value]
        command += ["--no-cache"] if no_cache else []
        start = time.monotonic()
        try:
            done = subprocess.run(
                [*command, str(options.context)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=options.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"no end after {options.timeout:.0f} s") from error
        if done.returncode != 0:
            raise BuildError(_end_of(done.stdout))
        return time.monotonic() - start

    def inspect(self, image: str) -> dict[str, Any]:
        """What the engine knows of an image."""
        found = json.loads(self.call("image", "inspect", image))
        return dict(found[0])

    @contextmanager
    def exported(self, image: str) -> Iterator[IO[bytes]]:
        """The files of an image as a tar stream."""
        container = self.call("create", "--entrypoint", "/nothing", image, "x").strip()
        process = subprocess.Popen([self.program, "export", container], stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.kill()
            process.wait()
            self.remove("rm", "--force", container)

    def call(self, *arguments: str, timeout: float = 300) -> str:
        """Run the engine; what it wrote. Raises EngineError."""
        try:
            done = subprocess.run(
                [self.program, *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{self.program} {arguments[0]}: no end after {timeout} s") from error
        if done.returncode != 0:
            raise EngineError(f"{self.program} {arguments[0]}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def remove(self, *arguments: str) -> None:
        """Take something away; nothing is said when it is gone already."""
        subprocess.run([self.program, *arguments], capture_output=True, check=False)


def find_engine(name: str | None = None) -> Engine:
    """The engine of that name, else the first that answers. Raises EngineError."""
    tried: list[str] = []
    for program in (name,) if name else ENGINES:
        if program not in ENGINES:
            raise EngineError(f"no engine is called {program}; there are {', '.join(ENGINES)}")
        if shutil.which(program) is None:
            tried.append(f"{program} is not installed")
            continue
        done = subprocess.run(
            [program, "version", "--format", "{{.Client.Version}}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return Engine(program, done.stdout.strip())
        tried.append(f"{program} does not answer: {done.stderr.strip()[:200]}")
    raise EngineError(
        f"{'; '.join(tried)}. Install Docker Engine with buildx, or podman, or name the engine "
        "with --engine"
    )


def _end_of(log: bytes, lines: int = 25) -> str:
    text = log.decode("utf-8", "replace").rstrip().splitlines()
    return "\n".join(text[-lines:])


def sequence(values: Sequence[str] | None) -> tuple[str, ...]:
    """A list of an image's configuration; nothing where it is null."""
    return tuple(values or ())
