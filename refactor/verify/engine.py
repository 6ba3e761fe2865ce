"""Container engines, asked through their own command lines.

docker (with buildx) and podman share their commands; buildah builds and compares, and runs nothing
that has a port.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from dockerfix.verify.build_log import count_steps, read_failure
from dockerfix.verify.process import (
    EngineError,
    LimitError,
    call,
    run_logged,
    streaming,
    try_call,
)

__all__ = ["Build", "BuildError", "BuildOptions", "Engine", "EngineError", "find_engine"]

#: The engines in the order in which they are looked for, and what to install.
ENGINES = {
    "docker": "Docker Engine with the buildx plugin (https://docs.docker.com/engine/install/; "
    "Debian: docker.io docker-buildx)",
    "podman": "podman (https://podman.io/docs/installation)",
    "buildah": "buildah (https://github.com/containers/buildah/blob/main/install.md)",
}
_VERSION = re.compile(r"\d+(?:\.\d+)+\S*")


class BuildError(Exception):
    """A build failed; the message is the step that failed and the end of its log."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


class BuildOptions(NamedTuple):
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
    #: A builder of buildx; the current one if not given.
    builder: str | None = None
    #: Cache mounts in a scope of their own, so that both builds begin with none.
    cache_scope: str | None = None
    #: More options, as the engine takes them.
    extra: tuple[str, ...] = ()


class Build(NamedTuple):
    """A build that went well."""

    seconds: float
    #: Steps that ran, and did not come from the cache.
    steps: int


