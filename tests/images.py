"""Images for tests, made in memory: tar streams, programs, archives."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from typing import Any

from dockerfix.verify.image import Image
from dockerfix.verify.tree import Tree, read_tree

Entry = tuple[str, dict[str, Any]]


def file(path: str, content: bytes | str = b"x", mode: int = 0o644, **more: Any) -> Entry:  # noqa: ANN401
    octets = content.encode() if isinstance(content, str) else content
    return path, {"content": octets, "mode": mode, **more}


def program(path: str, *needed: str, **more: Any) -> Entry:  # noqa: ANN401
    return file(path, elf(needed=needed, **more), 0o755)


def link(path: str, target: str) -> Entry:
    return path, {"type": tarfile.SYMTYPE, "linkname": target}


def folder(path: str, mode: int = 0o755, **more: Any) -> Entry:  # noqa: ANN401
    return path, {"type": tarfile.DIRTYPE, "mode": mode, **more}


def tar(*entries: Entry) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, options in entries:
            member = tarfile.TarInfo(name)
            rest = dict(options)
            content = rest.pop("content", b"")
            member.size = len(content)
            for key, value in rest.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    stream.seek(0)
    return stream


def tree(*entries: Entry) -> Tree:
    return read_tree(tar(*entries))


def image(*entries: Entry, **config: Any) -> Image:  # noqa: ANN401
    return Image(tree(*entries), config)


def jar(main: str, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\nMain-Class: {main}\n")
        for name in names:
            archive.writestr(name, b"x")
    return stream.getvalue()


def elf(
    needed: tuple[str, ...] = (),
    interpreter: str = "",
    runpath: str = "",
    versions: tuple[tuple[str, str], ...] = (),
    offers: tuple[str, ...] = (),
    text: bytes = b"",
) -> bytes:
    """A 64 bit little-endian file for x86_64 with nothing but a dynamic section."""
    names = bytearray(b"\0")

    def name(value: str) -> int:
        names.extend(value.encode() + b"\0")
        return len(names) - len(value) - 1

    dynamic = [(1, name(value)) for value in needed]
    if runpath:
        dynamic.append((29, name(runpath)))
    wants = b"".join(
        struct.pack("<HHIII", 1, 1, name(library), 16, 32 if index + 1 < len(versions) else 0)
        + struct.pack("<IHHII", 0, 0, 2, name(version), 0)
        for index, (library, version) in enumerate(versions)
    )
    gives = b"".join(
        struct.pack("<HHHHIII", 1, 0, index + 1, 1, 0, 20, 28 if index + 1 < len(offers) else 0)
        + struct.pack("<II", name(version), 0)
        for index, version in enumerate(offers)
    )
    loader = interpreter.encode() + b"\0"
    base = 64 + 3 * 56
    places = {"interp": base, "names": base + len(loader)}
    places["wants"] = places["names"] + len(names)
    places["gives"] = places["wants"] + len(wants)
    places["dynamic"] = places["gives"] + len(gives)
    dynamic.append((5, places["names"]))
    if versions:
        dynamic += [(0x6FFFFFFE, places["wants"]), (0x6FFFFFFF, len(versions))]
    if offers:
        dynamic += [(0x6FFFFFFC, places["gives"]), (0x6FFFFFFD, len(offers))]
    table = b"".join(struct.pack("<QQ", *entry) for entry in [*dynamic, (0, 0)])
    size = places["dynamic"] + len(table)
    segments = [(1, 0, size), (2, places["dynamic"], len(table))]
    if interpreter:
        segments.append((3, places["interp"], len(loader)))
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    for kind, offset, length in segments:
        head += struct.pack("<IIQQQQQQ", kind, 4, offset, offset, offset, length, length, 8)
    body = loader + bytes(names) + wants + gives + table
    return head.ljust(base, b"\0") + body + text
