"""The readers of manifests: typed facts with their place, and the line of a broken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.cargo import read_cargo
from dockerfix.context.manifests.cargo_project import read_cargo_lock, read_project
from dockerfix.context.manifests.cargo_targets import read_targets
from dockerfix.context.manifests.dotnet import read_dotnet_project, read_solution
from dockerfix.context.manifests.go_mod import read_go_mod, read_go_source, read_go_work
from dockerfix.context.manifests.gradle import read_gradle
from dockerfix.context.manifests.javascript_config import read_output
from dockerfix.context.manifests.package_json import read_node_locks, read_package_json
from dockerfix.context.manifests.pom import read_pom
from dockerfix.context.manifests.pyproject import read_pipfile, read_pyproject, read_setup_config
from dockerfix.context.manifests.reading import BrokenManifestError, CannotTellError
from dockerfix.context.manifests.requirements import read_requirements
from dockerfix.context.manifests.ruby_php import read_composer, read_gemfile
from dockerfix.context.manifests.tsconfig import plain_json, read_tsconfig


@pytest.fixture
def lay(tmp_path: Path) -> Callable[..., BuildContext]:
    def lay_out(**files: str) -> BuildContext:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return BuildContext(tmp_path)

    return lay_out


Lay = Callable[..., BuildContext]


def test_package_json(lay: Lay) -> None:
    text = """{"name": "@a/web", "bin": "cli.js", "type": "module", "files": ["dist"],
      "scripts": {"start": "node ."}, "workspaces": {"packages": ["apps/*"]},
      "dependencies": {"next": "14"},
      "pnpm": {"patchedDependencies": {"x@1": "patches/x.patch"}}}"""
    found = read_package_json(lay(**{"package.json": text}))
    assert found is not None
    assert found.bin == {"web": "cli.js"}
    assert found.is_module
    assert found.workspaces == ("apps/*",)
    assert found.files == ("dist",)
    assert found.patched_dependencies == {"x@1": "patches/x.patch"}
    assert found.uses("react", "next") == "next"
    assert not found.has_overrides
    assert str(found.place("scripts.start")) == "package.json: scripts.start"


@pytest.mark.parametrize(
    ("name", "text", "tool", "version"),
    [
        ("package-lock.json", '{"lockfileVersion": 3}', "npm", "3"),
        ("yarn.lock", "# yarn lockfile v1\n", "yarn", "1"),
        ("yarn.lock", "__metadata:\n  version: 8\n", "yarn-berry", "8"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n", "pnpm", "9.0"),
        ("bun.lock", "{}", "bun", ""),
    ],
)
def test_node_locks(lay: Lay, name: str, text: str, tool: str, version: str) -> None:
    (lock,) = read_node_locks(lay(**{name: text}))
    assert (lock.tool, lock.version) == (tool, version)


def test_comments_and_commas_of_typescript() -> None:
    text = '{"a": "// no, \\" \\\\", /* b\n */ "c": [1,], // d\n}'
    assert plain_json(text) == '{"a": "// no, \\" \\\\", \n "c": [1] \n}'


def test_out_dir_is_relative_to_the_file_that_says_it(lay: Lay) -> None:
    context = lay(
        **{
            "base/tsconfig.json": '{"compilerOptions": {"outDir": "../out", "rootDir": "../src"}}',
            "tsconfig.json": '{"extends": "./base/tsconfig"}',
        }
    )
    found = read_tsconfig(context)
    assert found is not None
    assert found.output_of("src/index.ts")[0] == "out/index.js"
    assert found.out_dir is not None
    assert str(found.out_dir[1]) == "base/tsconfig.json: compilerOptions.outDir"


def test_a_second_root_folder_moves_the_output(lay: Lay) -> None:
    files = {"tsconfig.json": '{"compilerOptions": {"outDir": "dist"}}', "src/index.ts": ""}
    one = read_tsconfig(lay(**files))
    assert one is not None
    assert one.output_of("src/index.ts")[0] == "dist/index.js"
    two = read_tsconfig(lay(**files, **{"test/a.ts": ""}))
    assert two is not None
    assert two.output_of("src/index.ts")[0] == "dist/src/index.js"


def test_what_a_package_may_set_cannot_be_told(lay: Lay) -> None:
    found = read_tsconfig(lay(**{"tsconfig.json": '{"extends": "@tsconfig/node20"}'}))
    assert found is not None
    with pytest.raises(CannotTellError, match="does not say it plainly"):
        _ = found.out_dir


@pytest.mark.parametrize(
    ("dependency", "files", "folder", "kind"),
    [
        ("vite", {}, "dist", "static"),
        ("vite", {"vite.config.ts": "build: { outDir: 'public' }"}, "public", "static"),
        ("vite", {"vite.config.ts": "// outDir: 'old'\nbase: 'http://x'"}, "dist", "static"),
        ("react-scripts", {".env": "BUILD_PATH=out\n"}, "out", "static"),
        ("next", {"next.config.js": "output: 'standalone'"}, ".next", "standalone"),
        ("next", {"next.config.mjs": "output: 'export'"}, "out", "static"),
        ("nuxt", {}, ".output", "server"),
        ("astro", {}, "dist", "static"),
        ("webpack", {"webpack.config.js": "path: path.resolve(__dirname, 'www')"}, "www", "static"),
        ("@sveltejs/kit", {"svelte.config.js": "'@sveltejs/adapter-node'"}, "build", "server"),
        (
            "@angular/cli",
            {
                "angular.json": '{"projects": {"a": {"architect": {"build": {"builder":'
                ' "@angular-devkit/build-angular:application", "options": {"outputPath":'
                ' "dist/a"}}}}}}'
            },
            "dist/a/browser",
            "static",
        ),
        (
            "@nestjs/cli",
            {"tsconfig.json": '{"compilerOptions": {"outDir": "./lib"}}'},
            "lib",
            "server",
        ),
    ],
)
def test_where_a_build_goes(
    lay: Lay, dependency: str, files: dict[str, str], folder: str, kind: str
) -> None:
    manifest = {"package.json": f'{{"dependencies": {{"{dependency}": "1"}}}}'}
    context = lay(**manifest, **files)
    package = read_package_json(context)
    assert package is not None
    found = read_output(context, package)
    assert found is not None
    assert (found.folder, found.kind) == (folder, kind)


@pytest.mark.parametrize(
    ("dependency", "files"),
    [
        ("vite", {"vite.config.ts": "build: { outDir: folder }"}),
        ("vite", {"vite.config.ts": "outDir: a ? 'x' : 'y', outDir: 'z'"}),
        ("@sveltejs/kit", {"svelte.config.js": "'@sveltejs/adapter-auto'"}),
        ("webpack", {}),
        ("@angular/cli", {}),
        ("nuxt", {"nuxt.config.ts": "nitro: { preset: 'vercel' }"}),
    ],
)
def test_where_a_build_goes_is_not_plain(lay: Lay, dependency: str, files: dict[str, str]) -> None:
    manifest = {"package.json": f'{{"devDependencies": {{"{dependency}": "1"}}}}'}
    context = lay(**manifest, **files)
    package = read_package_json(context)
    assert package is not None
    with pytest.raises(CannotTellError):
        read_output(context, package)


def test_pyproject_of_packaging(lay: Lay) -> None:
    text = """
