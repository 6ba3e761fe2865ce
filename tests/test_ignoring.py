"""What the index of git holds stays in the context; what leaves it is counted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dockerfix
from dockerfix.context.build_context import BuildContext
from dockerfix.context.git import is_kept_out_of_git, is_tracked
from dockerfix.ignoring.size import Size, size_of

TEXT = "FROM node:22\nWORKDIR /app\nCOPY package.json .\nRUN npm install\nCOPY . .\nCMD node a.js\n"


def lay_out(root: Path, files: dict[str, str]) -> BuildContext:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return BuildContext(root)


def test_what_git_holds_in_spite_of_its_patterns(tmp_path: Path) -> None:
    files = {".gitignore": "dist\nnode_modules\n", "dist/a.js": "", "node_modules/b.js": ""}
    context = lay_out(tmp_path, files)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "-f", "dist", ".gitignore"], check=True)
    assert is_tracked("dist", context)
    assert not is_kept_out_of_git("dist", context)
    assert not is_tracked("node_modules", context)
    assert is_kept_out_of_git("node_modules", context)


def test_git_holds_a_longer_name_that_ends_alike(tmp_path: Path) -> None:
    files = {".gitignore": "conf.json\nb\n", "example_conf.json": "", "a/b/c": "", "xb/c": ""}
    context = lay_out(tmp_path, files)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    names = (".gitignore", "example_conf.json", "xb")
    subprocess.run(["git", "-C", str(tmp_path), "add", "-f", *names], check=True)
    assert is_tracked("example_conf.json", context)
    assert is_kept_out_of_git("conf.json", context)
    assert is_tracked("xb", context)
    assert is_kept_out_of_git("b", context)


def test_the_change_says_what_the_context_loses(tmp_path: Path) -> None:
    files = {
        ".gitignore": "node_modules\n",
        "package.json": "{}",
        "node_modules/a/index.js": "x" * 1500,
        "node_modules/b.js": "x" * 500,
    }
    lay_out(tmp_path, files)
    result = dockerfix.refactor(TEXT, context=tmp_path, select=("dockerignore",))
    (change,) = result.changes
    assert [str(entry) for entry in change.evidence][-1] == "the context: loses 2 files, 2.0 kB"


def test_sizes_are_counted_without_following_links(tmp_path: Path) -> None:
    context = lay_out(tmp_path, {"a/b": "12345", "a/c": "1"})
    (tmp_path / "a" / "up").symlink_to("..")
    assert size_of("missing", context) == Size()
    found = size_of("a", context)
    assert (found.files, found.more) == (3, False)
    assert str(Size(1, 999)) == "1 file, 999 bytes"
    assert str(Size(2, 35_200_000, True)) == "more than 2 files, 35.2 MB"


SOLUTION = "FROM mcr.microsoft.com/dotnet/sdk:8.0\nWORKDIR /src\nCOPY . .\nRUN dotnet restore\n"
PROJECT = '<Project Sdk="Microsoft.NET.Sdk"></Project>\n'
NAMED = 'Project("{A}") = "%s", "%s\\%s.csproj", "{B}"\nEndProject\n'


def lay_out_solution(root: Path, **more: str) -> None:
    files = {f"{name}/{name}.csproj": PROJECT for name in ("Api", "Core")}
    files["All.sln"] = "".join(NAMED % (name, name, name) for name in ("Api", "Core"))
    lay_out(root, {**files, ".gitignore": "bin/\nobj/\n", **more})


def test_one_pattern_for_folders_that_git_never_holds(tmp_path: Path) -> None:
    lay_out_solution(tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "."], check=True)
    (file,) = dockerfix.refactor(SOLUTION, context=tmp_path, select=("order-copies",)).files
    assert file.content == "**/obj\n"


def test_a_folder_of_that_name_in_git(tmp_path: Path) -> None:
    lay_out_solution(tmp_path, **{"Models/obj/cube.txt": "a cube\n"})
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "-f", "."], check=True)
    (file,) = dockerfix.refactor(SOLUTION, context=tmp_path, select=("order-copies",)).files
    assert file.content == "Api/obj\nCore/obj\n"


def test_no_index_says_what_git_holds(tmp_path: Path) -> None:
    lay_out_solution(tmp_path)
    (file,) = dockerfix.refactor(SOLUTION, context=tmp_path, select=("order-copies",)).files
    assert file.content == "Api/obj\nCore/obj\n"
