"""What the copied sources say: low ports, work of root's, paths outside of the program's folder.

Only lines that look like it are found, and what is found is told with file and line. Python is
then read as Python, so that a comment is none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.reading import BrokenManifestError
from dockerfix.context.sources import TooManyFilesError, read_sources
from dockerfix.image.copies import read_copy
from dockerfix.patterns import pattern
from dockerfix.run_as.account import StaysError
from dockerfix.run_as.ports import FIRST_FREE_PORT
from dockerfix.transform import Workspace

_SUFFIXES = (
    *(".py", ".js", ".mjs", ".cjs", ".ts", ".go", ".rs", ".java", ".kt", ".cs", ".rb"),
    *(".properties", ".ex", ".exs", ".php", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"),
)
_NAMES = ("application.yml", "application.yaml", "appsettings.json")
_SKIPPED = frozenset(
    (
        *("node_modules", "vendor", "test", "tests", "__tests__", "spec", "docs", "examples"),
        *("testdata", "fixtures", "target", "dist", "build", "venv", "migrations", "e2e"),
        *("public", "static", "assets", "wwwroot", "third_party", "bower_components"),
    )
)
#: Texts larger than this are generated, or data.
_MAX_CHARACTERS = 300_000
_MAX_TOTAL = 6_000_000
_PORT = pattern(
    r"\.listen\(\s*(\d{2,3})\b|ListenAndServe(?:TLS)?\(\s*\"[^\":]*:(\d{2,3})\""
    r"|net\.Listen\(\s*\"tcp\",\s*\"[^\":]*:(\d{2,3})\"|\bbind\(\s*\"[^\":]*:(\d{2,3})\""
    r"|\.(?:run|bind|serve|run_app)\([^)\n]*\b(?:port\s*=\s*|,\s*)(\d{2,3})\s*[,)]"
    r"|\bhtons\(\s*(\d{2,3})\s*\)"
    r"|^server\.port\s*=\s*(\d{2,3})\s*$|\bUseUrls\(\s*\"[^\"]*:(\d{2,3})\"",
    8,
)
_ROOT = pattern(
    r"\b(?:exec\w*|spawn\w*|system|popen|Popen|run|call|check_\w+|Command(?:::new)?|ProcessBuilder)"
    r"\(\s*\[?\s*[\"'`](?:/(?:usr/)?s?bin/)?"
    r"(sudo|iptables|ip6tables|mount|umount|modprobe|insmod|tc|nsenter|chroot|useradd|usermod"
    r"|chown|setcap|apt-get|apk|systemctl)[\"'` ]"
    r"|\b(geteuid\(\)\s*[!=]=\s*0|Getuid\(\)\s*[!=]=\s*0|Geteuid\(\)\s*[!=]=\s*0|os\.setuid"
    r"|process\.setuid|AF_PACKET|\bsetuid\(0\)"
    r"|syscall\.Setuid|syscall\.Mount|SOCK_RAW|RPi\.GPIO|rpi-gpio|pcap\.OpenLive"
    r"|gopacket/pcap|scapy\.all|ip4:icmp|unix\.CAP_\w+"
    r"|pcap_(?:create|open_live|activate)|pcap::Capture|Capture::from_device|datalink::channel"
    r"|Type::RAW|unistd::(?:chroot|set\w*[ug]id\w*))"
    r"|(/var/run/docker\.sock|/dev/(?:mem|kmem|gpiomem|i2c-\d|spidev\S*|tty(?:USB|ACM|AMA)\d))"
)
_WRITE = pattern(
    r"\b(?:writeFile(?:Sync)?|appendFile(?:Sync)?|createWriteStream|mkdir(?:Sync|s|p|_p)?|makedirs"
    r"|MkdirAll|os\.Mkdir|os\.Create|WriteFile|FileHandler|RotatingFileHandler|FileWriter"
    r"|FileOutputStream|File\.create|create_dir_all|File::create|sqlite3\.connect|sqlite3\.Database"
    r"|CreateDirectory|OpenWrite|WriteAllText)\w*\(\s*[\"'`](/[\w.\-/]+)"
    r"|\bopen\(\s*[\"'](/[\w.\-/]+)[\"']\s*,\s*(?:mode\s*=\s*)?[\"'][wax]"
    r"|\bOpenFile\(\s*\"(/[\w.\-/]+)\""
    r"|\bfile_put_contents\(\s*[\"'](/[\w.\-/]+)"
    r"|\bfopen\(\s*[\"'](/[\w.\-/]+)[\"']\s*,\s*[\"'][wax]"
    r"|\bofstream\s*\w*\s*[({]\s*\"(/[\w.\-/]+)\""
    r"|\bopen\(\s*\"(/[\w.\-/]+)\"\s*,[^);]*\bO_(?:WRONLY|RDWR|CREAT)"
    r"|sqlite(?:\+\w+)?:///(/[\w.\-/]+)"
)
#: Calls of compiled languages that write, whatever the path.
_WRITE_CALL = pattern(
    r"\bos\.(?:Create|Mkdir|MkdirAll|WriteFile|OpenFile)\b|\bioutil\.WriteFile\b"
    r"|\bfs::(?:write|create_dir|create_dir_all|rename)\b|\bFile::create\b|\bOpenOptions::new\b"
    r"|\bsql\.Open\(\s*\"sqlite"
    r"|\bnew (?:java\.io\.)?(?:FileOutputStream|FileWriter|RandomAccessFile)\("
    r"|\bFiles\.(?:write\w*|copy|move|createDirector\w+|createFile|new\w*Writer|newOutputStream)\("
    r"|\.transferTo\(|\blogging\.file\b"
    r"|\bjdbc:(?:h2:(?!mem)|sqlite:(?!:)|hsqldb:file|derby:(?!memory))"
)
#: They import the program, so that what it does when it is started itself is not done.
_IMPORTERS = frozenset(
    ("gunicorn", "uvicorn", "hypercorn", "daphne", "waitress-serve", "flask", "uwsgi", "granian")
)
_COLUMN_ZERO = pattern(r"^[^\s#)\]}].*", 8)
#: What Maven and Gradle leave.
_BUILT_BEFORE = pattern(r"(?:.*/)?(?:target|build)/|.*\.[jw]ar$")
#: Where anybody may write, in every image.
_FREE = ("/tmp/", "/var/tmp/", "/dev/", "/proc/")


class Written(NamedTuple):
    """A path outside of the program's folder that the sources write."""

    path: str
    where: str


