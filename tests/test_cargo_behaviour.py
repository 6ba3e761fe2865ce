"""What order-copies makes of builds by cargo, carried out by a real cargo without an engine.

COPY instructions copy with the times of the context, RUNs are run in a folder, and what the layers
up to the COPY of the sources left is kept for the next build, as an engine would keep it. The
sources are much older than what was compiled for their stand-ins: by their times, cargo would take
that for up to date.

Nothing is downloaded: the one dependency is a vendored one. Needs cargo, and fails without.
"""

from __future__ import annotations

import json
import os
import posixpath
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import dockerfix
from dockerfix.context.build_context import BuildContext
from dockerfix.image.copies import read_copy
from dockerfix.transform import Workspace

OLD, OLDER = 1_000_000_000, 980_000_000
PACKAGE = '[package]\nname = "{}"\nversion = "1.0.0"\nedition = "2021"\n'
NEEDS = '[dependencies]\nbricks = "1"\n'
#: Says `one`, by way of the dependency.
SAYS = 'pub fn says() -> String { bricks::wall("one") }\n'
VENDORED = {
    ".cargo/config.toml": '[source.crates-io]\nreplace-with = "here"\n\n'
    '[source.here]\ndirectory = "vendor"\n',
    "vendor/bricks/Cargo.toml": PACKAGE.format("bricks"),
    "vendor/bricks/src/lib.rs": 'pub fn wall(of: &str) -> String { format!("bricks, {of}") }\n',
    "vendor/bricks/.cargo-checksum.json": json.dumps({"files": {}, "package": "0" * 64}),
    ".dockerignore": "target\n",
}


@dataclass(frozen=True)
class Project:
    """Files, the RUN that builds them, and the program that the RUN makes; HOST is this machine."""

    files: dict[str, str]
    #: Packages of the project.
    packages: tuple[str, ...] = ("shop",)
    build: str = "cargo build --release --locked"
    program: str = "target/release/shop"
    #: In front of the sources.
    copies: str = "COPY . ."
    #: What must be compiled when the sources are edited.
    compiled: frozenset[str] = field(default_factory=lambda: frozenset(("shop",)))


PROJECTS = {
    "program": Project(
        {
            "Cargo.toml": PACKAGE.format("shop") + NEEDS,
            "src/main.rs": SAYS + 'fn main() { print!("{}", says()) }\n',
        }
    ),
    "unoptimised": Project(
        {
            "Cargo.toml": PACKAGE.format("shop") + NEEDS,
            "src/main.rs": SAYS + 'fn main() { print!("{}", says()) }\n',
        },
        build="cargo build",
        program="target/debug/shop",
    ),
    "library-and-listed-targets": Project(
        {
            "Cargo.toml": PACKAGE.format("shop")
            + NEEDS
            + '[lib]\npath = "src/shop.rs"\n[[bin]]\nname = "open"\npath = "src/open.rs"\n'
            + '[[bench]]\nname = "speed"\nharness = false\n[profile.release]\nlto = true\n',
            "src/shop.rs": SAYS,
            "src/open.rs": 'fn main() { print!("{}", shop::says()) }\n',
            "benches/speed.rs": "fn main() {}\n",
        },
        program="target/release/open",
    ),
    "build-script": Project(
        {
            "Cargo.toml": PACKAGE.format("shop")
            + NEEDS
            + '[build-dependencies]\nbricks = "1"\n'
            + "[features]\nloud = []\n",
            "build.rs": SAYS + 'fn main() { println!("cargo:rustc-env=SAYS={}", says()) }\n',
            "src/main.rs": 'fn main() { print!("{}", env!("SAYS")) }\n',
        },
        build="cargo build --release --features loud --bin shop",
    ),
    "workspace": Project(
        {
            "Cargo.toml": '[workspace]\nmembers = ["shop", "crates/*"]\nresolver = "2"\n',
            "shop/Cargo.toml": PACKAGE.format("shop")
            + '[dependencies]\nstock = { path = "../crates/stock" }\n',
            "shop/src/main.rs": 'fn main() { print!("{}", stock::stocked()) }\n',
            "crates/stock/Cargo.toml": PACKAGE.format("stock")
            + NEEDS
            + 'signs = { path = "../signs" }\n',
            "crates/stock/src/lib.rs": SAYS
            + 'pub fn stocked() -> String { format!("{} {}", says(), signs::sign!()) }\n',
            "crates/signs/Cargo.toml": PACKAGE.format("signs") + "[lib]\nproc-macro = true\n",
            "crates/signs/src/lib.rs": "#[proc_macro]\npub fn sign("
            "_: proc_macro::TokenStream) -> proc_macro::TokenStream "
            '{ "\\"one\\"".parse().unwrap() }\n',
        },
        packages=("shop", "signs", "stock"),
        build="cargo build --release --target HOST",
        program="target/HOST/release/shop",
        compiled=frozenset(("shop", "signs", "stock")),
    ),
    "install": Project(
        {
            "Cargo.toml": PACKAGE.format("shop") + NEEDS,
            "src/main.rs": SAYS + 'fn main() { print!("{}", says()) }\n',
        },
        build="cargo install --locked --path . --root out",
        program="out/bin/shop",
        copies="COPY .cargo .cargo\nCOPY vendor vendor\nCOPY Cargo.toml Cargo.lock ./\n"
        "COPY src src",
    ),
}

