"""Image names and tags: how they are read, and in which order they stand."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

import dockerfix
from dockerfix.registry.lockfile import Pin
from dockerfix.registry.reference import ReferenceError, parse_reference
from dockerfix.registry.tags import more_specific, newest, read_tag
from dockerfix.syntax.images import image_uses
from dockerfix.transforms.pin_tags import lock_key
from tests.corpus import flat_files, read

DIGEST = "sha256:" + "a" * 64
#: Names with what github.com/distribution/reference makes of them: `tests/references/main.go`.
ORACLE = json.loads((Path(__file__).parent / "references" / "names.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("tag", "others", "expected"),
    [
        ("3.11-slim", ["3.11.9-slim", "3.11.10-slim", "3.11.10", "3.12.1-slim"], "3.11.10-slim"),
        ("latest", ["1.9.0", "1.10.0", "1.10.0-alpine", "2.0.0-rc.1"], "1.10.0"),
        ("", ["1.9.0", "1.10.0"], "1.10.0"),
        ("lts-alpine", ["22.1.0-alpine", "22.1.0"], "22.1.0-alpine"),
        ("17-jre-jammy", ["17.0.13_11-jre-jammy", "17.0.12_7-jre-jammy", "17.0.13_11-jdk-jammy"],
         "17.0.13_11-jre-jammy"),
        ("8-jdk", ["8u422-b05-jdk", "8u432-b06-jdk", "8u432-b06-jre"], "8u432-b06-jdk"),
        ("3.9-eclipse-temurin-17", ["3.9.9-eclipse-temurin-17", "3.9.9-eclipse-temurin-21"],
         "3.9.9-eclipse-temurin-17"),
        ("8.0-bookworm-slim-amd64", ["8.0.11-bookworm-slim-amd64", "8.0.11-bookworm-slim"],
         "8.0.11-bookworm-slim-amd64"),
        ("bookworm", ["bookworm-20250520", "bookworm-20250610", "bookworm-slim"],
         "bookworm-20250610"),
        ("bookworm-slim", ["bookworm-20250610", "bookworm-20250610-slim", "12.11-slim"],
         "bookworm-20250610-slim"),
        ("24.04", ["24.10", "noble-20241118.1", "noble"], "noble-20241118.1"),
        ("2023", ["2023.6.20241212.0", "2023.6.20241031.0", "2.0.20241217.0"],
         "2023.6.20241212.0"),
        ("v2", ["v2.10.1", "2.11.0"], "v2.10.1"),
        ("alpine", ["1.27.1-alpine3.20", "1.27.1-alpine", "1.27.1"], "1.27.1-alpine3.20"),
        ("alpine-slim", ["1.27.3-alpine3.20-slim", "1.27.3-alpine"], "1.27.3-alpine3.20-slim"),
        ("8-alpine3", ["8.1.0-alpine3.9", "8.1.0-alpine3.20"], "8.1.0-alpine3.20"),
        ("fpm", ["8.3.1-fpm", "8.3.1-fpm-alpine", "8.3.1"], "8.3.1-fpm"),
        ("3.14-rc-slim", ["3.14.0rc2-slim", "3.13.1-slim"], "3.14.0rc2-slim"),
        ("edge", ["20240923", "3.20.3"], "3.20.3"),
        ("10.2-minimal", ["10.2-minimal-20260602", "10.2-20260602"], "10.2-minimal-20260602"),
        ("11-headless", ["11.0.32-al2023-headless", "11.0.32-al2023"], "11.0.32-al2023-headless"),
        ("18", ["18.1.0-alpine", "18.0.9"], "18.0.9"),
        ("lts-krypton", ["24.19.0-alpine", "24.19.0"], "24.19.0"),
        ("jod-alpine", ["22.23.2-alpine", "22.23.2"], "22.23.2-alpine"),
        ("8.6-rc-fpm", ["8.6.0beta1-fpm", "8.5.9-fpm"], "8.6.0beta1-fpm"),
        ("8.4-rc-fpm", ["8.4.25RC1-fpm", "8.4.24-fpm"], "8.4.25RC1-fpm"),
    ],
)  # fmt: skip
def test_the_likeliest_tag(tag: str, others: list[str], expected: str) -> None:
    assert more_specific(tag, others)[0] == expected


@pytest.mark.parametrize(
    ("tag", "others"),
    [
        ("18", ["19.0.0", "18.0.0-beta", "v18.1.0", "180.0.0"]),
        ("18-alpine", ["18.1.0", "18.1.0-slim", "18.1.0-beta-alpine"]),
        ("8-jdk1", ["8.1.0-jdk17"]),
        ("bookworm", ["bullseye-20250520", "bookworm-backports", "bookworm-20250520-slim"]),
        ("2022-latest", ["2022-CU15-ubuntu-22.04"]),
    ],
)
def test_what_is_another_image(tag: str, others: list[str]) -> None:
    assert more_specific(tag, others) == []


def test_newest_of_each_major_comes_first() -> None:
    """`lts` and `stable` are not the newest of all; few requests are to find them."""
    tags = [f"{a}.{b}.{c}" for a in (18, 20, 22) for b in range(9) for c in range(9)]
    assert more_specific("lts", tags)[:5] == ["22.8.8", "20.8.8", "18.8.8", "22.7.8", "22.6.8"]


@pytest.mark.parametrize(
    ("tag", "exact"),
    [
        ("18.20.4", True), ("18.20", False), ("3.11.7-slim", True), ("latest", False),
        ("bookworm-20250520", True), ("noble-20241118.1", True), ("20240923", True),
        ("8u432-b06-jdk", True), ("17.0.13_11-jre", True), ("24.04", False), ("", False),
    ],
)  # fmt: skip
def test_exact_tags(tag: str, exact: bool) -> None:
    assert read_tag(tag).is_exact is exact


@pytest.mark.parametrize(
    ("tag", "others", "kept", "expected"),
    [
        ("18.20.3", ["18.20.10", "18.20.9", "18.21.0", "19.0.0"], 2, "18.20.10"),
        ("18.20.3", ["18.20.10", "18.21.0", "19.0.0"], 1, "18.21.0"),
        ("18.20.3", ["18.21.0", "19.0.0", "20.0.0-rc.1", "21"], 0, "19.0.0"),
        ("18.20.3", ["18.20.2", "18.20.3"], 1, None),
        ("18.20.3-alpine3.19", ["18.20.4-alpine3.20", "18.20.4", "18.20.4-alpine3.19"], 1,
         "18.20.4-alpine3.19"),
        ("3.20.3", ["20240923", "3.21.0"], 0, "3.21.0"),
        ("2023.6.20241031.0", ["2023.6.20241212.0", "2.0.20241217.0"], 1, "2023.6.20241212.0"),
        ("8u422-b05-jdk", ["8u432-b06-jdk", "8u432-b06-jre", "11.0.25_9-jdk"], 1, "8u432-b06-jdk"),
        ("bookworm-20250520-slim", ["bookworm-20250610-slim", "bookworm-20250710"], 1,
         "bookworm-20250610-slim"),
        ("v2.1.0", ["v2.2.0", "2.3.0"], 1, "v2.2.0"),
        ("bookworm", ["trixie", "bookworm-20250520"], 0, None),
    ],
)  # fmt: skip
def test_what_follows(tag: str, others: list[str], kept: int, expected: str | None) -> None:
    assert newest(tag, others, kept) == expected


# Names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("node", "node"),
        ("library/node:18", "node:18"),
        ("docker.io/library/node:18", "node:18"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
        (f"ghcr.io/a/b@{DIGEST}", f"ghcr.io/a/b@{DIGEST}"),
    ],
)
def test_references(text: str, name: str) -> None:
    assert str(parse_reference(text)) == name


@pytest.mark.parametrize("text", ORACLE)
def test_names_mean_what_the_reference_implementation_says(text: str) -> None:
    try:
        found = parse_reference(text)
    except ReferenceError:
        # It takes `ex_ample.com/app` for a name without a host: nobody could be asked for that.
        assert ORACLE[text] is None or ORACLE[text][0] == ""
        return
    assert [found.domain, found.path, found.tag, found.digest] == ORACLE[text]


# The corpus

#: The grammar of github.com/distribution/reference, written down in one piece.
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_ALGORITHM = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
GRAMMAR = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[\w][\w.-]{{0,127}})?"
    rf"(?:@{_ALGORITHM}:[0-9a-fA-F]{{32,}})?",
    re.ASCII,
)


def classify(text: str) -> str:
    """What kind of base an image use has."""
    try:
        reference = parse_reference(text)
    except ReferenceError:
        return "no reference"
    if reference.digest:
        return "digest"
    if not reference.tag:
        return "no tag"
    return "exact tag" if read_tag(reference.tag).is_exact else "moving tag"


def kinds_of_bases(code: str) -> Counter[str]:
    """Every FROM of a file by its kind."""
    dockerfile = dockerfix.parse(code)
    found: Counter[str] = Counter()
    uses = {use.line: use for use in image_uses(dockerfile)}
    for stage in dockerfile.stages:
        use = uses.get(stage.start.line)
        if stage.base.lower() == "scratch":
            found["scratch"] += 1
        elif use is None:
            found["stage"] += 1
        elif use.reason:
            found[f"unresolvable: {use.reason}"] += 1
        else:
            by = "argument, " if use.text != stage.base else ""
            found[by + classify(use.text)] += 1
    return found


def test_every_base_of_the_corpus_has_a_kind() -> None:
    found: Counter[str] = Counter()
    froms = 0
    for path in flat_files():
        code = read(path)
        dockerfile = dockerfix.parse(code)
        if dockerfile.errors:
            continue
        froms += len(dockerfile.stages)
        found += kinds_of_bases(code)
        for use in image_uses(dockerfile):
            if not use.reason:
                grammatical = GRAMMAR.fullmatch(use.text) is not None
                assert (classify(use.text) != "no reference") == grammatical, use.text
    assert sum(found.values()) == froms
    assert found["moving tag"] > found["digest"]
    print(*(f"{count:6} {kind}" for kind, count in found.most_common()), sep="\n")


def test_pins_of_the_corpus_land_where_they_belong() -> None:
    """Every image is known to a lock: FROM means what it did, or the pin of that."""
    changed = 0
    for path in flat_files()[::3]:
        code = read(path)
        before = dockerfix.parse(code)
        uses = [use for use in image_uses(before) if not use.reason]
        pins = {}
        for use in uses:
            if classify(use.text) in ("no tag", "moving tag"):
                key = lock_key(parse_reference(use.text))
                pins[key] = Pin(key, f"{key.rpartition(':')[2]}.7.8.9", DIGEST, (), "2026-11-24")
        if before.errors or not pins:
            continue
        result = dockerfix.refactor(code, select=("pin-tags",), pins=tuple(pins.values()))
        after = dockerfix.parse(result.code)
        changed += result.changed
        for old, new in zip(before.stages, after.stages, strict=True):
            was, now = old.resolved_base, new.resolved_base
            if was == now or was is None:
                continue
            key = lock_key(parse_reference(was.strip("\"'")))
            assert now is not None
            assert lock_key(parse_reference(now.strip("\"'"))).endswith(pins[key].tag), path
            assert old.name == new.name
        again = dockerfix.refactor(result.code, select=("pin-tags",), pins=tuple(pins.values()))
        assert not again.changed, path
    assert changed > 1000
