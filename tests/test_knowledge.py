"""The files of facts hold what their schema says, each fact with its source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import dockerfix.knowledge
from dockerfix.knowledge.data import table
from dockerfix.knowledge.java_images import java_runtime
from dockerfix.knowledge.runtime_images import slim_sibling
from dockerfix.knowledge.system_packages import runtime_packages

FOLDER = Path(dockerfix.knowledge.__file__).parent
#: Made by scripts from an index; a form of their own, named by the module that reads them.
GENERATED = ("recommends", "libraries")
FILES = sorted(
    path
    for path in FOLDER.rglob("*.json")
    if path.name != "schema.json" and path.parent.name not in GENERATED
)


def _schema(definition: str = "") -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text("utf-8"))
    return {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]} if definition else schema


def _name(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def _reject_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key stands twice: {keys}"
    return dict(pairs)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_file_holds_what_the_schema_says(path: Path) -> None:
    content = json.loads(path.read_text("utf-8"), object_pairs_hook=_reject_twins)
    jsonschema.validate(content, _schema())


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_names_are_sorted(path: Path) -> None:
    for name, entry in json.loads(path.read_text("utf-8")).items():
        if isinstance(entry["values"], list):
            assert entry["values"] == sorted(entry["values"]), name


def test_every_image_family_has_known_fields() -> None:
    for name, family in table("images/official", "families").items():
        jsonschema.validate(family, _schema("family"))
        assert family, name


@pytest.mark.parametrize(
    "manager", json.loads((FOLDER / "package_managers.json").read_text("utf-8"))
)
def test_every_package_manager_has_known_fields(manager: str) -> None:
    jsonschema.validate(table("package_managers", manager), _schema("manager"))


def test_every_rule_for_commands_has_known_fields() -> None:
    for name, rule in table("command_effects", "rules").items():
        jsonschema.validate(rule, _schema("command_rule"))
        assert rule, name


@pytest.mark.parametrize(
    ("name", "image", "packages"),
    [
        ("gcc", "python:3.12-slim-bookworm", ()),
        ("gcc", "python:3.12-alpine", ("libgcc",)),
        ("build-base", "ruby:3.3-alpine", ("libstdc++",)),
        ("build-base", "node:20-alpine", ()),
        ("libpq-dev", "python:3.12-slim", ("libpq5",)),
        ("libssl-dev", "python:3.12-slim", ()),
        ("libssl-dev", "debian:bookworm-slim", ("libssl3",)),
        ("libffi-dev", "debian:trixie-slim", ("libffi8",)),
        ("libmagic-dev", "python:3.12-slim", ("libmagic-dev",)),
        ("libmagic-dev", "python:3.12-slim-bookworm", ("libmagic1",)),
        ("default-libmysqlclient-dev", "python:3.11-slim-bookworm", ("libmariadb3",)),
        ("default-libmysqlclient-dev", "ubuntu:22.04", ("libmysqlclient21",)),
        ("libunknown-dev", "debian:12", ("libunknown-dev",)),
        ("libpq-dev", "registry.example/base:1", ("libpq-dev",)),
        ("postgresql-dev", "python:3.12-alpine", ("libpq",)),
    ],
)
def test_what_a_package_becomes_where_the_program_runs(
    name: str, image: str, packages: tuple[str, ...]
) -> None:
    assert runtime_packages(name, image) == packages


def test_missing_data_is_an_error_not_an_empty_table() -> None:
    with pytest.raises(OSError, match="no-such-file"):
        table("no-such-file", "any")
    with pytest.raises(KeyError):
        table("commands", "no-such-table")


@pytest.mark.parametrize(
    ("image", "slim"),
    [
        ("python", "python:slim"),
        ("python:3.12", "python:3.12-slim"),
        ("python:3.12-bookworm", "python:3.12-slim-bookworm"),
        ("python:bookworm", "python:slim-bookworm"),
        ("ruby:3.3-bookworm", "ruby:3.3-slim-bookworm"),
        ("node:20-bookworm", "node:20-bookworm-slim"),
        ("python:3.12-alpine", "python:3.12-alpine"),
        ("golang:1.24", None),
    ],
)
def test_the_slim_image_of_a_release(image: str, slim: str | None) -> None:
    assert slim_sibling(image) == slim


@pytest.mark.parametrize(
    ("image", "runtime"),
    [
        ("eclipse-temurin:17-jdk-jammy", "eclipse-temurin:17-jre-jammy"),
        ("eclipse-temurin:21", "eclipse-temurin:21-jre"),
        ("eclipse-temurin:17.0.9_9-jdk", "eclipse-temurin:17.0.9_9-jre"),
        ("maven:3.9-eclipse-temurin-21-alpine", "eclipse-temurin:21-jre-alpine"),
        ("maven:3.6.3-jdk-11-slim", "openjdk:11-jre-slim"),
        ("maven:3.8.5-openjdk-17", "openjdk:17"),
        ("maven:3.9-amazoncorretto-17", "amazoncorretto:17"),
        ("openjdk:8-jdk-alpine", "openjdk:8-jre-alpine"),
        ("openjdk:17-slim", "openjdk:17-slim"),
        ("gradle:8.10-jdk21-alpine", "eclipse-temurin:21-jre-alpine"),
        ("gradle:4.10-jdk8", None),
        ("amazoncorretto:17-alpine", "amazoncorretto:17-alpine"),
        ("bellsoft/liberica-openjdk-alpine:17", "bellsoft/liberica-openjre-alpine:17"),
        ("azul/zulu-openjdk:17", "azul/zulu-openjdk:17-jre"),
        ("maven:3.9", None),
    ],
)
def test_where_a_java_program_runs(image: str, runtime: str | None) -> None:
    assert java_runtime(image) == runtime