PROJECTS["install-of-a-member"] = replace(
    PROJECTS["workspace"],
    build="cargo install --locked --path shop --root out",
    program="out/bin/shop",
)


def cargo() -> str:
    found = shutil.which("cargo")
    assert found, "cargo is missing: apt-get install cargo"
    return found


def host() -> str:
    text = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return next(line for line in text.splitlines() if line.startswith("host: "))[6:]


def lock(packages: tuple[str, ...]) -> str:
    """The least that a lock may say; cargo adds the rest, unless it is told not to."""
    source = 'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
    entries = [f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n' for name in packages]
    entries.append(f'[[package]]\nname = "bricks"\nversion = "1.0.0"\n{source}')
    return "version = 3\n\n" + "\n".join(sorted(entries))


def lay(project: Project, context: Path) -> Path:
    """Write a project, all of its files old; the path of its Dockerfile."""
    files = {**VENDORED, **project.files, "Cargo.lock": lock(project.packages)}
    files["Dockerfile"] = f"FROM rust:1\nWORKDIR /app\n{project.copies}\nRUN {project.build}\n"
    for name, text in files.items():
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("HOST", host()))
    # The lock in full, as whoever commits it has it.
    subprocess.run(
        [cargo(), "metadata", "--offline", "-q"], cwd=context, check=True, stdout=subprocess.DEVNULL
    )
    age(context, OLD)
    return context / "Dockerfile"


def age(folder: Path, time: int) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (time, time))


class Image:
    """A folder that stands in for `/app`, filled instruction by instruction."""

    def __init__(self, code: str, context: Path, folder: Path) -> None:
        self.workspace = Workspace(dockerfix.parse(code), BuildContext(context, "Dockerfile"))
        self.app = folder / "app"
        self.kept = folder / "kept"
        self.app.mkdir()
        self.instructions = self.workspace.dockerfile.stages[0].instructions[2:]

    def build(self, first: int, last: int | None = None) -> frozenset[str]:
        """Carry out instructions; the packages that the last of them compiled."""
        compiled: frozenset[str] = frozenset()
        for instruction in self.instructions[first:last]:
            if instruction.keyword == "COPY":
                self._copy(instruction)
            else:
                compiled = self._run(instruction.argument_text.replace("\\\n", ""))
        return compiled

    def keep(self) -> None:
        shutil.copytree(self.app, self.kept, symlinks=True)

    def restore(self) -> None:
        shutil.rmtree(self.app)
        shutil.copytree(self.kept, self.app, symlinks=True)

    def _copy(self, instruction: dockerfix.Instruction) -> None:
        context = self.workspace.context
        assert context is not None
        for entry in read_copy(instruction, self.workspace) or ():
            source = Path(context.root) / entry.source
            target = self.app / posixpath.relpath(entry.destination, "/app")
            if source.is_dir():
                ignored = shutil.ignore_patterns("target", "Dockerfile")
                shutil.copytree(source, target, dirs_exist_ok=True, ignore=ignored)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def _run(self, script: str) -> frozenset[str]:
        home = self.app.parent / "home"
        environment = {**os.environ, "CARGO_HOME": str(home), "CARGO_NET_OFFLINE": "true"}
        environment.pop("CARGO_TARGET_DIR", None)
        done = subprocess.run(
            ["sh", "-c", script], cwd=self.app, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        lines = [line.split() for line in done.stderr.splitlines()]
        return frozenset(words[1] for words in lines if words[:1] == ["Compiling"])


def says(project: Project, image: Image) -> str:
    program = image.app / project.program.replace("HOST", host())
    return subprocess.run([program], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", PROJECTS)
def test_edit_reaches_the_program(name: str, tmp_path: Path) -> None:
    project, context = PROJECTS[name], tmp_path / "context"
    file = lay(project, context)
    result = dockerfix.refactor(
        file.read_text(), context=context, select=("order-copies",), repository=context
    )
    assert result.changed, [str(entry) for entry in result.declined]
    image = Image(result.code, context, tmp_path)
    first = next(i for i, entry in enumerate(image.instructions) if entry.keyword == "RUN")
    assert image.build(0, first + 1) == {"bricks", *project.packages}
    assert all("vendor" in path.parts for path in image.app.rglob("*.rs")), "a stand-in is left"
    image.keep()

    assert image.build(first + 1) == project.compiled
    assert "one" in says(project, image)

    for path in context.rglob("*.rs"):
        path.write_text(path.read_text().replace("one", "two"))
    age(context, OLDER)
    image.restore()
    assert image.build(first + 1) == project.compiled
    assert "two" in says(project, image)
    assert "one" not in says(project, image)


def test_without_the_clean_the_program_would_be_stale(tmp_path: Path) -> None:
    """The mistake that these tests look for is one that they can see."""
    project, context = PROJECTS["program"], tmp_path / "context"
    file = lay(project, context)
    result = dockerfix.refactor(
        file.read_text(), context=context, select=("order-copies",), repository=context
    )
    lines = [line for line in result.code.splitlines(keepends=True) if "cargo clean" not in line]
    image = Image("".join(lines), context, tmp_path)
    image.build(0)
    assert says(project, image) == ""
