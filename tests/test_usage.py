"""What compose files, CI, clusters and scripts say about an image."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from dockerfix.context.build_context import BuildContext
from dockerfix.context.locate import locate_context
from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.usage import built_services
from dockerfix.context.yaml_files import load_yaml, mapping
from tests.usage_files import Lay, lay_out, usage


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    return partial(lay_out, tmp_path)


COMPOSE = """
x-app: &app
  build: {context: ./web, dockerfile: ../docker/Dockerfile, target: dev}
  user: "1000:1000"
services:
  web:
    <<: *app
    image: ghcr.io/me/web:1
    command: ["gunicorn", "a b"]
    entrypoint: /start.sh
    ports: ["8080:80", "22:22", {target: 9000}, "127.0.0.1:5000-5010:5000-5010/tcp"]
    volumes:
      - ./web:/app:ro
      - data:/data/
      - /anonymous
      - {type: bind, source: ., target: /src}
      - {type: tmpfs, target: /tmp}
    healthcheck: {test: [CMD, curl, "-f", "http://localhost"]}
    cap_add: [NET_ADMIN]
  db:
    image: postgres
  worker:
    image: me/web
    command: celery -A a worker
"""


def test_compose(lay: Lay) -> None:
    root = lay({"compose.yaml": COMPOSE, "web/a": "", "docker/Dockerfile": ""})
    found = usage(root, "web", "../docker/Dockerfile")
    assert [(build.target, build.images) for build in found.builds] == [("dev", ("me/web",))]
    assert found.targets == ("dev",)
    web, worker = found.services
    assert web.command == "/start.sh gunicorn 'a b'"
    assert web.user == "1000:1000"
    assert web.non_root
    assert web.ports == (80, 22, 9000, 5000)
    assert web.mounts == (
        *(("./web", "/app"), ("data", "/data"), ("", "/anonymous"), (".", "/src")),
    )
    assert web.health == "curl -f http://localhost"
    assert web.privilege == "cap_add: NET_ADMIN"
    assert worker.command == "celery -A a worker"
    assert [command.text for command in found.commands] == ["curl -f http://localhost"]


def test_services_of_other_folders_are_not_ours(lay: Lay) -> None:
    text = "services:\n  a: {build: ./a, privileged: true}\n  b: {build: .}\n"
    root = lay({"docker-compose.yml": text, "a/x": ""})
    assert [service.name for service in usage(root).services] == ["b"]
    assert [service.name for service in usage(root, "a").services] == ["a"]


def test_a_second_compose_file_goes_on_with_a_service(lay: Lay) -> None:
    root = lay(
        {
            "docker-compose.yml": "services:\n  web:\n    build: .\n",
            "docker-compose.dev.yml": "services:\n  web:\n    volumes: ['.:/app']\n  x: {}\n",
        }
    )
    context = BuildContext(root)
    assert [s.mounts for s in built_services(context)] == [((".", "/app"),), ()]


def test_a_broken_compose_file_is_told_with_its_line(lay: Lay) -> None:
    root = lay({"docker-compose.yml": "services:\n  web: [\n  build: .\n"})
    (problem,) = usage(root).problems
    assert problem.detail.startswith("docker-compose.yml:4: ")


def test_yaml_as_texts() -> None:
    (data,) = load_yaml("a", "on: yes\nport: 22:22\ntag: !x [1]\na: {<<: [{b: 1}, {b: 2, c: 3}]}\n")
    assert data["on"] == "yes"
    assert data["port"] == "22:22"
    assert data["tag"] == ["1"]
    assert mapping(data, "a") == {"b": "1", "c": "3"}


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\ta: 1", "[" * 5000, "a: *b", "a: \x00"])
def test_bad_yaml_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(BrokenManifestError):
        load_yaml("a.yml", text)


def test_aliases_do_not_multiply() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30)]
    started = time.perf_counter()
    (data,) = load_yaml("a", "\n".join(lines))
    assert isinstance(data, dict)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("file", "text", "context", "dockerfile", "target"),
    [
        (
            "Makefile",
            "image:\n\tdocker build -t me/a:1 -f docker/Dockerfile .\n",
            ".",
            "docker/Dockerfile",
            "",
        ),
        (
            "ci/build.sh",
            "docker buildx build --target=prod \\\n  --push web\n",
            "web",
            "web/Dockerfile",
            "prod",
        ),
        (
            "package.json",
            '{"scripts": {"d": "docker build -t a ./web"}}',
            "web",
            "web/Dockerfile",
            "",
        ),
        (
            ".gitlab-ci.yml",
            "b:\n  script:\n    - docker build --pull web -t $CI_IMAGE\n",
            "web",
            "web/Dockerfile",
            "",
        ),
        (
            "docker-bake.hcl",
            'target "a" {\n  context = "web"\n  target = "t"\n}\n',
            "web",
            "web/Dockerfile",
            "t",
        ),
        (
            "docker-bake.json",
            '{"target": {"a": {"dockerfile": "docker/Dockerfile"}}}',
            ".",
            "docker/Dockerfile",
            "",
        ),
        (
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v5\n        with:\n"
            "          context: ${{ github.workspace }}/web\n          file: docker/Dockerfile\n"
            "          target: prod\n          tags: me/a:1,${{ x }}\n",
            "web",
            "docker/Dockerfile",
            "prod",
        ),
    ],
)
def test_who_builds(
    lay: Lay, file: str, text: str, context: str, dockerfile: str, target: str
) -> None:
    root = lay({file: text, "web/Dockerfile": "", "docker/Dockerfile": "", "Dockerfile": ""})
    relative = Path("../" * (context != ".")) / dockerfile
    (build,) = usage(root, context, str(relative)).builds
    assert build.target == target
    assert build.place.file == file


def test_docker_run(lay: Lay) -> None:
    text = (
        "docker build -t me/a .\ndocker run -d --rm -p 80:8080 -v data:/data -u 5 me/a:1 sh -c x\n"
    )
    (service,) = usage(lay({"run.sh": text})).services
    assert service.command == "sh -c x"
    assert (service.ports, service.user, service.mounts) == ((8080,), "5", (("data", "/data"),))
    assert service.kind == "run"


def test_kubernetes(lay: Lay) -> None:
    manifest = """
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      securityContext: {runAsNonRoot: true, fsGroup: 2000}
      containers:
        - name: web
          image: "{{ .Values.registry }}/me/web:{{ .Chart.Version }}"
          command: [node, a.js]
          {{- if .Values.x }}
          ports: [{containerPort: 3000}]
          {{- end }}
          securityContext: {runAsUser: 1000, capabilities: {add: [NET_ADMIN]}}
          volumeMounts: [{name: data, mountPath: /data}, {name: tmp, mountPath: /tmp}]
          livenessProbe: {exec: {command: [curl, localhost]}}
      volumes:
        - {name: data, persistentVolumeClaim: {claimName: a}}
        - {name: tmp, emptyDir: {}}
