"""Each kind of file that says how an image is built and run, and what nobody can tell."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from dockerfix.context.locate import locate_context
from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.usage.facts import Service
from dockerfix.context.usage.hcl import parse_hcl
from tests.usage_files import Lay, lay_out, usage


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    return partial(lay_out, tmp_path)


def one(root: Path, context: str = ".", dockerfile: str = "Dockerfile") -> Service:
    (service,) = usage(root, context, dockerfile).services
    return service


STEP = "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with: "
MATRIX = """
jobs:
  a:
    strategy:
      matrix:
        service: [web, api]
        exclude: [{service: api}]
        include: [{service: web, stage: prod}]
    steps:
      - uses: docker/build-push-action@v6
        with: {context: "./${{ matrix.service }}", target: "${{ matrix.stage }}"}
"""
CLOUD_BUILD = """
steps:
  - name: gcr.io/cloud-builders/docker
    args: [build, -t, "gcr.io/$PROJECT_ID/web", --target, prod, "."]
    dir: web
"""
KANIKO = """
image:
  script:
    - cd web
    - >-
      /kaniko/executor --context "${CI_PROJECT_DIR}/web"
      --dockerfile "${CI_PROJECT_DIR}/web/Dockerfile" --target prod
"""
JENKINS = """
pipeline {
  stages { stage('b') { steps {
    dir('web') {
      sh 'docker build --target prod .'
    }
  } } }
}
"""
BAKE = """
variable "FOLDER" { default = "web" }
variable "TAG" { default = "${FOLDER}" }
group "default" { targets = ["web"] }
target "base" {
  context = "./${FOLDER}"
  target  = "dev"
}
target "web" {
  inherits = ["base"]
  target   = "prod"
  tags     = ["ghcr.io/me/web:${TAG != "" ? TAG : "latest"}"]
}
target "other" { context = notKnown }
"""
SKAFFOLD = """
build:
  artifacts:
    - image: me/web
      context: web
      docker: {dockerfile: Dockerfile, target: prod}
    - image: me/java
      context: web
      jib: {}
