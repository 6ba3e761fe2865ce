"""What commands and instructions read, write and are for."""

from __future__ import annotations

from pathlib import Path

import pytest

import dockerfix
from dockerfix.effects.instructions import Effects, effects_of
from dockerfix.effects.model import Call
from dockerfix.effects.reach import EVERYTHING, NOTHING, Reach
from dockerfix.transform import Workspace

APP = ("/app",)


def effects(line: str, head: str = "FROM debian:12\nWORKDIR /app\n") -> Effects:
    workspace = Workspace(dockerfix.parse(f"{head}{line}\n"))
    return effects_of(workspace.dockerfile.stages[0].instructions[-1], workspace)


def call(script: str) -> Call:
    step = effects(f"RUN {script}").step
    assert step is not None
    return step.calls[-1]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("apt-get install -y curl", "packages"),
        ("npm ci", "install"),
        ("pip install -r requirements.txt", "install"),
        ("mvn dependency:go-offline", "install"),
        ("mvn -B package", "build"),
        ("go build ./...", "build"),
        ("npm run build", "build"),
        ("pip install uwsgi", "tool"),
        ("npm install -g pm2", "tool"),
        ("curl -O https://example.com/x.tgz", "fetch"),
        ("useradd app", "user"),
        ("npm config set registry https://example.com", "configure"),
        ("mkdir -p logs", "set-up"),
        ("node --version", "set-up"),
        ("rm -rf /tmp/x", "clean"),
        ("npm cache clean --force", "clean"),
        ("./bin/setup", "unknown"),
        ("./bin/setup --version", "unknown"),
        ("sh -v", "unknown"),
    ],
)
def test_kind(script: str, kind: str) -> None:
    assert call(script).kind == kind


@pytest.mark.parametrize(
    ("script", "reads", "writes"),
    [
        ("echo hello", (), ()),
        ("echo hello > note", (), ("/app/note",)),
        ("cat /etc/issue >> /var/x 2>&1", ("/etc/issue",), ("/var/x",)),
        ("cp a /opt/b", ("/app/a", "/opt/b"), ("/opt/b",)),
        ("rm -rf /var/lib/apt/lists/*", (), ("/var/lib/apt/lists",)),
        ("rm -rf *", (), ("/app",)),
        ("chown -R node:node .", APP, APP),
        ("sed -i s/a/b/ conf", ("/app/conf",), ("/app/conf",)),
        ("sed -i -e s/a/b/ conf", ("/app/conf",), ("/app/conf",)),
        ("curl -fsSL https://example.com/x", (), ()),
        ("curl -fsSLo x.tgz https://example.com/x", (), ("/app/x.tgz",)),
        ("curl -sSLO https://example.com/x.tgz", (), ("/app/x.tgz",)),
        ("curl -d @body https://example.com", ("/app/body",), ()),
        ("wget https://example.com/x.tgz", (), ("/app/x.tgz",)),
        ("wget -qO /tmp/x https://example.com/x", (), ("/tmp/x",)),
        ("wget -P/tmp https://example.com/x", (), ("/tmp",)),
        ("tar -xzf /tmp/x.tgz -C /opt", ("/tmp/x.tgz",), ("/tmp/x.tgz", "/opt")),
        ("cd /srv && touch x", (), ("/srv/x",)),
        ("cd $HOME && true", (), ()),
    ],
)
def test_paths(script: str, reads: tuple[str, ...], writes: tuple[str, ...]) -> None:
    found = call(script)
    assert set(found.reads.paths) == set(reads)
    assert set(found.writes.paths) == set(writes)
    assert not found.reads.everything
    assert not found.writes.everything


@pytest.mark.parametrize(
    "script",
    [
        "make",
        "node",
        "mvn",
        "cargo build",
        "npm run build",
        "./configure",
        "cd $HOME && touch x",
        "(cd sub) && touch x",
        "cp $SOURCE /opt",
        "corepack prepare --activate",
        "pip install .",
        "npm install ./local",
        "dpkg -i $PACKAGE",
        "apt-get install -y ./local.deb",
        "apt-get build-dep -y .",
        "dnf builddep -y tool.spec",
        "echo 'cp /app/x /y' | sh",
        "curl https://example.com/x | sh -c 'cat /app/x'",
        "sh setup.sh",
    ],
)
def test_wall(script: str) -> None:
    assert effects(f"RUN {script}").is_wall


def test_script_from_an_address_knows_nothing_of_the_project() -> None:
    found = effects("RUN curl -fsSL https://deb.example.com/setup_20.x | bash -")
    assert not found.is_wall
    assert not found.reads.holds("/app")


def test_makes_is_no_write() -> None:
    found = call("mkdir -p logs /data")
    assert found.makes == ("/app/logs", "/data")
    assert found.writes == NOTHING


def test_instructions() -> None:
    copy = effects("COPY src lib/ ./")
    assert copy.context == Reach(("src", "lib"))
    assert copy.writes == Reach(APP)
    assert effects("COPY --from=build /x /y").takes_from == ("build",)
    assert effects("COPY $X /y").context == EVERYTHING
    assert effects("WORKDIR sub").after.workdir == "/app/sub"
    assert effects("ENV A=1 B=$C").sets == {"A", "B"}
    assert effects("ENV A=1 B=$C").uses == {"C"}
    assert effects("RUN --mount=type=bind,target=/x make").context == Reach((".",))
    assert effects("RUN --mount=type=cache,target=/x make").context == NOTHING
    assert effects("ONBUILD COPY . .").is_wall


def test_install_reads_what_was_copied(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package.json").write_text('{"dependencies": {"express": "4"}}')
    (tmp_path / "web" / ".npmrc").write_text("")
    from dockerfix.context.build_context import BuildContext

    text = "FROM node:20\nCOPY web /srv/web\nRUN cd /srv/web && npm install\n"
    workspace = Workspace(dockerfix.parse(text), BuildContext(tmp_path))
    found = effects_of(workspace.dockerfile.stages[0].instructions[-1], workspace)
    assert set(found.reads.paths) == {
        *("/srv/web/package.json", "/srv/web/package-lock.json", "/srv/web/.npmrc"),
    }
    assert found.writes.holds("/srv/web/node_modules")
    assert not found.writes.holds("/srv/web/index.js")
