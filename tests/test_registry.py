"""Looking up images at a real registry: the right pin, or a clear error; never a wrong pin."""

from __future__ import annotations

import base64
import datetime
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dockerfix.registry.answers import RegistryError
from dockerfix.registry.cache import Cache
from dockerfix.registry.client import Registry
from dockerfix.registry.credentials import Credentials, Login, read_credentials
from dockerfix.registry.lockfile import Pin
from dockerfix.registry.lookup import look_up, move
from dockerfix.registry.network import Network, find_proxy, read_network
from dockerfix.registry.reference import parse_reference
from tests import faulty as faults
from tests.faulty import Faulty, Request, Response
from tests.registry import (
    HTPASSWD,
    PASSWORD,
    USER,
    Server,
    fill,
    make_certificate,
    make_token,
    serve,
)

TODAY = datetime.date(2026, 11, 24)
QUICK = Network(connect_timeout=5.0, read_timeout=5.0, answer_timeout=10.0)
#: For faults that take time; the machine may be busy.
IMPATIENT = Network(read_timeout=1.0, answer_timeout=2.0, retries=1)


def client(**options: Any) -> Registry:  # noqa: ANN401 - the fields of Registry
    return Registry(**{"network": QUICK, "sleep": lambda _: None, **options})


def pin(address: str, image: str, asked: Registry | None = None) -> Pin:
    return look_up(parse_reference(f"{address}/{image}"), asked or client(), TODAY)


def logged_in(address: str, user: str = USER, password: str = PASSWORD) -> Credentials:
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Credentials(({"auths": {address: {"auth": auth}}},))


# The right pin


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("node:18", "18.20.2"),
        ("node:18.20", "18.20.2"),
        ("node:18-alpine", "18.20.2-alpine3.20"),
        ("node:18-slim", "18.20.2-slim"),
        ("node:18-bookworm", "18.20.2-bookworm"),
        ("node", "21.3.2"),
        ("node:latest", "21.3.2"),
        ("node:lts", "20.12.2"),
        ("node:lts-alpine", "20.12.2-alpine3.20"),
        ("node:alpine", "21.3.2-alpine3.20"),
        ("node:slim", "21.3.2-slim"),
        ("node:18.3.1", "18.3.1"),
        ("debian:bookworm", "bookworm-20250630"),
        ("debian:bookworm-slim", "bookworm-20250630-slim"),
        ("debian:12", "bookworm-20250630"),
        ("debian:12-slim", "bookworm-20250630-slim"),
        ("team/tool:2", "2.0.1"),
    ],
)
def test_the_most_exact_tag_of_the_same_image(registry: Server, image: str, expected: str) -> None:
    assert pin(registry.address, image).tag == expected


@pytest.mark.parametrize(
    ("kind", "platforms"),
    [
        ("oci", ("linux/amd64", "linux/arm64/v8")),
        ("list", ("linux/amd64", "linux/arm64/v8")),
        ("attested", ("linux/amd64", "linux/arm64/v8")),
        ("single", ()),
        ("single-docker", ()),
    ],
)
def test_the_digest_is_that_of_the_index(
    registry: Server, kind: str, platforms: tuple[str, ...]
) -> None:
    found = pin(registry.address, f"kinds/{kind}:1")
    head = registry.call("HEAD", f"/v2/kinds/{kind}/manifests/{found.digest}")
    assert head.status == 200
    assert found.tag == "1.2.3"
    assert found.platforms == platforms


def test_a_tag_that_moved(registry: Server) -> None:
    registry.index("moved", ("1", "1.0.0"), "before")
    first = pin(registry.address, "moved:1")
    registry.index("moved", ("1", "1.0.1"), "after")
    second = pin(registry.address, "moved:1")
    assert (first.tag, second.tag) == ("1.0.0", "1.0.1")
    assert first.digest != second.digest


def test_tags_come_in_pages(faulty: Faulty) -> None:
    faulty.page = 100
    assert pin(faulty.address, "node:18").tag == "18.20.2"
    assert sum("tags/list" in request.path for request in faulty.seen) > 5


