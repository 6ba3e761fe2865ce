"""Programs for .NET: the folder that `dotnet publish` fills.

Source: learn.microsoft.com, "dotnet publish", "Tutorial: Containerize a .NET app".
"""

from __future__ import annotations

import posixpath

from dockerfix.knowledge.runtime_images import dotnet_runtime
from dockerfix.splitting.plan import NotSplitError, Plan, Program
from dockerfix.transform import Evidence


def plan_dotnet(program: Program) -> Plan | None:
    """How it is split; None when nothing is published. Raises NotSplitError."""
    publishes = [
        call for _, call in program.calls("build") if call.words[:2] == ("dotnet", "publish")
    ]
    if not publishes:
        return None
    publish = publishes[-1]
    base = dotnet_runtime(program.base)
    if base is None:
        raise NotSplitError("no runtime image of the same version is known", program.base)
    output = _output(publish.words, publish.directory)
    words = program.entry.main
    if words[0] != "dotnet" or len(words) < 2 or not words[1].endswith(".dll"):
        raise NotSplitError("the entry runs no published program", " ".join(words[:2]))
    library = posixpath.normpath(posixpath.join(program.folder, words[1]))
    if posixpath.dirname(library) != output:
        raise NotSplitError("the entry is not what is built", library)
    return Plan(
        base,
        ((output, output),),
        "the .NET SDK, its packages and the sources",
        (Evidence(" ".join(publish.words), f"fills {output}, from which {words[1]} runs"),),
    )


def _output(words: tuple[str, ...], directory: str | None) -> str:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-o", "--output") and directory is not None:
            return posixpath.normpath(posixpath.join(directory, following))
    raise NotSplitError("where the program is published is not known")