class Engine(NamedTuple):
    """A command line that builds images, and unless it is buildah's, runs them."""

    program: str
    version: str
    #: What it can do, in words, for people.
    capabilities: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether it starts containers that answer on a port."""
        return self.program != "buildah"

    def __str__(self) -> str:
        can = f": {', '.join(self.capabilities)}" if self.capabilities else ""
        return f"{self.program} {self.version}{can}"

    def build(
        self,
        dockerfile: Path,
        tag: str,
        options: BuildOptions,
        no_cache: bool = False,
        log: Path | None = None,
    ) -> Build:
        """Build an image. Raises BuildError, with the step that failed.

        An ignore file beside the Dockerfile, `<name>.dockerignore`, counts in place of the one of
        the context (Docker's reference, "Filename and location").
        """
        log = log or dockerfile.with_name("build.log")
        command = [self.program, *self._build_words(dockerfile, tag, options, no_cache)]
        start = time.monotonic()
        try:
            code = run_logged([*command, str(options.context)], log, options.timeout)
        except LimitError as error:
            raise BuildError(f"{error}\n{read_failure(log).output}", log) from error
        if code != 0:
            failure = read_failure(log)
            place = f" (line {failure.line} of the Dockerfile)" if failure.line else ""
            step = f"at {failure.step}{place}\n" if failure.step else ""
            raise BuildError(f"{step}{failure.output}", log)
        return Build(time.monotonic() - start, count_steps(log))

    def _build_words(
        self, dockerfile: Path, tag: str, options: BuildOptions, no_cache: bool
    ) -> list[str]:
        if self.program == "docker":
            words = ["buildx", "build", "--load", "--progress", "plain", "--provenance=false"]
            words += ["--builder", options.builder] if options.builder else []
        else:
            words = ["build", "--layers", "--force-rm"]
        words += ["--tag", tag, "--file", str(dockerfile)]
        ignore = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
        if self.program != "docker" and ignore.is_file():
            words += ["--ignorefile", str(ignore)]
        arguments = options.arguments
        if options.cache_scope and self.program == "docker":
            arguments = (*arguments, f"BUILDKIT_CACHE_MOUNT_NS={options.cache_scope}")
        for flag, values in (
            ("--target", (options.target,)),
            ("--platform", (options.platform,)),
            ("--network", (options.network,)),
            ("--build-arg", arguments),
            ("--secret", options.secrets),
            ("--ssh", options.ssh),
        ):
            for value in values:
                words += [flag, value] if value else []
        return [*words, *(["--no-cache"] if no_cache else []), *options.extra]

    def inspect(self, image: str) -> dict[str, Any]:
        """What the engine knows of an image, as docker prints it. Raises EngineError."""
        if self.program == "buildah":
            from dockerfix.verify.buildah import inspect

            return inspect(image)
        found = json.loads(self.call("image", "inspect", image))
        return dict(found[0])

    @contextmanager
    def exported(self, image: str, name: str = "") -> Iterator[IO[bytes]]:
        """The files of an image as a tar stream, through a container of that name."""
        name = name or f"dockerfix-export-{os.getpid()}-{time.monotonic_ns()}"
        try:
            if self.program == "buildah":
                from dockerfix.verify.buildah import exporting

                words = exporting(image, name)
            else:
                # Never started: an entry that no image has does not matter.
                self.call("create", "--name", name, "--entrypoint", "/nothing", image, "x")
                words = [self.program, "export", name]
            with streaming(words) as stream:
                yield stream
        finally:
            self.remove_container(name)

    def call(self, *arguments: str, timeout: float = 300) -> str:
        """Run the engine; what it wrote. Raises EngineError."""
        return call([self.program, *arguments], timeout)

    def remove_container(self, name: str) -> None:
        """Take a container away, with its volumes; nothing is said when it is gone already."""
        extra = [] if self.program == "buildah" else ["--force", "--volumes"]
        self.remove("rm", *extra, name)

    def remove_image(self, name: str) -> None:
        """Take an image away; nothing is said when it is gone already."""
        if self.program == "buildah":
            self.remove("rmi", "--force", name)
        else:
            self.remove("image", "rm", "--force", name)

    def remove(self, *arguments: str) -> None:
        """Take something away; nothing is said when that is not possible."""
        try:
            try_call([self.program, *arguments], timeout=120)
        except EngineError:
            return


def find_engine(name: str | None = None) -> Engine:
    """The engine of that name, else the first that answers. Raises EngineError."""
    tried: list[str] = []
    for program in (name,) if name else ENGINES:
        if program not in ENGINES:
            raise EngineError(f"no engine is called {program}; there are {', '.join(ENGINES)}")
        try:
            return _ask(program)
        except EngineError as error:
            tried.append(str(error))
    wanted = ENGINES[name] if name else f"{ENGINES['docker']}, or {ENGINES['podman']}"
    raise EngineError(f"no engine to build with: {'; '.join(tried)}. Install {wanted}")


def _ask(program: str) -> Engine:
    """The version of an engine and what it can do. Raises EngineError when it does not answer."""
    if shutil.which(program) is None:
        raise EngineError(f"{program} is not installed")
    form = ["--format", "{{.Client.Version}}"] if program == "docker" else []
    told = try_call([program, "version", *form] if form else [program, "--version"], timeout=30)
    version = _VERSION.search(told.stdout)
    if told.returncode != 0 or version is None:
        raise EngineError(f"{program} does not answer: {told.stderr.strip()[:200]}")
    if program != "docker":
        info = try_call([program, "info"], timeout=60)
        if info.returncode != 0:
            raise EngineError(f"{program} does not answer: {info.stderr.strip()[:200]}")
        return Engine(program, version[0], _capabilities_of_buildah(program))
    return Engine(program, version[0], _capabilities_of_docker())


def _capabilities_of_docker() -> tuple[str, ...]:
    server = try_call(["docker", "version", "--format", "{{.Server.Version}}"], timeout=30)
    if server.returncode != 0:
        raise EngineError(f"docker does not answer: {server.stderr.strip()[:200]}")
    buildx = try_call(["docker", "buildx", "version"], timeout=30)
    found = _VERSION.search(buildx.stdout)
    if buildx.returncode != 0 or found is None:
        raise EngineError("docker has no buildx (install docker-buildx-plugin or docker-buildx)")
    can = ("builds with secrets, ssh, cache mounts and here-documents", "runs containers")
    return (f"engine {server.stdout.strip()}", f"buildx {found[0]}", *can)


def _capabilities_of_buildah(program: str) -> tuple[str, ...]:
    builds = "builds with secrets, ssh and cache mounts"
    return (builds, "runs containers" if program == "podman" else "runs no containers")