"""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("docker-bake.hcl", BAKE),
        ("skaffold.yaml", SKAFFOLD),
        ("Tiltfile", "where = './web'\ndocker_build('me/web', where, target='prod')\n"),
        (".github/workflows/a.yml", MATRIX),
        (
            ".github/workflows/b.yml",
            "env: {DIR: web}\njobs:\n  a:\n    defaults: {run: {working-directory: web}}\n"
            "    steps: [{run: docker build --target prod .}]\n",
        ),
        (".github/workflows/c.yml", STEP + "{context: '{{defaultContext}}:web', target: prod}"),
        (
            ".github/workflows/d.yml",
            "jobs:\n  a:\n    env: {DIR: web}\n    steps:\n"
            "      - run: docker build --target prod $DIR\n",
        ),
        (".gitlab-ci.yml", KANIKO),
        (".gitlab-ci.yml", "a:\n  script:\n    - cd web\n    - docker build --target prod .\n"),
        ("cloudbuild.yaml", CLOUD_BUILD),
        (
            ".circleci/config.yml",
            "jobs:\n  a:\n    working_directory: ~/repo\n    steps:\n      - run:\n"
            "          working_directory: web\n          command: docker build --target prod .\n",
        ),
        ("buildspec.yml", "phases: {build: {commands: [cd web, docker build --target prod .]}}"),
        (
            ".woodpecker.yml",
            "steps:\n  a:\n    image: woodpeckerci/plugin-docker-buildx:2\n"
            "    settings: {context: web, dockerfile: web/Dockerfile, target: prod}\n",
        ),
        ("Jenkinsfile", JENKINS),
        ("Jenkinsfile", 'docker.build("me/web:${TAG}", "--target prod ./web")\n'),
        ("package.json", '{"scripts": {"image": "docker build --target prod web"}}'),
        ("Taskfile.yml", "tasks: {a: {dir: web, cmds: [docker build --target prod .]}}\n"),
        ("justfile", "image:\n  docker build --target prod web\n"),
        ("build.sh", 'cd "$(dirname "$0")"\ncd web\ndocker build --target prod .\n'),
        ("ci/build.sh", "(cd web && docker build --target prod .)\n"),
        ("fly.toml", '[build]\ndockerfile = "web/Dockerfile"\nbuild-target = "prod"\n'),
    ],
)
def test_who_builds_a_stage(lay: Lay, file: str, text: str) -> None:
    root = lay({file: text, "web/Dockerfile": "", "Dockerfile": ""})
    # fly.toml's context is its own folder.
    folder, name = (".", "web/Dockerfile") if file == "fly.toml" else ("web", "Dockerfile")
    (build,) = usage(root, folder, name).builds
    assert build.target == "prod"
    assert build.place.file == file
    assert usage(root).builds == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("azure-pipelines.yml", "steps: [{task: Docker@2, inputs: {Dockerfile: web/Dockerfile}}]"),
        (".circleci/config.yml", "jobs: {a: {steps: [{docker/build: {image: a, path: web}}]}}"),
        ("heroku.yml", "build:\n  docker:\n    web: web/Dockerfile\n"),
        ("render.yaml", "services: [{name: a, runtime: docker, rootDir: web}]"),
        (
            ".do/app.yaml",
            "services: [{name: a, source_dir: web, dockerfile_path: web/Dockerfile}]\n",
        ),
        ("web/app.yaml", "runtime: custom\nenv: flex\n"),
        ("web/railway.json", '{"build": {"builder": "DOCKERFILE"}}'),
        ("web/railway.toml", '[build]\ndockerfilePath = "Dockerfile"\n'),
        ("web/captain-definition", '{"schemaVersion": 2, "dockerfilePath": "./Dockerfile"}'),
        ("web/Dockerrun.aws.json", '{"AWSEBDockerrunVersion": "1"}'),
    ],
)
def test_who_builds_the_last_stage(lay: Lay, file: str, text: str) -> None:
    root = lay({file: text, "web/Dockerfile": "", "Dockerfile": ""})
    (build,) = usage(root, "web").builds
    assert (build.target, build.place.file) == ("", file)
    assert usage(root).builds == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("Makefile", "a:\n\tdocker build $(CONTEXT)\n"),
        ("build.sh", "cat Dockerfile | docker build -f - .\ndocker build - < Dockerfile\n"),
        ("build.sh", "docker build https://github.com/me/web.git\n"),
        ("Jenkinsfile", "dir(folder) { sh 'docker build .' }\n"),
        ("Jenkinsfile", "// docker build .\n"),
        (".github/workflows/a.yml", STEP + "{context: 'https://github.com/me/web.git'}\n"),
        (".github/workflows/a.yml", STEP + "{context: '${{ inputs.folder }}'}\n"),
        (
            ".github/workflows/a.yml",
            "jobs: {a: {steps: [{working-directory: '${{ x }}', run: docker build .}]}}",
        ),
        ("azure-pipelines.yml", "steps: [{task: Docker@2, inputs: {command: buildAndPush}}]"),
        ("Tiltfile", "docker_build('a', folder())\nlocal('docker build .')\n"),
        ("Tiltfile", "docker_build('a', '.', dockerfile_contents='FROM a')\n"),
        ("Tiltfile", "docker_build('a', ("),
        ("docker-bake.hcl", 'target "a" { context = join("/", [a]) }\n'),
        ("docker-bake.hcl", 'target "a" { context = "${NOT_SET}" }\n'),
        ("skaffold.yaml", "build: {artifacts: [{image: a, ko: {}}]}\n"),
        ("fly.toml", '[build]\nimage = "a"\n'),
        ("render.yaml", "services: [{name: a, runtime: node}]\n"),
        ("app.yaml", "runtime: python312\n"),
        ("railway.json", '{"build": {"builder": "NIXPACKS"}}'),
        ("captain-definition", '{"schemaVersion": 2, "imageName": "a"}'),
        ("Dockerrun.aws.json", '{"AWSEBDockerrunVersion": "1", "Image": {"Name": "a"}}'),
    ],
)
def test_what_nobody_can_tell(lay: Lay, file: str, text: str) -> None:
    assert usage(lay({file: text, "Dockerfile": ""})).builds == ()


# Compose


def test_a_service_that_extends_one_of_another_file(lay: Lay) -> None:
    root = lay(
        {
            "compose.yaml": "services:\n  web:\n    extends: {file: parts/base.yml, service: app}\n"
            "    command: [b]\n    ports: ['2:2']\n",
            "parts/base.yml": "services:\n  app:\n    extends: most\n    command: [a]\n"
            "  most: {build: {context: ../web, target: prod}, user: '7', ports: ['1:1']}\n",
            "web/Dockerfile": "",
        }
    )
    found = usage(root, "web")
    assert found.targets == ("prod",)
    (service,) = found.services
    assert (service.command, service.user, service.ports) == ("b", "7", (1, 2))


@pytest.mark.parametrize("extends", ["{file: none.yml, service: a}", "none", "web"])
def test_a_service_that_extends_nothing_is_a_problem(lay: Lay, extends: str) -> None:
    text = f"services:\n  web: {{extends: {extends}, build: .}}\n  other: {{build: .}}\n"
    found = usage(lay({"compose.yaml": text}))
    assert [problem.path for problem in found.problems] == ["compose.yaml"]
    assert [service.name for service in found.services] == ["other"]


def test_an_override_goes_on_with_the_build(lay: Lay) -> None:
    root = lay(
        {
            "compose.yaml": "services: {web: {build: ./web}}\n",
            "compose.override.yaml": "services: {web: {build: {target: dev}}}\n",
            "compose.prod.yaml": "services: {web: {build: {context: ., target: prod}}}\n",
            "web/Dockerfile": "",
        }
    )
    assert usage(root, "web").targets == ("dev",)
    assert usage(root).targets == ("prod",)


def test_included_files(lay: Lay) -> None:
    root = lay(
        {
            "compose.yaml": "include:\n  - parts/web.yml\n  - {path: [parts/b.yml], "
            "project_directory: .}\nservices: {}\n",
            "parts/web.yml": "services: {web: {build: ../web}}\n",
            "parts/b.yml": "services: {b: {build: ./web}}\n",
            "web/Dockerfile": "",
        }
    )
    assert {service.name for service in usage(root, "web").services} == {"web", "b"}


def test_variables_of_dot_env_and_their_defaults(lay: Lay) -> None:
    text = (
        "services:\n  web:\n    build: {context: '${DIR}', target: '${STAGE:-prod}'}\n"
        "    user: ${OWNER:-1000}\n    ports: ['${A:-1}:${B:-3000}']\n"
        "    image: ${REGISTRY:?no registry}/web\n    command: $$HOME\n"
    )
    root = lay({"compose.yaml": text, ".env": "DIR=./web\nOWNER=5\n", "web/Dockerfile": ""})
    found = usage(root, "web")
    assert found.targets == ("prod",)
    (service,) = found.services
    assert (service.user, service.ports, service.command) == ("5", (3000,), "$$HOME")


def test_what_compose_watch_writes_counts_as_mounted(lay: Lay) -> None:
    text = (
        "services:\n  web:\n    build: .\n    read_only: true\n    develop:\n      watch:\n"
        "        - {action: sync, path: src, target: /app/src}\n"
        "        - {action: rebuild, path: package.json}\n"
    )
    service = one(lay({"compose.yaml": text}))
    assert service.mounts == (("./src", "/app/src"),)
    assert service.read_only


# Clusters

DEPLOYMENT = """
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: app
          image: web
