"""What a build of Node.js is known to make, without running it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockerfix.context.build_context import BuildContext
from dockerfix.context.json_files import load_commented_object
from dockerfix.context.node_outputs import script_outputs
from dockerfix.context.tsconfig import compiled_files, read_compiler


def context(folder: Path, files: dict[str, str]) -> BuildContext:
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return BuildContext(folder)


def compiled(folder: Path, files: dict[str, str], name: str = "tsconfig.json") -> set[str] | None:
    found = context(folder, files)
    compiler = read_compiler(found, name)
    made = compiled_files(found, compiler) if compiler is not None else None
    return set(made) if made is not None else None


SETTINGS = '{"compilerOptions": {"outDir": "dist"}, "include": ["src"]}'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # The root is the common folder of all sources ...
        (
            {"tsconfig.json": SETTINGS, "src/a.ts": "", "src/x/b.ts": ""},
            {"dist/a.js", "dist/x/b.js"},
        ),
        # ... declarations left out ...
        (
            {"tsconfig.json": '{"compilerOptions": {"outDir": "o"}}', "src/a.ts": "", "t.d.ts": ""},
            {"o/a.js"},
        ),
        # ... and what they import from elsewhere among them.
        (
            {"tsconfig.json": SETTINGS, "src/a.ts": 'import "../lib/b";', "lib/b.ts": ""},
            {"dist/src/a.js", "dist/lib/b.js"},
        ),
        (
            {
                "tsconfig.json": '{"compilerOptions": {"outDir": "dist",'
                ' "resolveJsonModule": true}, "include": ["src"]}',
                "src/a.ts": 'import { version } from "../package.json";',
                "package.json": "{}",
            },
            {"dist/src/a.js", "dist/package.json"},
        ),
        (
            {
                "tsconfig.json": '{"compilerOptions": {"rootDir": ".", "outDir": "dist"}}',
                "src/a.mts": "",
            },
            {"dist/src/a.mjs"},
        ),
        # Without a folder for it the output lies beside the source.
        ({"tsconfig.json": "{}", "a.ts": "", "b.tsx": ""}, {"a.js", "b.js"}),
        ({"tsconfig.json": '{"compilerOptions": {"noEmit": true}}', "a.ts": ""}, None),
        ({"tsconfig.json": '{"references": [{"path": "a"}]}', "a.ts": ""}, None),
        ({"tsconfig.json": '{"extends": "some-package/tsconfig.json"}', "a.ts": ""}, None),
        (
            {
                "tsconfig.json": '{"extends": "./base", "exclude": ["**/*.spec.ts"]}',
                "base.json": '{"compilerOptions": {"outDir": "out"}}',
                "a.ts": "",
                "a.spec.ts": "",
            },
            {"out/a.js"},
        ),
    ],
)
def test_compiled_files(tmp_path: Path, files: dict[str, str], expected: set[str] | None) -> None:
    assert compiled(tmp_path, files) == expected


def outputs(folder: Path, build: str, files: dict[str, str], **extra: object) -> set[str]:
    manifest = {"scripts": {"build": build}, **extra}
    found = context(folder, {**files, "package.json": json.dumps(manifest)})
    return set(script_outputs(found, "", manifest, "build").files)


TYPESCRIPT = {"typescript": "^5.4.0"}


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("tsc", {"dist/a.js"}),
        ("rimraf dist && tsc -p tsconfig.json", {"dist/a.js"}),
        ("tsc --outDir lib", {"lib/a.js"}),
        ("tsc && rm -rf dist", set()),
        ("tsc && mv dist out", set()),
        ("tsc --noEmit", set()),
        ("tsup src/a.ts --format cjs,esm", {"dist/a.js", "dist/a.mjs"}),
        ("esbuild src/a.ts --bundle --outfile=out/main.js", {"out/main.js"}),
        ("babel src -d lib -x .ts", {"lib/a.js"}),
        ("webpack", set()),
        ("if true; then tsc; fi", set()),
    ],
)
def test_script_outputs(tmp_path: Path, build: str, expected: set[str]) -> None:
    files = {"tsconfig.json": SETTINGS, "src/a.ts": ""}
    assert outputs(tmp_path, build, files, devDependencies=TYPESCRIPT) == expected


@pytest.mark.parametrize("version", ["^6.0.0", "latest", "*", ">=5", "next"])
def test_root_of_a_later_typescript_is_not_guessed(tmp_path: Path, version: str) -> None:
    files = {"tsconfig.json": SETTINGS, "src/a.ts": ""}
    assert outputs(tmp_path, "tsc", files, devDependencies={"typescript": version}) == set()


def test_nest_takes_the_settings_of_the_build(tmp_path: Path) -> None:
    files = {
        "nest-cli.json": '{"sourceRoot": "src"}',
        "tsconfig.json": '{"compilerOptions": {"outDir": "./dist"}}',
        "tsconfig.build.json": '{"extends": "./tsconfig.json", "exclude": ["test"]}',
        "src/main.ts": "",
        "test/main.e2e-spec.ts": "",
    }
    assert outputs(tmp_path, "nest build", files, devDependencies=TYPESCRIPT) == {"dist/main.js"}


def test_comments_and_last_commas() -> None:
    text = '{\n // one\n "a": "x // y", /* two */ "b": [1, 2,],\n}'
    assert load_commented_object(text) == {"a": "x // y", "b": [1, 2]}
    assert load_commented_object("{") is None
