"""Wrong rewrites, made from right ones: mistakes that `dockerfix verify` has to see."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mistake: in the refactored file of an application, a pattern becomes something else."""

    name: str
    app: str
    pattern: str
    replacement: str

    def apply(self, code: str) -> str:
        """The file with the mistake; the same file when the pattern is not in it."""
        return re.sub(self.pattern, self.replacement, code, flags=re.MULTILINE)


MUTATIONS = (
    Mutation("runtime library left out", "python-libpq", r" libpq5\b", ""),
    Mutation(
        "wrong jar",
        "java-maven",
        r"target/demo-1\.0\.jar (/app/target/demo)",
        r"target/original-demo-1.0.jar \1",
    ),
    Mutation("missing template folder", "go-templates", r"^COPY .*templates.*\n", ""),
    Mutation(
        "user without write access",
        "python-django",
        r"(--chown=10001:10001 (?=\. )| \\\n\s*&& chown 10001:10001 /code)",
        "",
    ),
    Mutation("environment variable lost", "go-certificates", r"^ENV TZ=.*\n", ""),
    Mutation("changed CMD", "node-express", r"^CMD .*$", 'CMD ["node", "--help"]'),
    Mutation(
        "CA certificates dropped",
        "go-certificates",
        r"^COPY .*/ca-certificates\.crt\n",
        "",
    ),
    Mutation(
        "musl with modules of glibc",
        "node-native",
        r"^FROM node:20-slim AS runtime\n(RUN apt-get.*\n(    .*\n)*)?",
        "FROM node:20-alpine AS runtime\n",
    ),
    Mutation("locale missing", "python-locale", r"\blocale-gen\b(?!\S)", "true"),
    Mutation("file mode lost", "python-django", r"^(COPY )(.*\. /code)$", r"\1--chmod=644 \2"),
    Mutation("production dependencies lost", "node-express", r"^COPY .*node_modules.*\n", ""),
    Mutation(
        "build output lost",
        "node-typescript",
        r"^COPY .* /app(/dist)? /app(/dist)?\n",
        "",
    ),
    Mutation("program of the entry lost", "go-static", r"^COPY --from=build.*\n", ""),
    Mutation("environment of Python lost", "python-flask", r"^COPY --from=build /opt/venv.*\n", ""),
)