def test_head_comes_before_get(faulty: Faulty) -> None:
    pin(faulty.address, "node:18")
    asked = [(r.method, r.path.rpartition("/")[2].partition("?")[0]) for r in faulty.seen]
    assert asked[0] == ("HEAD", "18")
    assert [tag for method, tag in asked if method == "GET" and tag != "list"] == ["18.20.2"]


@pytest.mark.parametrize(
    ("image", "span", "expected"),
    [
        ("node:18.3.0", "patch", "18.3.2"),
        ("node:18.3.0", "minor", "18.20.2"),
        ("node:18.3.0", "major", "21.3.2"),
        ("node:18.3.0-alpine3.20", "minor", "18.20.2-alpine3.20"),
        ("node:18-slim", "minor", "18.20.2-slim"),
        ("node:18-slim", "major", "21.3.2-slim"),
        ("node:21.3.2", "major", "21.3.2"),
        ("debian:bookworm-20250520-slim", "minor", "bookworm-20250630-slim"),
        (f"node:18.3.0@{faults.WRONG}", "patch", "18.3.2"),
        (f"node:18@{faults.WRONG}", "minor", "18"),
        (f"node:18@{faults.WRONG}", "major", "21"),
    ],
)
def test_updates(registry: Server, image: str, span: str, expected: str) -> None:
    reference = parse_reference(f"{registry.address}/{image}")
    found = move(reference, client(), TODAY, span)
    now = pin(registry.address, f"node:{expected}" if "node" in image else f"debian:{expected}")
    assert (found.tag, found.digest) == (expected, now.digest)


# Faults that pass, and such that do not


def once(fault: faults.Fault) -> Callable[[Faulty], None]:
    """For each kind of request the first answer is spoilt."""

    def prepare(proxy: Faulty) -> None:
        spoilt: set[str] = set()

        def choose(request: Request) -> faults.Fault | None:
            kind = f"{request.method} {'tags' if 'tags' in request.path else 'manifest'}"
            if kind in spoilt or (request.method == "HEAD" and fault is faults.truncate):
                return None
            spoilt.add(kind)
            return fault

        proxy.always = choose

    return prepare


@pytest.mark.parametrize(
    "fault",
    [
        faults.drop,
        faults.truncate,
        faults.status(500),
        faults.status(502),
        faults.status(503),
        faults.status(429),
        faults.status(429, Retry_After="1"),
        faults.no_digest,
    ],
    ids=["drop", "cut", "500", "502", "503", "429", "429-after", "no-digest"],
)
def test_faults_that_pass(faulty: Faulty, fault: faults.Fault) -> None:
    once(fault)(faulty)
    assert pin(faulty.address, "node:18").tag == "18.20.2"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (faults.drop, "breaks off"),
        (faults.truncate, "breaks off"),
        (faults.status(500), "answers 500"),
        (faults.status(429), "limits requests and does not say for how long"),
        (faults.status(429, Retry_After="0"), "limits requests and does not say for how long"),
        (faults.status(429, Retry_After="3600"), r"limits requests; it may go on at \S+"),
        (faults.status(403), "no access"),
        (faults.wrong_digest, "another digest than it says"),
        (faults.other_bytes, "another digest than it says"),
        (faults.other_type, "the answer is text/html, not an image"),
        (faults.portal, "the answer is text/html, not an image"),
        (faults.endless, "an answer larger than"),
        (faults.redirect("http://127.0.0.1:9/x"), "127.0.0.1:9 cannot be reached"),
        (faults.redirect("ftp://127.0.0.1/x"), "redirects to a plain connection"),
    ],
    ids=str,
)
def test_faults_that_stay(faulty: Faulty, fault: faults.Fault, message: str) -> None:
    """Whichever answers are spoilt: those to GET, those to HEAD too."""
    faulty.always = lambda request: fault if request.method == "GET" else None
    with pytest.raises(RegistryError, match=message):
        pin(faulty.address, "node:18.3.1")
    faulty.always = lambda _: fault
    with pytest.raises(RegistryError):
        pin(faulty.address, "node:18.3.1")


def test_who_knows_no_head_is_asked_by_get(faulty: Faulty) -> None:
    faulty.always = lambda request: faults.status(405) if request.method == "HEAD" else None
    assert pin(faulty.address, "team/tool:2").tag == "2.0.1"


