"""The page of `dockerfix verify --format html` in a real browser, in light and in dark.

    python -m pytest tests/browser_page.py

Needs chromium and fails without it; `.ci/run` installs it. Not part of a plain `pytest`.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockerfix.report.verify_page import render_html
from tests.test_verify_report import BROKEN, EMPTY, full_verdict

#: The ground of the page, as verify.css has it.
GROUNDS = {"light": (0xFF, 0xFF, 0xFF), "dark": (0x12, 0x16, 0x1C)}
#: `blink::mojom::PreferredColorScheme`: 0 is dark, 1 light.
SCHEMES = {"light": "1", "dark": "0"}


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "no chromium: apt-get install chromium"
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--enable-logging=stderr", f"--user-data-dir={page.parent / 'profile'}", *options]
    return subprocess.run(
        [*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )


@pytest.fixture
def page(tmp_path: Path) -> Path:
    place = tmp_path / "page.html"
    place.write_text(render_html([full_verdict(), EMPTY, BROKEN]), encoding="utf-8")
    return place


@dataclass(frozen=True)
class Shot:
    size: tuple[int, int]
    #: Of the pixel in the corner: what a filter stores of the first pixel is the pixel itself.
    ground: tuple[int, int, int]
    #: Text and bars make many different rows; an empty page has one or two.
    rows: int


def read_png(octets: bytes) -> Shot:
    assert octets.startswith(b"\x89PNG")
    width, height, depth, kind = struct.unpack(">IIBB", octets[16:26])
    assert (depth, kind) in ((8, 2), (8, 6))
    data, place = b"", 8
    while place < len(octets):
        size, name = struct.unpack(">I4s", octets[place : place + 8])
        data += octets[place + 8 : place + 8 + size] if name == b"IDAT" else b""
        place += size + 12
    raw = zlib.decompress(data)
    stride = 1 + width * (3 if kind == 2 else 4)
    rows = {raw[start : start + stride] for start in range(0, len(raw), stride)}
    return Shot((width, height), (raw[1], raw[2], raw[3]), len(rows))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 420])
def test_the_page_is_drawn(page: Path, scheme: str, width: int) -> None:
    shot = page.with_name("shot.png")
    done = browse(
        page,
        f"--window-size={width},3000",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        f"--screenshot={shot}",
    )
    assert "Refused to" not in done.stderr
    found = read_png(shot.read_bytes())
    assert found.size == (width, 3000)
    assert found.ground == GROUNDS[scheme]
    assert found.rows > 200


def test_no_script_runs_and_all_parts_are_there(page: Path) -> None:
    told = browse(page, "--dump-dom").stdout
    assert told.count("<section") == 3
    assert told.count("<figure>") == 7
    assert "<script" not in told
    assert "&lt;script&gt;alert(1)" in told
