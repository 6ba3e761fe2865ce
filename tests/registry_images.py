"""What the registries of the tests hold."""

from __future__ import annotations

from pathlib import Path

from tests.registry import Server, fill

#: Repositories for asking about many references at once.
MANY = 30


def node_tags() -> dict[str, str]:
    """Tags and seeds as an image with several majors and variants has them: some 700."""
    tags: dict[str, str] = {}
    for major, minors in ((16, 10), (18, 20), (20, 12), (21, 3)):
        for minor in range(minors + 1):
            for patch in range(3):
                version = f"{major}.{minor}.{patch}"
                for variant, family in _VARIANTS.items():
                    seed = f"node {version} {family}"
                    names = [version]
                    # The last of a line is what its shorter names mean.
                    names += [f"{major}.{minor}"] if patch == 2 else []
                    names += [f"{major}"] if patch == 2 and minor == minors else []
                    tags.update({f"{name}{variant}": seed for name in names})
    for name, version in (("latest", "21.3.2"), ("current", "21.3.2"), ("lts", "20.12.2")):
        tags[name] = f"node {version} debian"
        tags[f"{name}-alpine"] = f"node {version} alpine"
    tags["alpine"] = "node 21.3.2 alpine"
    tags["slim"] = "node 21.3.2 slim"
    tags["22.0.0-rc.1"] = "node 22.0.0-rc.1"
    return tags


_VARIANTS = {
    "": "debian",
    "-bookworm": "debian",
    "-alpine": "alpine",
    "-alpine3.20": "alpine",
    "-slim": "slim",
}


def fill_storage(storage: Path) -> None:
    fill(storage, "node", node_tags())
    days = ("20250520", "20250610", "20250630")
    debian = {f"bookworm-{day}{v}": f"{day}{v}" for day in days for v in ("", "-slim")}
    debian |= {f"{name}{v}": f"20250630{v}" for name in ("bookworm", "12") for v in ("", "-slim")}
    fill(storage, "debian", debian)
    for number in range(MANY):
        tags = {}
        for major in range(10):
            for name in (f"{major}", f"{major}.1.4"):
                tags[name] = f"{number} {major}.1.4"
        fill(storage, f"many/app{number}", tags)


def push_images(server: Server) -> None:
    """What goes in over the API: every kind of manifest."""
    server.index("kinds/oci", ("1", "1.2.3"), "oci")
    server.index("kinds/list", ("1", "1.2.3"), "list", docker=True)
    server.index("kinds/attested", ("1", "1.2.3"), "attested", attested=True)
    for tag in ("1", "1.2.3"):
        server.image("kinds/single", tag, "single")
        server.image("kinds/single-docker", tag, "single", docker=True)
    server.index("team/tool", ("2", "2.0.1"), "tool")
