"""Files that a compiled program opens when it runs, and that the new image has no more."""

from __future__ import annotations

from collections.abc import Iterator

from dockerfix.verify.findings import Finding
from dockerfix.verify.image import Image
from dockerfix.verify.trace import Trace

#: More folders and files of a program are not looked for.
_MOST_WORDS = 60
#: Fewer octets occur anywhere.
_SHORTEST = 16
_CONTENT = "content of "


def words_of(image: Image) -> dict[str, bytes]:
    """What a program would name to open the data in its folder, and how that data begins.

    A folder is named with its slash (`templates/`), a file in the program's own folder by its name.
    """
    found: dict[str, bytes] = {}
    for path, head in image.tree.data.items():
        word = _word(path, image.folder)
        if word and word not in found and len(found) < _MOST_WORDS:
            found[word] = word.encode("utf-8", "surrogateescape")
            if len(head) >= _SHORTEST:
                found[f"{_CONTENT}{word}"] = head
    return found


def data_losses(before: Image, after: Image, new: Trace) -> Iterator[Finding]:
    """Data that is gone, though a program names it and does not hold it in itself."""
    told: set[str] = set()
    for path in before.tree.data:
        word = _word(path, before.folder)
        if not word or word in told or path in after.tree.nodes:
            continue
        for program in new.programs:
            named = after.tree.names.get(program, frozenset())
            if word in named and f"{_CONTENT}{word}" not in named:
                told.add(word)
                text = f"/{path} is gone, and /{program} names {word}"
                yield Finding("data", text)


def _word(path: str, folder: str) -> str:
    root = folder.strip("/")
    if not root or not path.startswith(f"{root}/"):
        return ""
    top, slash, _ = path[len(root) + 1 :].partition("/")
    return top + slash
