"""Compare what `.dockerignore` keeps out with what a real builder sends, on generated files.

    python scripts/compare_ignore_with_engine.py [--files N] [--seed N]

Needs `docker` and an engine. Exit code 1 when a path is decided in another way.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from dockerfix.context.ignore import parse_ignore_file

NAMES = ("a", "b", "ab", ".a", "abc")
LEAVES = ("a", "b", "f", "*")
ATOMS = ("a", "b", "ab", "*", "**", "?", "a*", "*b", ".a", "[ab]", "[^a]", "a?", "\\*")


def make_pattern(chance: random.Random) -> str:
    text = "/".join(chance.choice(ATOMS) for _ in range(chance.randint(1, 3)))
    for prefix, often in (("/", 0.15), ("./", 0.15), ("!", 0.3)):
        text = prefix + text if chance.random() < often else text
    return text + "/" if chance.random() < 0.2 else text


def lay_out(root: Path) -> set[str]:
    paths = {"/".join(parts) for parts in product(NAMES, NAMES, LEAVES)}
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return paths


def sent_by_engine(root: Path, out: Path) -> set[str] | None:
    """What the builder is sent; None when it refuses the file."""
    command = ["docker", "build", "-q", "--output", f"type=local,dest={out}", str(root)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    found = {
        os.path.relpath(os.path.join(d, n), out) for d, _, names in os.walk(out) for n in names
    }
    return found - {"Dockerfile", ".dockerignore"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    compared = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "context")
        paths = lay_out(root)
        for number in range(arguments.files):
            text = "\n".join(make_pattern(chance) for _ in range(chance.randint(1, 4))) + "\n"
            (root / ".dockerignore").write_text(text)
            sent = sent_by_engine(root, Path(folder, str(number)))
            if sent is None:
                continue
            rules = parse_ignore_file(text)
            compared += 1
            if sent != {path for path in paths if not rules.ignores(path)}:
                wrong += 1
                print(f"another answer for {text.split()}")
    print(f"{compared} files compared, {wrong} with another answer")
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
