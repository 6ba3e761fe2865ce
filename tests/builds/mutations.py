"""Wrong rewrites, made from right ones."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """A mistake: in the refactored file of an application, a pattern becomes something else."""

    name: str
    app: str
    pattern: str
    replacement: str

    def apply(self, code: str) -> str:
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
        r"--chown=10001:10001 | .\n\s*&& chown 10001:10001 /code",
        "",
    ),
    Mutation("changed CMD", "node-express", r'CMD \["npm", "start"\]', 'CMD ["npm", "test"]'),
    Mutation("environment variable lost", "node-yarn", r"^ENV HOME_DIR=/opt/app\n", ""),
    Mutation("production dependencies lost", "node-express", r"^COPY .*node_modules.*\n", ""),
    Mutation("build output lost", "node-typescript", r" /app /app$", " /app/src /app/src"),
    Mutation("program of the entry lost", "go-static", r"^COPY --from=build.*\n", ""),
    Mutation(
        "musl with a program of glibc", "go-templates", r"FROM debian:\S+", "FROM alpine:3.20"
    ),
    Mutation("environment of Python lost", "python-flask", r"^COPY --from=build /opt/venv.*\n", ""),
)
