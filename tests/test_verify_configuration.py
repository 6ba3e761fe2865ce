"""The configuration of two images: each difference has a change that explains it, or has none."""

from __future__ import annotations

from typing import Any

import dockerfix
from dockerfix.syntax.edits import Edit
from dockerfix.transform import Change, Level
from dockerfix.verify.configuration import Difference, compare_configurations
from dockerfix.verify.explain import Explainer

BEFORE = """FROM node:20
WORKDIR /app
ENV HOME_DIR=/opt/app
COPY . .
CMD node server.js
"""
BASE = {"Env": ["PATH=/usr/local/bin:/usr/bin", "NODE_VERSION=20.1"]}


def compare(
    before: dict[str, Any], after: dict[str, Any], *select: str, code: str = BEFORE
) -> list[Difference]:
    result = dockerfix.refactor(code, select=select or ("modernise",))
    explainer = Explainer(result.before, result.code, result.changes)
    return compare_configurations(before, after, explainer)


def explained(found: list[Difference]) -> dict[str, tuple[str, ...]]:
    return {entry.field: entry.explained_by for entry in found}


def with_base(image: str, before: str = BEFORE) -> Explainer:
    """As a pass would that gives the image another base and says nothing else."""
    edit = Edit(0, 0, f"FROM {image} AS runtime\n")
    change = Change("", "", (edit,), 1, Level.REVIEW, pass_name="split-stages")
    return Explainer(before, f"FROM {image}\n", (change,))


def test_nothing_differs() -> None:
    assert (
        compare({"User": "0", "WorkingDir": "/app/"}, {"User": "root", "WorkingDir": "/app"}) == []
    )


def test_a_maintainer_that_became_a_label() -> None:
    code = "FROM node:20\nMAINTAINER me\n"
    after = {"Labels": {"org.opencontainers.image.authors": "me"}}
    found = explained(compare({"Author": "me"}, after, "modernise", code=code))
    assert found == {
        "Labels org.opencontainers.image.authors": ("modernise",),
        "Author": ("modernise",),
    }


def test_the_same_command_without_a_shell() -> None:
    before = {"Cmd": ["/bin/sh", "-c", "node server.js"]}
    found = compare(before, {"Cmd": ["node", "server.js"]}, "exec-form")
    assert explained(found) == {"Cmd": ("exec-form",)}
    assert found[0].why == "the same command in another form"


def test_another_command_is_not_explained_by_exec_form() -> None:
    before = {"Cmd": ["/bin/sh", "-c", "node server.js"]}
    found = compare(before, {"Cmd": ["node", "other.js"]}, "exec-form")
    assert explained(found) == {"Cmd": ()}


def test_a_lost_variable_is_not_explained() -> None:
    found = compare_configurations(
        {"Env": [*BASE["Env"], "HOME_DIR=/opt/app"]}, BASE, with_base("node:20-slim")
    )
    assert explained(found) == {"Env HOME_DIR": ()}


def test_a_change_that_writes_a_variable_does_not_explain_its_loss() -> None:
    code = "FROM node:20\nENV HOME_DIR /opt/app\n"
    found = compare({"Env": ["HOME_DIR=/opt/app"]}, {}, "modernise", code=code)
    assert explained(found) == {"Env HOME_DIR": ()}


def test_a_change_that_takes_a_variable_away_explains_it() -> None:
    change = Change("`NPM_TOKEN` is a secret", "Mount it", (Edit(0, 9, ""),), 1, Level.REVIEW)
    explainer = Explainer(
        "FROM a\nENV NPM_TOKEN=1\n", "FROM a\n", (change._replace(pass_name="s"),)
    )
    found = compare_configurations({"Env": ["NPM_TOKEN=1"]}, {}, explainer)
    assert explained(found) == {"Env NPM_TOKEN": ("s",)}


