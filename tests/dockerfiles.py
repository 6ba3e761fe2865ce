"""Generated Dockerfiles with every feature of the syntax, for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

words = st.from_regex(r"[a-zA-Z0-9_./=:$-]{1,8}", fullmatch=True)
names = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
line_ends = st.sampled_from(["\n", "\n", "\n", "\r\n"])
blanks = st.sampled_from([" ", " ", "  ", "\t"])
comments = st.text("abc #\\\"'é<", max_size=8).map("#{}".format)


def cased(keyword: str) -> st.SearchStrategy[str]:
    return st.sampled_from([keyword, keyword, keyword.lower(), keyword.capitalize()])


@st.composite
def continued(draw: st.DrawFn, escape: str, newline: str) -> str:
    """Words over one or several lines, with comments and blank lines in between."""
    parts = draw(st.lists(words, min_size=1, max_size=5))
    text = parts[0]
    for part in parts[1:]:
        text += draw(blanks)
        if draw(st.booleans()):
            text += escape + draw(st.sampled_from(["", " ", "\t"])) + newline
            for extra in draw(st.lists(st.one_of(comments, st.just("")), max_size=2)):
                text += draw(st.sampled_from(["", "  "])) + extra + newline
            text += draw(st.sampled_from(["", "    "]))
        text += part
    return text


@st.composite
def heredocs(draw: st.DrawFn, newline: str) -> str:
    keyword, tail = draw(st.sampled_from([("RUN", ""), ("COPY", " /x"), ("ADD", " /y")]))
    found = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    marks, bodies = [], []
    for name in found:
        quote = draw(st.sampled_from(["", "'", '"']))
        dash = draw(st.sampled_from(["", "-"]))
        marks.append(f"<<{dash}{quote}{name}{quote}")
        lines = draw(st.lists(st.text("ab <\t\\#$", max_size=6).map("x{}".format), max_size=3))
        tab = "\t" if dash else ""
        bodies += [*lines, tab + name]
    onbuild = draw(st.sampled_from(["", "", "ONBUILD "]))
    head = f"{onbuild}{keyword} {' '.join(marks)}{tail}"
    return newline.join([head, *bodies])


@st.composite
def instructions(draw: st.DrawFn, escape: str, newline: str) -> str:
    body = continued(escape, newline)
    shell_form = st.builds("{} {}".format, cased("RUN"), body)
    exec_form = st.builds(
        '{} ["{}", "b c"]'.format, st.sampled_from(["CMD", "RUN", "entrypoint"]), names
    )
    pairs = st.builds(
        "{} {}={}".format, st.sampled_from(["ENV", "LABEL", "env"]), names, st.just('"a b"')
    )
    return draw(
        st.one_of(
            shell_form,
            exec_form,
            pairs,
            heredocs(newline),
            st.builds("ENV {} {}".format, names, body),
            st.builds("COPY --from={} --chown={} {} /x".format, names, names, words),
            st.builds("{} --mount=type=cache,target=/x {}".format, cased("RUN"), body),
            st.builds("HEALTHCHECK --interval=3s CMD {}".format, body),
            st.builds("ONBUILD {} {}".format, st.sampled_from(["RUN", "run", "WORKDIR"]), body),
            st.builds("WORKDIR {}".format, words),
            st.builds("USER {}".format, words),
            st.builds("ARG {}={}".format, names, words),
            st.builds("FROM {} AS {}".format, names, names),
            st.just("RUN cat <<< x"),
            st.just("RUN echo $((1<<2)) '<<E'"),
        )
    )


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """A Dockerfile that parses."""
    newline = draw(line_ends)
    escape = draw(st.sampled_from(["\\", "\\", "\\", "`"]))
    lines = []
    if draw(st.booleans()):
        lines.append("# syntax=docker/dockerfile:1")
    if escape == "`":
        lines.append("# escape=`")
    lines.append("FROM base")
    other = st.one_of(comments, st.sampled_from(["", "  ", "\t"]))
    parts = st.one_of(instructions(escape, newline), instructions(escape, newline), other)
    lines += draw(st.lists(parts, max_size=8))
    text = newline.join(lines) + draw(st.sampled_from([newline, ""]))
    return draw(st.sampled_from(["", "", "\ufeff"])) + text