[build-system]
build-backend = "hatchling.build"
[project]
name = "Web"
readme = "README.md"
dependencies = ["Flask[async]>=2; python_version > '3'", "zope.interface"]
scripts = {web = "web.main:run"}
[project.optional-dependencies]
s3 = ["boto3"]
[dependency-groups]
dev = ["pytest", {include-group = "s3"}]
[tool.uv.sources]
core = {path = "../core"}
lib = {workspace = true}
"""
    found = read_pyproject(lay(**{"pyproject.toml": text}))
    assert found is not None
    assert found.dependencies == ("flask", "zope-interface")
    assert found.groups == {"s3": ("boto3",), "dev": ("pytest",)}
    assert found.local_paths == ("../core",)
    assert found.is_uv_workspace
    assert found.is_package
    assert found.scripts == {"web": "web.main:run"}
    assert found.files_of_metadata == ("README.md",)


def test_pyproject_of_poetry(lay: Lay) -> None:
    text = """
[tool.poetry]
name = "web"
package-mode = false
[tool.poetry.dependencies]
python = "^3.11"
django = "*"
core = {path = "core", develop = true}
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
    found = read_pyproject(lay(**{"pyproject.toml": text}))
    assert found is not None
    assert found.dependencies == ("django", "core")
    assert found.groups == {"dev": ("pytest",)}
    assert found.requires_python == "^3.11"
    assert found.local_paths == ("core",)
    assert not found.is_package


def test_pipfile_and_setup_config(lay: Lay) -> None:
    context = lay(
        Pipfile='[packages]\nflask = "*"\nown = {path = "."}\n'
        '[requires]\npython_version = "3.11"\n',
        **{
            "setup.cfg": "[metadata]\nlong_description = file: README.md, CHANGES.md\n"
            "[options]\ninstall_requires =\n  Django>=4\n"
        },
    )
    pipfile, config = read_pipfile(context), read_setup_config(context)
    assert pipfile is not None
    assert (pipfile.packages, pipfile.local_paths) == (("flask", "own"), (".",))
    assert config is not None
    assert config.dependencies == ("django",)
    assert config.files == ("README.md", "CHANGES.md")