def check_sources(folder: str | None, program: str, workspace: Workspace) -> tuple[Written, ...]:
    """The paths outside of the program's folder that it writes.

    `folder` is None where it has no folder of its own: then everything that it writes is given.
    `program` is the name of what runs.
    Raises StaysError for a low port or work of root's.
    """
    context = workspace.context
    if context is None:
        return ()
    found: list[Written] = []
    total = 0
    for path, text in _texts(context, workspace):
        total += len(text)
        if total > _MAX_TOTAL:
            break
        _check_text(path, text, program)
        found += _written(path, text, folder)
        if folder is None:
            found += _written_anywhere(path, text)
    return tuple(found)


def _texts(context: BuildContext, workspace: Workspace) -> Iterator[tuple[str, str]]:
    copies = [
        copied.source
        for stage in workspace.dockerfile.stages
        for instruction in stage.instructions
        if instruction.keyword in ("COPY", "ADD")
        for copied in read_copy(instruction, workspace) or ()
    ]
    roots = dict.fromkeys(source for copy in copies for source in context.find(copy))
    if any(_BUILT_BEFORE.match(copy) for copy in copies):
        # What runs was built outside of the image, from the sources that lie beside.
        roots = {".": None}
    seen: set[str] = set()
    for root in roots:
        if any(other == "." or root.startswith(f"{other}/") for other in roots if other != root):
            continue
        for path, text in _below(context, "" if root == "." else root):
            generated = "DO NOT EDIT" in text[:400]
            if path not in seen and len(text) <= _MAX_CHARACTERS and not generated:
                seen.add(path)
                yield path, text


def _below(context: BuildContext, root: str) -> Iterator[tuple[str, str]]:
    if root and context.is_file(root):
        if _is_source(posixpath.basename(root)):
            yield root, context.read(root) or ""
        return
    try:
        yield from read_sources(context, root, _is_source, _SKIPPED.__contains__)
    except TooManyFilesError:
        # What was read counts; a tree as large as this is read no further.
        return


def _is_source(name: str) -> bool:
    plain = name.endswith(_SUFFIXES) or name in _NAMES
    return plain and not name.endswith((".test.js", ".test.ts", ".spec.js", ".spec.ts", "_test.go"))


def _check_text(path: str, text: str, program: str) -> None:
    for found, offset in _found(_PORT, text):
        number = int(found)
        if program in _IMPORTERS and path.endswith(".py") and _is_of_main(text, offset):
            continue
        if number < FIRST_FREE_PORT and _is_code(path, text, offset):
            raise StaysError("a port below 1024", f"{path}:{_line(text, offset)}: {number}")
    for word, offset in _found(_ROOT, text):
        if _is_code(path, text, offset):
            raise StaysError("the program may need root", f"{path}:{_line(text, offset)}: {word}")


def _written(path: str, text: str, folder: str | None) -> Iterator[Written]:
    for name, offset in _found(_WRITE, text):
        target = posixpath.normpath(name)
        if f"{target}/".startswith(_FREE) or not _is_code(path, text, offset):
            continue
        if not folder or not f"{target}/".startswith(f"{folder.rstrip('/')}/"):
            yield Written(target, f"{path}:{_line(text, offset)}")


def _written_anywhere(path: str, text: str) -> Iterator[Written]:
    for call, offset in _found(_WRITE_CALL, text):
        if _is_code(path, text, offset):
            yield Written(call, f"{path}:{_line(text, offset)}")


@lru_cache(maxsize=1024)
def _found(regex: re.Pattern[str], text: str) -> tuple[tuple[str, int], ...]:
    """What a pattern finds, by its first group if it has any, and where.

    Kept for the next round, and for the next Dockerfile of the same sources.
    """
    return tuple(
        (next(filter(None, match.groups()), match[0]), match.start())
        for match in regex.finditer(text)
    )


def _is_code(path: str, text: str, offset: int) -> bool:
    """Whether something stands in code, not in a comment or a text of documentation."""
    start = text.rfind("\n", 0, offset) + 1
    if text[start:offset].lstrip().startswith(("#", "//", "*", "/*", "--")):
        return False
    return not path.endswith(".py") or _is_python(path, text, _line(text, offset))


def _is_of_main(text: str, offset: int) -> bool:
    """Whether a place in Python is below `if __name__ == "__main__":`."""
    lines = _COLUMN_ZERO.findall(text[:offset])
    return bool(lines) and lines[-1].startswith("if __name__")


def _is_python(path: str, text: str, line: int) -> bool:
    from dockerfix.context.python_source import read_python_source

    try:
        source = read_python_source(path, text)
    except BrokenManifestError:
        return True
    uses = (*source.writes, *source.ports, *source.programs)
    # A call may begin above the line in which its argument stands.
    near = any(use.line <= line <= use.line + 5 for use in uses)
    return near or any(name in text for name in ("sqlite", "geteuid", "setuid", "SOCK_RAW", "RPi"))


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