def test_a_variable_of_the_base_is_explained_by_another_base() -> None:
    found = compare_configurations(BASE, {"Env": BASE["Env"][:1]}, with_base("node:20-slim"))
    assert explained(found) == {"Env NODE_VERSION": ("split-stages",)}
    assert "node:20 -> node:20-slim" in found[0].why


def test_a_variable_of_the_same_base_is_not() -> None:
    found = compare_configurations(BASE, {"Env": BASE["Env"][:1]}, with_base("node:20"))
    assert explained(found) == {"Env NODE_VERSION": ()}


def test_a_user_is_explained_by_what_writes_it() -> None:
    result = dockerfix.refactor(BEFORE, select=("add-user",))
    user = result.code.partition("\nUSER ")[2].split()[0]
    explainer = Explainer(result.before, result.code, result.changes)
    right = compare_configurations({"User": ""}, {"User": user}, explainer)
    assert explained(right) == {"User": ("add-user",)}
    wrong = compare_configurations({"User": ""}, {"User": "www"}, explainer)
    assert explained(wrong) == {"User": ()}


def test_all_fields_are_compared() -> None:
    before: dict[str, Any] = {
        "StopSignal": "SIGQUIT",
        "Shell": ["/bin/bash", "-c"],
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Labels": {"a": "1"},
        "Volumes": {"/data": {}},
        "ExposedPorts": {"80/tcp": {}},
        "OnBuild": ["RUN x"],
        "Entrypoint": ["/run"],
        "Architecture": "amd64",
        "SomethingNew": 1,
        "Hostname": "differs each time",
    }
    fields = [entry.field for entry in compare(before, {})]
    assert fields == [
        *("Entrypoint", "ExposedPorts 80/tcp", "Volumes /data", "Labels a", "Healthcheck"),
        *("StopSignal", "Shell", "OnBuild", "Architecture", "SomethingNew"),
    ]
    assert not any(entry.explained_by for entry in compare(before, {}))


def test_a_lost_port_is_never_the_base() -> None:
    explainer = with_base("nginx", f"{BEFORE}EXPOSE 80\n")
    found = compare_configurations({"ExposedPorts": {"80/tcp": {}}}, {}, explainer)
    assert explained(found) == {"ExposedPorts 80/tcp": ()}


def test_the_search_path() -> None:
    before = {"Env": ["PATH=/usr/local/go/bin:/usr/bin"]}
    after = {"Env": ["PATH=/usr/bin"]}
    assert explained(compare_configurations(before, after, with_base("debian"))) == {
        "Env PATH": ("split-stages",)
    }
    mine = {"Env": ["PATH=/opt/app/bin:/usr/bin"]}
    explainer = with_base("debian", "FROM golang\nENV PATH=/opt/app/bin:$PATH\n")
    assert explained(compare_configurations(mine, after, explainer)) == {"Env PATH": ()}


def test_a_program_that_another_base_brings_itself() -> None:
    """`serve` gives way to nginx: its folder and variables go, and nothing else."""
    before = {"Cmd": ["serve"], "WorkingDir": "/app", "Env": ["A=1"], "StopSignal": "SIGINT"}
    after = {"Cmd": ["nginx"]}
    code = 'FROM node:20\nWORKDIR /app\nENV A=1\nSTOPSIGNAL SIGINT\nCMD ["serve"]\n'
    edit = Edit(0, 0, "FROM nginx AS runtime\n")
    gives_up = Change("", "", (edit,), 1, Level.RISKY, removed=("CMD",), pass_name="split-stages")
    taken = Explainer(code, "FROM nginx\n", (gives_up,))
    assert explained(compare_configurations(before, after, taken)) == {
        "Cmd": ("split-stages",),
        "WorkingDir": ("split-stages",),
        "Env A": ("split-stages",),
        "StopSignal": (),
    }
    lost = Explainer(code, "FROM nginx\n", (gives_up._replace(removed=()),))
    assert not any(explained(compare_configurations(before, after, lost)).values())