def test_requirements_with_all_that_they_name(lay: Lay) -> None:
    context = lay(
        **{
            "requirements.txt": "-r requirements/base.txt\n-c limits.txt\n-e .\n./libs/core\n"
            "Flask==2 \\\n  --hash=sha256:00\n# no\nown @ file:libs/own\ngit+https://x/y.git\n"
            "--index-url https://x\n-r missing.txt\n",
            "requirements/base.txt": "-e ../shared[x]\nuvicorn[standard] ; python_version > '3'\n",
            "limits.txt": "flask<3\n",
        }
    )
    found = read_requirements(context, "requirements.txt")
    assert found is not None
    assert found.files == ("requirements.txt", "requirements/base.txt", "limits.txt")
    assert found.missing == ("missing.txt",)
    assert found.names == ("flask", "own", "uvicorn")
    assert found.local_paths == (".", "libs/core", "libs/own", "shared")


def test_go(lay: Lay) -> None:
    context = lay(
        **{
            "go.mod": "module a.b/c // d\n\ngo 1.22\nrequire (\n\tx/y v1.0.0 // indirect\n)\n"
            "replace x/y v1.0.0 => ./y\nreplace p/q => r/s v1.1.1\n",
            "go.work": "go 1.22\nuse (\n\t.\n\t./tools\n)\n",
        }
    )
    found = read_go_mod(context)
    assert found is not None
    assert (found.module, found.go, found.requires) == ("a.b/c", "1.22", ("x/y",))
    assert found.local_replaces == ("./y",)
    assert not found.has_vendor
    assert read_go_work(context) == (".", "./tools")
    source = read_go_source('package a\nimport (\n "C"\n)\n//go:embed web/* "a b"\n')
    assert source.uses_cgo
    assert source.embeds[0] == "web/*"


def test_pom(lay: Lay) -> None:
    text = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><artifactId>p</artifactId><version>1.2</version><relativePath/></parent>
  <artifactId>shop</artifactId><properties><rev>7</rev></properties>
  <build><finalName>${project.artifactId}-${rev}</finalName><plugins><plugin>
    <artifactId>spring-boot-maven-plugin</artifactId>
    <configuration><classifier>exec</classifier></configuration></plugin></plugins></build>