def test_a_slow_answer_passes(faulty: Faulty) -> None:
    once(faults.delay(1.3))(faulty)
    assert pin(faulty.address, "node:18", client(network=IMPATIENT)).tag == "18.20.2"


def test_a_slow_registry_does_not_hang(faulty: Faulty) -> None:
    faulty.always = lambda _: faults.delay(1.3)
    asked = client(network=IMPATIENT)
    for image in ("node:18", "node:20"):
        with pytest.raises(RegistryError, match="answers too slowly"):
            pin(faulty.address, image, asked)
    assert asked.requests == 2, "who never answered in time is not asked for the next"


def test_a_digest_that_head_alone_says_is_no_pin(faulty: Faulty) -> None:
    faulty.always = lambda request: faults.wrong_digest if request.method == "HEAD" else None
    with pytest.raises(RegistryError, match="another digest"):
        pin(faulty.address, "node:18")


def test_a_candidate_that_lies_is_no_pin(faulty: Faulty) -> None:
    """An older tag that claims the digest of today, by its header alone."""
    today = pin(faulty.address, "node:18").digest

    def claim(response: Response) -> Response:
        headers = {**response.headers, "Docker-Content-Digest": today}
        return Response(response.status, headers, response.body)

    faulty.always = lambda r: claim if r.path.endswith("/18.20.1") else None
    assert pin(faulty.address, "node:18").tag == "18.20.2"

    def hide(request: Request) -> faults.Fault | None:
        if request.path.endswith("/18.20.2"):
            return faults.status(404)
        return claim if request.path.endswith("/18.20.1") else None

    faulty.always = hide
    with pytest.raises(RegistryError, match="another digest"):
        pin(faulty.address, "node:18")


def test_waits_as_the_registry_says(faulty: Faulty) -> None:
    faulty.faults = [faults.status(429, Retry_After="2")]
    waits: list[float] = []
    assert pin(faulty.address, "node:18.3.1", client(sleep=waits.append)).tag == "18.3.1"
    assert waits
    assert 1.5 < waits[0] <= 2.0


def test_a_limit_stops_all_that_ask(faulty: Faulty) -> None:
    faulty.faults = [faults.status(429, Retry_After="3600")]
    asked = client()
    for image in ("node:18", "node:20", "team/tool:2"):
        with pytest.raises(RegistryError, match="it may go on at"):
            pin(faulty.address, image, asked)
    assert asked.requests == 1


def test_a_spent_count_stops_what_counts(faulty: Faulty) -> None:
    """Docker Hub counts GET of manifests, not HEAD: `RateLimit-Remaining: 0;w=21600`."""

    def spent(response: Response) -> Response:
        headers = {**response.headers, "RateLimit-Remaining": "0;w=21600"}
        return Response(response.status, headers, response.body)

    faulty.always = lambda _: spent
    with pytest.raises(RegistryError, match="it may go on at"):
        pin(faulty.address, "node:18.3.1")
    assert {request.method for request in faulty.seen} == {"HEAD"}


def test_a_host_that_is_down_is_asked_once(registry: Server) -> None:
    with faults.before(registry.address) as proxy:
        address = proxy.address
    asked = client()
    for image in ("node:18", "node:20"):
        with pytest.raises(RegistryError, match="cannot be reached"):
            pin(address, image, asked)
    assert asked.requests == 1


def test_what_is_not_there(registry: Server) -> None:
    with pytest.raises(RegistryError, match="there is no 99"):
        pin(registry.address, "node:99")
    with pytest.raises(RegistryError, match="there is no 1"):
        pin(registry.address, "nothing:1")


# Who asks


