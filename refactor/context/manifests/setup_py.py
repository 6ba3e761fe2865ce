"""setup.py, read and never run. Source: setuptools.pypa.io/en/latest/references/keywords.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dockerfix.context.manifests.pyproject import canonical, requirement_name
from dockerfix.context.manifests.reading import BrokenManifestError, read_text

if TYPE_CHECKING:
    import libcst

    from dockerfix.context.build_context import BuildContext


class SetupScript(NamedTuple):
    """A setup.py: the keywords of its `setup()`."""

    path: str
    keywords: frozenset[str]
    #: None: they are computed.
    dependencies: tuple[str, ...] | None
    #: Whether running it does more than call `setup()` with plain values: it reads or imports.
    computes: bool

    @property
    def compiles(self) -> bool:
        """Whether it builds extensions, or hooks into the build."""
        return not self.keywords.isdisjoint(("ext_modules", "cmdclass", "cffi_modules"))


def read_setup_script(context: BuildContext, folder: str = "") -> SetupScript | None:
    """The setup.py of a folder; None when there is none. Raises BrokenManifestError."""
    found = read_text(context, folder, "setup.py")
    if found is None:
        return None
    import libcst

    path, text = found
    try:
        module = libcst.parse_module(text)
    except libcst.ParserSyntaxError as error:
        raise BrokenManifestError(path, error.raw_line, "no Python 3") from error
    except (RecursionError, UnicodeError, ValueError) as error:
        raise BrokenManifestError(path, 1, "no Python 3") from error
    call = _setup_call(module)
    arguments = {
        argument.keyword.value: argument.value
        for argument in (call.args if call is not None else ())
        if argument.keyword is not None
    }
    required = arguments.get("install_requires")
    names = _texts(required) if required is not None else ()
    return SetupScript(
        path,
        frozenset(arguments),
        tuple(canonical(requirement_name(n) or "") for n in names) if names is not None else None,
        call is None or "open(" in text or "read_text(" in text,
    )


def _setup_call(module: libcst.Module) -> libcst.Call | None:
    import libcst

    waiting: list[libcst.CSTNode] = [module]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, libcst.Call):
            name = node.func
            last = name.attr if isinstance(name, libcst.Attribute) else name
            if isinstance(last, libcst.Name) and last.value == "setup":
                return node
        waiting.extend(node.children)
    return None


def _texts(node: libcst.BaseExpression) -> tuple[str, ...] | None:
    """The texts of a literal list; None for anything else."""
    import libcst

    if not isinstance(node, libcst.List | libcst.Tuple):
        return None
    found: list[str] = []
    for element in node.elements:
        value = element.value
        text = value.evaluated_value if isinstance(value, libcst.SimpleString) else None
        if not isinstance(text, str):
            return None
        found.append(text)
    return tuple(found)