</project>"""
    found = read_pom(lay(**{"pom.xml": text}))
    assert found is not None
    assert found.jar[0] == "target/shop-7-exec.jar"
    assert found.parent_path is None
    assert found.fat_jar_plugin == "spring-boot-maven-plugin"
    assert found.modules == ()


def test_pom_with_an_unknown_property(lay: Lay) -> None:
    text = "<project><artifactId>a</artifactId><version>${revision}</version></project>"
    found = read_pom(lay(**{"pom.xml": text}))
    assert found is not None
    with pytest.raises(CannotTellError):
        _ = found.jar


def test_gradle(lay: Lay) -> None:
    context = lay(
        **{
            "build.gradle.kts": "plugins {\n  java\n  alias(libs.plugins.spring.boot)\n}\n"
            'version = "1.0"\n',
            "settings.gradle.kts": 'rootProject.name = "shop"\ninclude(":web:api", "core")\n',
            "gradle/libs.versions.toml": "[plugins]\nspring-boot = { id = "
            '"org.springframework.boot", version = "3" }\n',
        }
    )
    found = read_gradle(context)
    assert found is not None
    assert found.plugins == ("java", "org.springframework.boot")
    assert found.includes == ("web/api", "core")
    assert found.jar[0] == "build/libs/shop-1.0.jar"


def test_cargo(lay: Lay) -> None:
    context = lay(
        **{
            "Cargo.toml": '[package]\nname = "srv"\n[dependencies]\ncore = {path = "core"}\n'
            '[workspace]\nmembers = ["core"]\n',
            "src/main.rs": "",
            "src/bin/tool.rs": "",
            "build.rs": "",
        }
    )
    found = read_cargo(context)
    assert found is not None
    assert found.binaries == ("srv", "tool")
    assert found.has_build_script
    assert found.path_dependencies == ("core",)
    assert found.members == ("core",)


def test_cargo_targets(lay: Lay) -> None:
    context = lay(
        **{
            "Cargo.toml": '[package]\nname = "srv"\n[[bin]]\nname = "load"\n'
            '[[bench]]\nname = "speed"\npath = "speed.rs"\n',
            "src/main.rs": "",
            "src/bin/load/main.rs": "",
            "src/lib.rs": "",
            "speed.rs": "",
            "build.rs": "",
        }
    )
    manifest = read_cargo(context)
    assert manifest is not None
    found = read_targets(context, manifest)
    assert found.library == "src/lib.rs"
    assert [(p.name, p.path, p.listed) for p in found.programs] == [
        ("load", "src/bin/load/main.rs", True),
        ("srv", "src/main.rs", False),
    ]
    assert found.others == ("speed.rs",)
    assert found.build_script == "build.rs"


def test_cargo_target_that_is_not_there(lay: Lay) -> None:
    context = lay(**{"Cargo.toml": '[package]\nname = "srv"\n[[example]]\nname = "x"\n'})
    manifest = read_cargo(context)
    assert manifest is not None
    with pytest.raises(CannotTellError):
        read_targets(context, manifest)


def test_cargo_project(lay: Lay) -> None:
    context = lay(
        **{
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/old"]\n'
            '[patch.crates-io]\nitoa = { path = "fork" }\n',
            "crates/a/Cargo.toml": '[package]\nname = "a"\n[dependencies]\n'
            'b = { path = "../../b" }\n',
            "crates/old/Cargo.toml": '[package]\nname = "old"\n',
            "crates/notes/readme.md": "",
            "b/Cargo.toml": '[package]\nname = "b"\n',
            "fork/Cargo.toml": '[package]\nname = "itoa"\n',
            "Cargo.lock": '[[package]]\nname = "a"\nversion = "1.0.0"\ndependencies = [\n "b",\n'
            ' "c 1.0.0",\n]\n\n[[package]]\nname = "c"\nsource = "registry"\n',
        }
    )
    assert [m.name for m in read_project(context, "")] == [None, "a", "itoa", "b"]
    assert read_cargo_lock(context, "") == (("a", None, ("b", "c")), ("c", "registry", ()))
    assert read_cargo_lock(context, "b") is None


def test_dotnet(lay: Lay) -> None:
    context = lay(
        **{
            "src/Web/Web.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>'
            "<TargetFramework>net8.0</TargetFramework></PropertyGroup><ItemGroup>"
            '<ProjectReference Include="..\\Core\\Core.csproj" />'
            '<PackageReference Include="Serilog" Version="1" /></ItemGroup></Project>',
            "a.sln": 'Project("{1}") = "Web", "src\\Web\\Web.csproj", "{2}"\n',
        }
    )
    found = read_dotnet_project(context, "src/Web/Web.csproj")
    assert found is not None
    assert found.assembly[0] == "Web.dll"
    assert found.frameworks == ("net8.0",)
    assert found.references == ("src/Core/Core.csproj",)
    assert found.packages == ("Serilog",)
    assert read_solution(context, "a.sln") == ("src/Web/Web.csproj",)


def test_ruby_and_php(lay: Lay) -> None:
    context = lay(
        Gemfile="source 'https://rubygems.org'\nruby '3.3.0'\ngem 'rails', '7'\n"
        "gem 'own', path: 'engines/own' # here\n# gem 'no'\n",
        **{
            "composer.json": '{"require": {"php": "^8.2"}, "autoload": {"files": ["a.php"]},'
            ' "repositories": [{"type": "path", "url": "lib"}]}'
        },
    )
    gemfile, composer = read_gemfile(context), read_composer(context)
    assert gemfile is not None
    assert (gemfile.gems, gemfile.local_paths) == (("rails", "own"), ("engines/own",))
    assert gemfile.ruby == "3.3.0"
    assert composer is not None
    assert composer.class_files
    assert composer.path_repositories == ("lib",)


@pytest.mark.parametrize(
    ("name", "text", "read", "line"),
    [
        ("package.json", '{\n"a": 1,\n}', read_package_json, 3),
        ("package.json", "[]", read_package_json, 1),
        ("tsconfig.json", "{\n\n:", read_tsconfig, 3),
        ("pyproject.toml", "[a]\nb = \n", read_pyproject, 2),
        ("Pipfile", "[a\n", read_pipfile, 1),
        ("setup.cfg", "[a]\nb\n", read_setup_config, 2),
        ("go.mod", "module a\n\nrequires b\n", read_go_mod, 3),
        ("pom.xml", "<a>\n</b>", read_pom, 2),
        ("pom.xml", "<!DOCTYPE a>\n<a/>", read_pom, 1),
        ("Cargo.toml", "[a]\n[a]\n", read_cargo, 2),
        ("composer.json", "{", read_composer, 1),
    ],
)
def test_a_broken_one_is_named_with_its_line(
    lay: Lay, name: str, text: str, read: Callable[[BuildContext], object], line: int
) -> None:
    with pytest.raises(BrokenManifestError) as caught:
        read(lay(**{name: text}))
    assert (caught.value.path, caught.value.line) == (name, line)
    assert f"{name}:{line}:" in caught.value.detail


@pytest.mark.parametrize("read", [read_package_json, read_pyproject, read_go_mod, read_pom])
def test_a_missing_one_is_none(lay: Lay, read: Callable[[BuildContext], object]) -> None:
    assert read(lay()) is None
