"""Whatever stands in the files of a build context: passes decline, and never crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dockerfix

DOCKERFILES = {
    "node": (
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm install\nRUN npm run build\n"
        'EXPOSE 3000\nCMD ["npm", "start"]\n'
    ),
    "yarn": 'FROM node:20\nWORKDIR /app\nCOPY . .\nRUN yarn install\nCMD ["node", "index.js"]\n',
    "pnpm": "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN pnpm install\nCMD pnpm start\n",
    "composer": "FROM composer:2\nWORKDIR /app\nCOPY . .\nRUN composer install\nCMD php a.php\n",
}


def python(step: str) -> str:
    return f"FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN {step}\nCMD python a.py\n"


def built(base: str, step: str, *entry: str) -> str:
    return f"FROM {base}\nWORKDIR /app\nCOPY . .\nRUN {step}\nCMD {json.dumps(entry)}\n"


NODE = built("node:20", "npm ci", "node", "a.js")
TEXTS = {
    "requirements.txt": python("pip install -r requirements.txt"),
    "pyproject.toml": python("poetry install --no-root"),
    "go.mod": built("golang:1.24", "go build -o /app/a .", "./a"),
    "pom.xml": built("maven:3.9-eclipse-temurin-17", "mvn package", "java", "-jar", "target/a.jar"),
    "Cargo.toml": built("rust:1.80", "cargo build --release", "./target/release/a"),
    "Cargo.lock": built("rust:1.80", "cargo build --release", "./target/release/a"),
    "Gemfile": built("ruby:3.3", "bundle install", "ruby", "a.rb"),
    "App.csproj": built("mcr.microsoft.com/dotnet/sdk:8.0", "dotnet restore", "dotnet", "a.dll"),
    "docker-compose.yml": NODE,
    ".dockerignore": NODE,
    ".gitignore": NODE,
    "start.sh": NODE.replace('["node", "a.js"]', '["./start.sh"]'),
}
KEYS = (
    *("scripts", "dependencies", "devDependencies", "optionalDependencies", "workspaces"),
    *("packages", "lockfileVersion", "pnpm", "patchedDependencies", "prisma", "proxy", "autoload"),
    *("config", "repositories", "packageManager", "start", "build", "postinstall", "classmap"),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(KEYS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("kind", DOCKERFILES)
@given(manifest=values, lock=values)
@QUICK
def test_json(kind: str, tmp_path: Path, manifest: object, lock: object) -> None:
    for name in ("package.json", "composer.json"):
        (tmp_path / name).write_text(json.dumps(manifest))
    for name in ("package-lock.json", "composer.lock"):
        (tmp_path / name).write_text(json.dumps(lock))
    dockerfix.refactor(DOCKERFILES[kind], context=tmp_path, level="risky")


@pytest.mark.parametrize("name", TEXTS)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
@QUICK
def test_bytes(name: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "package.json").write_text('{"dependencies": {"a": "1"}}')
    dockerfix.refactor(TEXTS[name], context=tmp_path, level="risky")


def test_deeply_nested(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("[" * 100_000)
    for code in DOCKERFILES.values():
        dockerfix.refactor(code, context=tmp_path, level="risky")


def test_folders_in_place_of_files_and_links_in_a_circle(tmp_path: Path) -> None:
    for name in ("package.json", "requirements.txt", "go.mod", ".dockerignore", "compose.yaml"):
        (tmp_path / name).mkdir()
    (tmp_path / "circle").symlink_to(tmp_path)
    for code in (*DOCKERFILES.values(), *TEXTS.values()):
        dockerfix.refactor(code, context=tmp_path, level="risky")