"""
CHART = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.fullname" . }}
spec:
  template:
    spec:
      {{- with .Values.podSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.tag | default .Chart.Version }}"
          command: {{ .Values.command }}
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
          ports:
            - containerPort: {{ .Values.port | default "80" }}
"""


def test_values_of_a_chart(lay: Lay) -> None:
    root = lay(
        {
            "chart/Chart.yaml": "name: web\n",
            "chart/values.yaml": "image: {repository: ghcr.io/me/web}\n"
            "podSecurityContext: {runAsNonRoot: true, fsGroup: 5}\nport: 3000\n"
            "securityContext:\n  readOnlyRootFilesystem: true\n  capabilities: {drop: [ALL]}\n",
            "chart/values-old.yaml": "securityContext: {runAsUser: 0}\n",
            "chart/templates/web.yaml": CHART,
            "Makefile": "docker build -t me/web .\n",
        }
    )
    first, old = usage(root).services
    assert (first.non_root, first.gives_volumes, first.read_only) == (True, True, True)
    assert (first.ports, first.command, first.user) == ((3000,), "", "")
    assert (old.user, old.name) == ("0", "$unknown (values-old.yaml)")


def test_a_template_without_its_values_is_of_no_image(lay: Lay) -> None:
    root = lay({"templates/web.yaml": CHART, "Makefile": "docker build -t me/web .\n"})
    assert usage(root).services == ()