@pytest.fixture(scope="session")
def guarded(
    storage: Path, registry: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The same images behind a password."""
    work = tmp_path_factory.mktemp("basic")
    (work / "htpasswd").write_text(HTPASSWD)
    auth = {"htpasswd": {"realm": "tests", "path": str(work / "htpasswd")}}
    with serve(storage, work, {"auth": auth}) as server:
        yield server


def test_basic_authentication(guarded: Server) -> None:
    asked = client(credentials=logged_in(guarded.address))
    assert pin(guarded.address, "node:18", asked).tag == "18.20.2"
    for credentials in (Credentials(), logged_in(guarded.address, USER, "wrong-word")):
        with pytest.raises(RegistryError, match="no access; log in with `docker login`") as error:
            pin(guarded.address, "node:18", client(credentials=credentials))
        assert "wrong-word" not in str(error.value)


@pytest.fixture(scope="session")
def tokens(
    storage: Path, registry: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, list[Request]]]:
    """The same images behind tokens of a realm of ours, and who asked the realm."""
    work = tmp_path_factory.mktemp("token")
    key, certificate = make_certificate(work, "realm")
    asked: list[Request] = []
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def realm(request: Request) -> Response:
        asked.append(request)
        if request.method == "GET" and request.authorization != wanted:
            return Response(401, {"Content-Length": "0"}, b"")
        query = parse_qs(urlsplit(request.path).query)
        repository = query.get("scope", ["repository:node:pull"])[0].split(":")[1]
        body = json.dumps({"token": make_token(key, certificate, repository)}).encode()
        return Response(200, {"Content-Length": str(len(body))}, body)

    with faults.serve(realm) as place:
        terms = {
            "realm": f"http://{place}/token",
            "service": "registry",
            "issuer": "tests",
            "rootcertbundle": str(certificate),
        }
        with serve(storage, work, {"auth": {"token": terms}}) as server:
            yield server, asked


def test_token_authentication(tokens: tuple[Server, list[Request]]) -> None:
    server, asked = tokens
    asked.clear()
    registry = client(credentials=logged_in(server.address))
    assert pin(server.address, "node:18", registry).tag == "18.20.2"
    assert pin(server.address, "debian:bookworm", registry).tag == "bookworm-20250630"
    assert len(asked) == 2, "one token for each repository"
    with pytest.raises(RegistryError, match="no access") as error:
        pin(server.address, "node:18", client(credentials=logged_in(server.address, "x", "nope")))
    assert "nope" not in str(error.value)


def test_a_token_that_runs_out_is_renewed(tokens: tuple[Server, list[Request]]) -> None:
    server, asked = tokens
    asked.clear()
    with faults.before(server.address) as proxy:
        challenge = server.call("GET", "/v2/", expected=401).headers["WWW-Authenticate"]
        registry = client(credentials=logged_in(proxy.address))
        assert pin(proxy.address, "node:18.3.1", registry).tag == "18.3.1"
        proxy.faults = [faults.status(401, WWW_Authenticate=challenge)]
        assert pin(proxy.address, "node:18", registry).tag == "18.20.2"
    assert len(asked) == 2


def test_an_identity_token_is_exchanged(tokens: tuple[Server, list[Request]]) -> None:
    server, asked = tokens
    asked.clear()
    config = {"auths": {server.address: {"identitytoken": "from-a-login"}}}
    registry = client(credentials=Credentials((config,)))
    assert pin(server.address, "node:18", registry).tag == "18.20.2"
    assert [request.method for request in asked] == ["POST"]


def test_no_password_over_a_plain_connection(faulty: Faulty) -> None:
    challenge = 'Bearer realm="http://realm.example/token",service="x"'
    faulty.faults = [faults.status(401, WWW_Authenticate=challenge)]
    asked = client(credentials=logged_in(faulty.address))
    with pytest.raises(RegistryError, match="asks to log in over a plain connection"):
        pin(faulty.address, "node:18", asked)


def test_credentials_do_not_go_to_another_host(guarded: Server, registry: Server) -> None:
    with faults.before(registry.address) as other, faults.before(guarded.address) as proxy:
        target = f"http://{other.address}/v2/node/manifests/18.3.1"

        def choose(request: Request) -> faults.Fault | None:
            return faults.redirect(target) if request.authorization else None

        proxy.always = choose
        asked = client(credentials=logged_in(proxy.address))
        assert pin(proxy.address, "node:18.3.1", asked).tag == "18.3.1"
        assert any(request.authorization for request in proxy.seen)
        assert other.seen
        assert all(request.authorization is None for request in other.seen)


def test_credentials_are_not_shown() -> None:
    assert PASSWORD not in repr(Login(USER, PASSWORD, PASSWORD))
    assert PASSWORD not in repr(logged_in("a.example")) + repr(client(credentials=logged_in("a")))


def test_credential_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-tests"
    answer = json.dumps({"ServerURL": "x", "Username": USER, "Secret": PASSWORD})
    helper.write_text(
        "#!/bin/sh\nread -r key\n"
        f"case $1:$key in get:a.example) echo '{answer}' ;; get:t.example) "
        'echo \'{"Username": "<token>", "Secret": "t"}\' ;; *) echo "not found"; exit 1 ;; esac\n'
    )
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    chosen = Credentials(({"credHelpers": {"a.example": "tests"}},))
    stored = Credentials(({"credsStore": "tests", "auths": {"t.example": {}}},))
    assert chosen.of("a.example", "team/x") == Login(USER, PASSWORD)
    assert chosen.of("b.example") is None
    assert stored.of("a.example") == Login(USER, PASSWORD)
    assert stored.of("t.example") == Login(identity_token="t")
    assert Credentials(({"credsStore": "none-such"},)).of("a.example") is None
    assert Credentials(({"credsStore": "../tests"},)).of("a.example") is None


def test_where_credentials_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def config(host: str, password: str) -> str:
        auth = base64.b64encode(f"u:{password}".encode()).decode()
        return json.dumps({"auths": {host: {"auth": auth}}})

    (tmp_path / "config.json").write_text(config("https://index.docker.io/v1/", "hub"))
    (tmp_path / "auth.json").write_text(config("quay.io/team", "quay"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", config("r.example:5000", "ci"))
    found = read_credentials()
    assert found.of("docker.io", "library/node") == Login("u", "hub")
    assert found.of("quay.io", "team/x") == Login("u", "quay")
    assert found.of("quay.io", "other/x") is None
    assert found.of("r.example:5000", "x") == Login("u", "ci")
    for broken in ("{", "[]", '{"auths": []}', '{"auths": {"r.example:5000": {"auth": "%%%"}}}'):
        monkeypatch.setenv("DOCKER_AUTH_CONFIG", broken)
        assert read_credentials().of("r.example:5000") is None


# The way there


def test_tls_with_an_authority_of_ones_own(
    storage: Path, registry: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = make_certificate(tmp_path, "server")
    tls = {"tls": {"certificate": str(certificate), "key": str(key)}}
    with serve(storage, tmp_path, {"http": tls}) as server:
        host = server.address.replace("127.0.0.1", "localhost")
        with pytest.raises(RegistryError, match="a certificate that nobody vouches for"):
            pin(host, "node:18")
        folder = tmp_path / "certs.d" / host
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes(certificate.read_bytes())
        network = Network(certificate_folders=(tmp_path / "certs.d",))
        assert pin(host, "node:18", client(network=network)).tag == "18.20.2"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert pin(host, "node:18").tag == "18.20.2"


def test_a_mirror_is_asked_first(registry: Server, faulty: Faulty) -> None:
    network = Network(mirrors={"r.example": (f"http://{faulty.address}",)})
    assert pin("r.example", "node:18", client(network=network)).tag == "18.20.2"
    assert faulty.seen


def test_what_a_mirror_lacks_the_registry_has(registry: Server, faulty: Faulty) -> None:
    faulty.always = lambda _: faults.status(404)
    network = Network(mirrors={registry.address: (faulty.address,)})
    assert pin(registry.address, "node:18", client(network=network)).tag == "18.20.2"
    assert faulty.seen


def test_the_daemon_knows_mirrors_and_plain_registries(tmp_path: Path) -> None:
    daemon = tmp_path / "daemon.json"
    daemon.write_text(
        '{"registry-mirrors": ["https://u:p@m.example/"], "insecure-registries": ["r.example"]}'
    )
    network = read_network((), {}, daemon)
    assert network.bases("docker.io") == ("https://m.example", "https://registry-1.docker.io")
    assert network.bases("r.example") == ("http://r.example",)
    assert network.bases("s.example") == ("https://s.example",)
    assert network.bases("127.0.0.5:5000") == ("http://127.0.0.5:5000",)
    assert read_network((), {}, tmp_path / "none").bases("r.example") == ("https://r.example",)


def test_a_proxy_is_used(registry: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.path)
        return Response(404, {"Content-Length": "0"}, b"")

    with faults.serve(answer) as address:
        monkeypatch.setenv("http_proxy", f"http://me:{PASSWORD}@{address}")
        monkeypatch.setenv("no_proxy", "")
        network = Network(insecure=("r.example",))
        with pytest.raises(RegistryError, match="there is no 18") as error:
            pin("r.example", "node:18", client(network=network))
        assert asked == ["http://r.example/v2/node/manifests/18"]
        assert pin(registry.address, "node:18").tag == "18.20.2", "not for this machine"
    with pytest.raises(RegistryError, match="the proxy does not answer") as error:
        pin("r.example", "node:18", client(network=network))
    assert PASSWORD not in str(error.value)


def test_tls_through_a_proxy(
    storage: Path, registry: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = make_certificate(tmp_path, "server")
    tls = {"tls": {"certificate": str(certificate), "key": str(key)}}
    with (
        serve(storage, tmp_path, {"http": tls}) as server,
        faults.tunnel(server.address) as (proxy, asked),
    ):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setenv("https_proxy", f"http://me:{PASSWORD}@{proxy}")
        assert pin("r.example", "node:18").tag == "18.20.2"
    login = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert asked[0].startswith("CONNECT r.example:443 ")
    assert f"proxy-authorization: Basic {login}" in map(_lower_name, asked)


def _lower_name(line: str) -> str:
    name, colon, value = line.partition(":")
    return name.lower() + colon + value


@pytest.mark.parametrize(
    ("host", "no_proxy", "expected"),
    [
        ("r.example", "", "http://p"),
        ("r.example", "example", None),
        ("r.example", ".example,x", None),
        ("r.example:5000", "r.example", None),
        ("r.example", "*", None),
        ("notr.example", "r.example", "http://p"),
        ("localhost:5000", "", None),
        ("10.1.2.3:5000", "10.0.0.0/8", None),
        ("11.1.2.3:5000", "10.0.0.0/8", "http://p"),
        ("r.example", "10.0.0.0/8", "http://p"),
    ],
)
def test_which_proxy(host: str, no_proxy: str, expected: str | None) -> None:
    assert find_proxy("https", host, {"HTTPS_PROXY": "http://p", "NO_PROXY": no_proxy}) == expected


# The cache


def test_answers_are_kept_between_runs(faulty: Faulty, tmp_path: Path) -> None:
    now = [1000.0]
    cache = Cache(tmp_path / "c", clock=lambda: now[0])
    first = client(cache=cache)
    found = pin(faulty.address, "node:18", first)
    assert first.requests > 0
    second = client(cache=Cache(tmp_path / "c", clock=lambda: now[0]))
    assert pin(faulty.address, "node:18", second) == found
    assert second.requests == 0
    now[0] += 400
    third = client(cache=Cache(tmp_path / "c", clock=lambda: now[0]))
    faulty.seen.clear()
    assert pin(faulty.address, "node:18", third) == found
    conditions = {r.path.rpartition("/")[2] for r in faulty.seen if r.condition}
    assert "18.20.2" in conditions, "the manifest is asked for only if it is another"


def test_a_cache_that_is_broken_is_none(registry: Server, tmp_path: Path) -> None:
    found = pin(registry.address, "node:18", client(cache=Cache(tmp_path / "c")))
    for path in (tmp_path / "c").iterdir():
        path.write_bytes(path.read_bytes()[:20])
    assert pin(registry.address, "node:18", client(cache=Cache(tmp_path / "c"))) == found
    (tmp_path / "file").write_text("")
    nowhere = Cache(tmp_path / "file" / "c")
    assert pin(registry.address, "node:18", client(cache=nowhere)) == found


def test_a_cached_manifest_that_was_changed_is_no_pin(registry: Server, tmp_path: Path) -> None:
    pin(registry.address, "node:18.3.1", client(cache=Cache(tmp_path)))
    for path in tmp_path.iterdir():
        entry = json.loads(path.read_text())
        if entry["key"].startswith("GET"):
            path.write_text(json.dumps({**entry, "digest": faults.WRONG}))
    with pytest.raises(RegistryError, match="another digest"):
        pin(registry.address, "node:18.3.1", client(cache=Cache(tmp_path)))


def test_fill_is_what_the_registry_serves(registry: Server, storage: Path) -> None:
    digests = fill(storage, "filled", {"1": "seed"})
    assert pin(registry.address, "filled:1").digest == digests["1"]
