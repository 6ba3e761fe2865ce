"""Whether uv takes the Python of the image.

Source: docs.astral.sh/uv ("Python versions": one that fits is looked for before one is fetched).
"""

from __future__ import annotations

from dockerfix.context.build_context import BuildContext
from dockerfix.context.manifests.pyproject import read_pyproject
from dockerfix.knowledge.python_packages import python_version
from dockerfix.patterns import pattern
from dockerfix.splitting.plan import NotSplitError
from dockerfix.syntax.image_name import read_image

#: `>=3.10`, `>=3.10,<4`.
_LEAST = pattern(r">=3\.(\d+)(?:\.\d+)?(?:,<4(?:\.0)*)?")


def check_interpreter(image: str, context: BuildContext) -> None:
    """Raises NotSplitError where uv may fetch a Python of its own, which would stay behind."""
    version = python_version(read_image(image).tag)
    wanted = (context.read(".python-version") or "").strip()
    manifest = read_pyproject(context)
    required = (manifest.requires_python if manifest is not None else None) or ">=3.0"
    least = _LEAST.fullmatch(required.replace(" ", ""))
    if version is None or least is None or version[1] < int(least[1]):
        raise NotSplitError("uv may fetch a Python of its own", required)
    here = ".".join(map(str, version))
    if wanted and not f"{wanted}.".startswith(f"{here}."):
        raise NotSplitError("uv may fetch a Python of its own", wanted)