def test_kustomize(lay: Lay) -> None:
    patch = (
        "images: [{name: web, newName: ghcr.io/me/app}]\npatches:\n"
        "  - target: {kind: Deployment, name: web}\n    patch: |-\n"
        "      - {op: add, path: /spec/template/spec/securityContext, value: {runAsUser: 0}}\n"
        "  - patch: |-\n      kind: Deployment\n      metadata: {name: web}\n      spec:\n"
        "        template:\n          spec:\n            containers:\n"
        "              - {name: app, args: [serve]}\n"
    )
    root = lay(
        {
            "base/web.yaml": DEPLOYMENT,
            "prod/kustomization.yaml": patch,
            "prod/amend.yaml": DEPLOYMENT.replace("image: web", "command: [node]"),
            "other/amend.yaml": DEPLOYMENT.replace("image: web", "command: [x]").replace(
                "name: web", "name: db"
            ),
            "Makefile": "docker build -t ghcr.io/me/app .\n",
        }
    )
    services = usage(root).services
    assert {service.command for service in services} == {"", "node", "serve"}
    assert {service.user for service in services} == {"", "0"}


def test_what_runs_beside_the_container(lay: Lay) -> None:
    text = DEPLOYMENT + (
        "          lifecycle: {postStart: {exec: {command: [sh, /app/start.sh]}}}\n"
        "      initContainers: [{name: init, image: web, command: [migrate]}]\n"
    )
    root = lay({"web.yaml": text, "Makefile": "docker build -t web .\n"})
    found = usage(root)
    assert [service.command for service in found.services] == ["", "migrate"]
    assert [command.text for command in found.commands] == ["sh /app/start.sh"]


def test_nomad(lay: Lay) -> None:
    job = """
job "a" {
  group "g" {
    network {
      port "http" { to = 8080 }
    }
    volume "data" { type = "host" }
    task "t" {
      driver = "docker"
      user   = "1000"
      config {
        image           = "me/web:${var.tag}"
        command         = "node"
        args            = ["a.js"]
        readonly_rootfs = true
        volumes         = ["local/x:/x", "/srv/y:/y:ro"]
        cap_add         = ["net_admin"]
      }
      volume_mount {
        volume      = "data"
        destination = "/data"
      }
    }
    task "other" { driver = "exec" }
  }
}
"""
    service = one(lay({"web.nomad.hcl": job, "Makefile": "docker build -t me/web .\n"}))
    assert (service.command, service.user, service.non_root) == ("node a.js", "1000", True)
    assert service.mounts == (("/srv/y", "/y"), ("data", "/data"))
    assert (service.ports, service.privilege) == ((8080,), "cap_add: net_admin")
    assert service.read_only


def test_task_definition(lay: Lay) -> None:
    task = """
{"containerDefinitions": [{"name": "web", "image": "1.dkr.ecr.eu.amazonaws.com/me/web:1",
  "entryPoint": ["sh"], "command": ["-c", "x"], "user": "1000:1000",
  "readonlyRootFilesystem": true, "portMappings": [{"containerPort": 80}],
  "mountPoints": [{"sourceVolume": "d", "containerPath": "/data"}],
  "healthCheck": {"command": ["CMD-SHELL", "curl localhost"]}}],
 "volumes": [{"name": "d", "host": {"sourcePath": "/srv/d"}}]}
"""
    root = lay({"task-definition.json": task, "Makefile": "docker build -t me/web .\n"})
    service = one(root)
    assert (service.command, service.user, service.health) == (
        "sh -c x",
        "1000:1000",
        "curl localhost",
    )
    assert (service.mounts, service.ports) == ((("/srv/d", "/data"),), (80,))
    assert service.read_only
    assert service.non_root


# Hosts


def test_fly(lay: Lay) -> None:
    text = (
        '[deploy]\nrelease_command = "npx prisma migrate"\n[processes]\napp = "node a.js"\n'
        'worker = "node b.js"\n[[mounts]]\nsource = "d"\ndestination = "/data"\n'
        "[http_service]\ninternal_port = 8080\n"
    )
    found = usage(lay({"fly.toml": text}))
    assert [service.command for service in found.services] == ["node a.js", "node b.js"]
    assert found.services[0].mounts == (("d", "/data"),)
    assert found.services[0].ports == (8080,)
    assert [command.text for command in found.commands] == ["npx prisma migrate"]