"""
    root = lay(
        {"chart/templates/web.yaml": manifest, "Makefile": "docker build -t x.io/me/web .\n"}
    )
    (service,) = usage(root).services
    assert service.non_root
    assert service.gives_volumes
    assert service.user == "1000"
    assert service.command == "node a.js"
    assert service.mounts == (("data", "/data"),)
    assert service.ports == (3000,)
    assert service.health == "curl localhost"
    assert service.privilege == "capabilities: NET_ADMIN"


def test_procfile_and_crontab(lay: Lay) -> None:
    root = lay({"Procfile": "web: gunicorn a\n", "crontab": "*/5 * * * * /app/mvnw x\n# no\n"})
    assert [c.text for c in usage(root).commands] == ["gunicorn a", "/app/mvnw x"] or [
        c.text for c in usage(root).commands
    ] == ["/app/mvnw x", "gunicorn a"]


def test_the_context_that_files_name_counts(lay: Lay) -> None:
    root = lay(
        {
            "docker/web/Dockerfile": "FROM node\nCOPY . .\n",
            "compose.yml": "services:\n  a:\n    build:\n      context: .\n"
            "      dockerfile: docker/web/Dockerfile\n",
        }
    )
    found = locate_context(root / "docker/web/Dockerfile")
    assert found.folder.resolve() == root.resolve()
    assert found.why == "compose.yml: services.a.build"
    assert found.doubt == ""


def test_a_tie_is_told(lay: Lay) -> None:
    root = lay(
        {
            "docker/Dockerfile": "FROM node\nCOPY a.js .\n",
            "a.js": "",
            "compose.yml": "services:\n  a: {build: docker}\n",
            "Makefile": "x:\n\tdocker build -f docker/Dockerfile .\n",
        }
    )
    found = locate_context(root / "docker/Dockerfile")
    assert found.folder.resolve() == root.resolve()
    assert "compose.yml" in found.doubt


def test_a_large_repository_costs_little(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for number in range(400):
        folder = tmp_path / f"f{number}"
        folder.mkdir()
        for name in range(75):
            (folder / f"{name}.c").touch()
    (tmp_path / "compose.yml").write_text("services:\n  a: {build: .}\n")
    started = time.perf_counter()
    assert len(usage(tmp_path).services) == 1
    assert time.perf_counter() - started < 1
