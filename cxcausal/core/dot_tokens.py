"""The words and signs of a DOT text, each with its line and column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from cxcausal.core.errors import PlanError, Problem

Kind = Literal["name", "quoted", "->", "--", "sign", "end"]
MAX_NAME = 200

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/|^\#[^\n]*)
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<name>[^\W\d]\w*|-?(?:\.\d+|\d+(?:\.\d*)?))
    |(?P<arrow>->|--)
    |(?P<sign>[{}\[\];,=:+<])""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """The file as the user knows it, a line and a column, both counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return `file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A word or sign of the text, names without their quotes."""

    kind: Kind
    text: str
    spot: Spot

    @property
    def is_name(self) -> bool:
        """Whether it can name something."""
        return self.kind in ("name", "quoted")

    @property
    def keyword(self) -> str:
        """The word in lower case where DOT may mean something by it; empty for names in quotes."""
        return self.text.lower() if self.kind == "name" else ""

    @property
    def shown(self) -> str:
        """How messages name it."""
        return "the end of the text" if self.kind == "end" else f"'{self.text[:40]}'"


def refuse(spot: Spot, code: str, what: str, mend: str) -> NoReturn:
    """Raise a plan error at a place of the text.

    Raises:
        PlanError: always.
    """
    raise PlanError(Problem(where=str(spot), code=code, what=what, mend=mend))


def tokens_of(text: str, file: str) -> Iterator[Token]:
    """Yield what a DOT text consists of, without blanks and comments, and the end; what follows a `<` is not read.

    Raises:
        PlanError: something in it is neither a word nor a sign, or a name that nobody could read.
    """
    at, line, begins = 0, 1, 0
    while at < len(text):
        spot = Spot(file=file, line=line, column=at - begins + 1)
        found = _TOKEN.match(text, at)
        if found is None:
            _refuse_sign(text, at, spot)
        if found.lastgroup != "blank":
            yield _token(found, spot)
        if found[0] == "<":
            break
        line += found[0].count("\n")
        begins = at + found[0].rfind("\n") + 1 if "\n" in found[0] else begins
        at = found.end()
    yield Token(kind="end", text="", spot=Spot(file=file, line=line, column=at - begins + 1))


def _token(found: re.Match[str], spot: Spot) -> Token:
    word = found[0]
    match found.lastgroup:
        case "quoted":
            return Token(kind="quoted", text=word[1:-1].replace('\\"', '"'), spot=spot)
        case "name":
            return Token(kind="name", text=word, spot=spot)
        case "arrow":
            return Token(kind="->" if word == "->" else "--", text=word, spot=spot)
        case _:
            return Token(kind="sign", text=word, spot=spot)


def refuse_unreadable(name: Token) -> None:
    """Refuse a name that is empty or endless, or that holds signs nobody sees.

    Raises:
        PlanError: it is such a name.
    """
    mend = 'write the name of a column, such as churned or "first contact"'
    if not name.text.strip() or len(name.text) > MAX_NAME:
        refuse(name.spot, "P361", f"a name of {len(name.text)} signs can't be read", mend)
    if not name.text.isprintable() or "\\" in name.text:
        refuse(name.spot, "P361", "a name holds a sign that can't be shown, or a backslash", mend)


def _refuse_sign(text: str, at: int, spot: Spot) -> NoReturn:
    if text.startswith("/*", at):
        refuse(spot, "P361", "a comment begins here and never ends", "end it with */")
    if text[at] == '"':
        refuse(spot, "P361", "a name in quotes begins here and never ends", 'end it with "')
    what = f"{text[at]!a} has no meaning here"
    refuse(spot, "P361", what, "write arrows such as `tier -> churned`, and put names with blanks in quotes")