def test_heroku_runs_nothing_as_root(lay: Lay) -> None:
    text = (
        "build: {docker: {web: Dockerfile}}\nrun:\n  worker: {command: [rake jobs], image: web}\n"
        "release: {command: [rake migrate], image: web}\n"
    )
    found = usage(lay({"heroku.yml": text}))
    assert [(s.name, s.command, s.non_root) for s in found.services] == [
        ("web", "", True),
        ("worker", "rake jobs", True),
    ]
    assert [command.text for command in found.commands] == ["rake migrate"]


def test_render(lay: Lay) -> None:
    text = (
        "services:\n  - {name: a, runtime: docker, dockerCommand: node b.js,\n"
        "     disk: {name: d, mountPath: /data}, preDeployCommand: node migrate.js}\n"
    )
    found = usage(lay({"render.yaml": text}))
    assert [(s.command, s.mounts) for s in found.services] == [("node b.js", (("d", "/data"),))]
    assert [command.text for command in found.commands] == ["node migrate.js"]


def test_what_tilt_and_skaffold_keep_in_step(lay: Lay) -> None:
    tilt = "docker_build('a', '.', live_update=[sync('src', '/app/src'), run('x')])\n"
    skaffold = (
        "build: {artifacts: [{image: a, sync: {manual: [{src: 'lib/*', dest: /app/lib}]}}]}\n"
    )
    root = lay({"Tiltfile": tilt, "skaffold.yaml": skaffold})
    assert {s.mounts for s in usage(root).services} == {
        (("./src", "/app/src"),),
        (("./lib/*", "/app/lib"),),
    }


# Development


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            ".devcontainer/devcontainer.json",
            '{"build": {"dockerfile": "../Dockerfile", "context": ".."}, // here\n}',
        ),
        (".devcontainer.json", '{"dockerFile": "Dockerfile"}'),
        ("Jenkinsfile", "pipeline { agent { dockerfile true } }"),
        ("Jenkinsfile", "pipeline { agent { dockerfile { filename 'Dockerfile' } } }"),
    ],
)
def test_an_image_to_work_in(lay: Lay, file: str, text: str) -> None:
    found = usage(lay({file: text, "Dockerfile": ""}))
    place = found.development_of(None)
    assert place is not None
    assert place.file == file


def test_a_stage_to_work_in_is_not_the_last_one(lay: Lay) -> None:
    text = '{"build": {"dockerfile": "../Dockerfile", "context": "..", "target": "dev"}}'
    found = usage(lay({".devcontainer/devcontainer.json": text, "Dockerfile": ""}))
    assert found.development_of("prod") is None
    assert found.development_of("dev") is not None
    assert found.targets == ("dev",)


def test_who_ships_an_image_knows_its_context_better(lay: Lay) -> None:
    root = lay(
        {
            ".devcontainer/devcontainer.json": '{"build": {"dockerfile": "../web/Dockerfile", '
            '"context": ".."}}',
            "Makefile": "docker build web\n",
            "web/Dockerfile": "FROM node\nCOPY . .\n",
        }
    )
    found = locate_context(root / "web/Dockerfile")
    assert found.folder.resolve() == (root / "web").resolve()
    assert found.doubt == ""


# HCL


def test_hcl() -> None:
    file = parse_hcl(
        "a.hcl",
        '# c\na = 1 // c\nb = ["x", y, {k: "v"}]\nc = <<-E\n  text\n  E\n'
        'd = f("${g("h")}") ? 1 : 2\nblock "l" "m" {\n  inner { e = true }\n}\n',
    )
    assert file.attributes == {
        "a": "1",
        "b": ["x", "y", {"k": "v"}],
        "c": "  text",
        "d": 'f("${g("h")}") ? 1 : 2',
    }
    (block,) = file.blocks
    assert (block.kind, block.labels) == ("block", ("l", "m"))
    assert block.first("inner").attributes == {"e": "true"}


@pytest.mark.parametrize("text", ["a {", "a = [", "a = {", "}", "a b c", "= 1", "a {" * 50])
def test_bad_hcl_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(BrokenManifestError):
        parse_hcl("a.hcl", text)
