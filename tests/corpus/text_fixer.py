"""Mends the text of plans that can't be read as YAML, by their messages alone."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cxcausal.cli.starter import starter_plan

Told = Mapping[str, str]
"""One problem as `--json` prints it: where, code, what, mend."""
Mended = Callable[[list[str], int, int], None]
"""Changes lines at a line and a column, both from 0."""


def place_of(problem: Told) -> tuple[int, int]:
    """Return the line and the column that a message names, both from 1."""
    line, column = problem["where"].rsplit(":", 2)[1:]
    return int(line), int(column)


def mend_text(path: Path, problems: Sequence[Told]) -> None:
    """Mend what keeps a file from being read; the latest place first, so that the others stay where they are."""
    mends = " ".join(problem["mend"] for problem in problems)
    if "save it as UTF-8" in mends:
        path.write_text(decoded(path.read_bytes()), encoding="utf-8")
    elif "makes a first plan" in mends:
        path.write_text(starter_plan("first", "randomized"), encoding="utf-8")
    else:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        for problem in sorted(problems, key=place_of, reverse=True):
            line, column = place_of(problem)
            rule = next((how for words, how in _RULES if re.search(words, problem["mend"])), None)
            if rule is not None:
                rule(lines, line - 1, column - 1)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def decoded(data: bytes) -> str:
    """Return text that is not UTF-8."""
    return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "latin-1")


def _no_escape(lines: list[str], line: int, column: int) -> None:
    kept = lines[line][:column]
    lines[line] = kept + re.sub(r"\\(u[0-9a-f]{4}|x[0-9a-f]{2}|[e0abfv])(\[[0-9;]*m)?", "", lines[line][column:])


def _plain_sign(lines: list[str], line: int, column: int) -> None:
    text = lines[line]
    lines[line] = text[:column] + (":" if text[column] == "\uff1a" else " ") + text[column + 1 :]


def _blanks(lines: list[str], line: int, column: int) -> None:
    near = lines[line + 1] if line + 1 < len(lines) else lines[line - 1]
    lines[line] = _indent(near) + lines[line].replace("\t", " ").strip()


def _no_sign(lines: list[str], line: int, column: int) -> None:
    """Remove a sign that can't be seen, or an entry."""
    text = lines[line]
    if text[column].isprintable():
        _cut(lines, line, column)
    else:
        lines[line] = text[:column] + text[column + 1 :]


def _cut(lines: list[str], line: int, column: int) -> None:
    """Remove the entry that begins on a line, with what is indented below it."""
    end = line + 1
    while end < len(lines) and len(_indent(lines[end])) > column:
        end += 1
    end += lines[line].startswith("?") and end < len(lines) and lines[end].startswith(":")
    lines[line:end] = []


def _no_list(lines: list[str], line: int, column: int) -> None:
    lines[line:] = [re.sub("^(- |  )", "", one) for one in lines[line:]]


def _first_document(lines: list[str], line: int, column: int) -> None:
    lines[line:] = []


def _write_out(lines: list[str], line: int, column: int) -> None:
    """Put the value of every anchor where its alias stands."""
    text = "\n".join(lines)
    known = {found[1]: found[2] for found in re.finditer(r"&(\w+) (.+)", text)}
    text = re.sub(r"&\w+ ", "", text)
    lines[:] = re.sub(r"\*(\w+)", lambda found: known.get(found[1], found[0]), text).splitlines()


def _merged(lines: list[str], line: int, column: int) -> None:
    lines[line] = re.sub(r"<<: \{(.*?)\}", r"\1", lines[line])


def _colon(lines: list[str], line: int, column: int) -> None:
    lines[line] = lines[line].replace(":", ": ", 1)


def _aligned(lines: list[str], line: int, column: int) -> None:
    lines[line] = _indent(lines[line - 1]) + lines[line].strip()


def _point(lines: list[str], line: int, column: int) -> None:
    text = lines[line]
    lines[line] = text[:column].rstrip().removesuffix(",") + "." + text[column:]


def _closed(lines: list[str], line: int, column: int) -> None:
    sign = lines[line][column]
    lines[line] += {"[": "]", "{": "}"}.get(sign, sign)


def _quoted_entry(lines: list[str], line: int, column: int) -> None:
    """Put the text between braces in quotes that a comma has cut in two."""
    text = lines[line]
    start = text.rindex(": ", 0, text.rindex(",", 0, column)) + 2
    end = next(at for at in range(column, len(text) + 1) if text[at : at + 1] in {",", "}", ""})
    lines[line] = f'{text[:start]}"{text[start:end].strip()}"{text[end:]}'


def _quoted_brackets(lines: list[str], line: int, column: int) -> None:
    text = lines[line]
    start, end = text.rindex(": ", 0, column) + 2, text.rindex("}") if text.rstrip().endswith("}") else len(text)
    lines[line] = f'{text[:start]}"{text[start:end].strip()}"{text[end:]}'


def _quoted_value(lines: list[str], line: int, column: int) -> None:
    key, _, value = lines[line].partition(": ")
    lines[line] = f'{key}: "{value.strip()}"'


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


_RULES: tuple[tuple[str, Mended], ...] = (
    ("remove its escape", _no_escape),
    ("type a plain", _plain_sign),
    ("use blanks", _blanks),
    ("own file", _first_document),
    ("begin with schema_version", _no_list),
    ("write the value out", _write_out),
    ("write the values out", _merged),
    ("blank behind the colon", _colon),
    ("align it", _aligned),
    ("decimals with a point", _point),
    ("close", _closed),
    ("remove one|or remove the entry", _cut),
    ("text that holds a comma in quotes", _quoted_entry),
    ("text that holds brackets in quotes", _quoted_brackets),
    ("^remove it(;|$)", _no_sign),
    ("in quotes", _quoted_value),
)
