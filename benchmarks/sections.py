"""The page of all benchmarks: every program writes its own section of it, and leaves the others."""

import argparse
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/benchmarks.md"
_MARK = "<!-- section: {} -->"
ORDER = ("scores", "refutation", "uplift")
"""Sections after the first, which has no mark."""


def put(text: str, section: str | None, page: Path = PAGE) -> None:
    """Write a section into the page, which need not be there, and print it.

    Args:
        text: of the section.
        section: one of `ORDER`; None for the first.
        page: where.
    """
    found = parts(page.read_text(encoding="utf-8")) if page.exists() else {}
    found[section] = text.strip() + "\n"
    kept = [found.get(None, ""), *(f"{_MARK.format(name)}\n{found[name]}" for name in ORDER if name in found)]
    page.write_text("\n".join(filter(None, kept)), encoding="utf-8")
    sys.stdout.write(found[section])


def parts(text: str) -> dict[str | None, str]:
    r"""Return the sections of a page.

    Example:
        >>> list(parts("\\n".join(["# Page", "<!-- section: scores -->", "## Scores"])))
        [None, 'scores']
    """
    found: dict[str | None, list[str]] = {None: []}
    at: str | None = None
    marks = {_MARK.format(name): name for name in ORDER}
    for line in text.splitlines():
        if line in marks:
            at = marks[line]
            found[at] = []
        else:
            found[at].append(line)
    joined = {name: "\n".join(lines).strip() for name, lines in found.items()}
    return {name: each + "\n" for name, each in joined.items() if each}


def asked(about: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every program of a section is asked: how many rows, and where its section goes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("rows", type=int, nargs="*", help="sizes, in place of the usual ones")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page that the section is written into")
    return parser
