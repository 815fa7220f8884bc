"""Mutations of a plan's text: what editors, mail programs and merges do to YAML files."""

import re
from collections.abc import Callable, Mapping

from tests.fuzz.draw import Rng, between, chance, pick
from tests.fuzz.values import TEXTS, typo

Mutation = Callable[[Rng, bytes], bytes]

_PIECES: tuple[bytes, ...] = (
    b"\t",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\r",
    b"\x0b",
    b"\x1b[2J",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
    b"'",
    b'"',
    b'"""',
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b": ",
    b"- ",
    b"? ",
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!!str ",
    b"!!python/name:os.system ",
    b"!local ",
    b"%YAML 1.1\n---\n",
    b"\n---\n",
    b"\n...\n",
    b"|\n",
    b">-\n",
    b"#",
    b" #",
    b"@",
    b"`",
    b"\\",
    b'"\\x00"',
    b'"\\ud800"',
    b'"\\U0010ffff"',
    b"null",
    b"~",
)


def mangled(rng: Rng, text: bytes, others: tuple[bytes, ...]) -> tuple[bytes, tuple[str, ...]]:
    """Return a text with one to three mutations, and their names.

    Args:
        rng: draws them.
        text: a plan, as bytes.
        others: other plans, of which slices may be spliced in.
    """
    names = []
    for _ in range(pick(rng, (1, 1, 2, 3))):
        name = pick(rng, (*MUTATIONS, "splice"))
        names.append(name)
        text = _splice(rng, text, pick(rng, others)) if name == "splice" else MUTATIONS[name](rng, text)
    return text, tuple(names)


def _lines(rng: Rng, text: bytes, change: Callable[[list[bytes], int], None]) -> bytes:
    lines = text.split(b"\n")
    change(lines, between(rng, 0, len(lines) - 1))
    return b"\n".join(lines)


def _indent(rng: Rng, text: bytes) -> bytes:
    def change(lines: list[bytes], at: int) -> None:
        blanks = pick(rng, (b" ", b"  ", b"\t", b"   ", b"\xc2\xa0"))
        lines[at] = blanks + lines[at] if chance(rng, 0.6) else lines[at].lstrip()

    return _lines(rng, text, change)


def _duplicate_line(rng: Rng, text: bytes) -> bytes:
    def change(lines: list[bytes], at: int) -> None:
        lines[at:at] = lines[at : at + pick(rng, (1, 1, 3, 8))]

    return _lines(rng, text, change)


def _drop_lines(rng: Rng, text: bytes) -> bytes:
    def change(lines: list[bytes], at: int) -> None:
        del lines[at : at + pick(rng, (1, 1, 2, 5))]

    return _lines(rng, text, change)


def _swap_lines(rng: Rng, text: bytes) -> bytes:
    def change(lines: list[bytes], at: int) -> None:
        other = between(rng, 0, len(lines) - 1)
        lines[at], lines[other] = lines[other], lines[at]

    return _lines(rng, text, change)


def _typo_in_line(rng: Rng, text: bytes) -> bytes:
    def change(lines: list[bytes], at: int) -> None:
        lines[at] = typo(rng, lines[at].decode(errors="replace")).encode()

    return _lines(rng, text, change)


def _put_in(rng: Rng, text: bytes) -> bytes:
    at = between(rng, 0, len(text))
    return text[:at] + pick(rng, _PIECES) + text[at:]


def _put_before_value(rng: Rng, text: bytes) -> bytes:
    """Put an anchor, a tag or a quote where a value begins."""
    places = [found.end() for found in re.finditer(rb": |- |\[|, ", text)]
    at = pick(rng, places) if places else 0
    return text[:at] + pick(rng, _PIECES) + text[at:]


def _odd_scalar(rng: Rng, text: bytes) -> bytes:
    """Put an odd text, unquoted, in the place of a value."""
    found = list(re.finditer(rb"(?<=: )[^\n,\]}#{\[]+", text))
    if not found:
        return text
    place = pick(rng, found)
    return text[: place.start()] + pick(rng, TEXTS).encode("utf-8", "surrogatepass") + text[place.end() :]


def _cut(rng: Rng, text: bytes) -> bytes:
    at = between(rng, 0, len(text))
    return text[:at] if chance(rng, 0.7) else text[at:]


def _flip(rng: Rng, text: bytes) -> bytes:
    damaged = bytearray(text)
    for _ in range(pick(rng, (1, 1, 2, 10)) if damaged else 0):
        damaged[between(rng, 0, len(damaged) - 1)] ^= 1 << between(rng, 0, 7)
    return bytes(damaged)


def _splice(rng: Rng, text: bytes, other: bytes) -> bytes:
    at, start = between(rng, 0, len(text)), between(rng, 0, len(other))
    return text[:at] + other[start : start + between(rng, 0, 400)] + text[at + between(rng, 0, 200) :]


def _requote(rng: Rng, text: bytes) -> bytes:
    one, other = pick(rng, ((b"'", b'"'), (b'"', b"'"), (b'"', b""), (b"'", b"")))
    return text.replace(one, other)


def _alias_bomb(rng: Rng, text: bytes) -> bytes:
    deep = pick(rng, (2, 9))
    lines = [b"a0: &a0 [x, x, x]"] + [b"a%d: &a%d [*a%d, *a%d]" % (at, at, at - 1, at - 1) for at in range(1, deep)]
    return b"\n".join([*lines, text])


def _deep(rng: Rng, text: bytes) -> bytes:
    many = pick(rng, (15, 25, 5000))
    return text + b"\nextra: " + pick(rng, (b"[", b"{a: ")) * many


def _repeat(rng: Rng, text: bytes) -> bytes:
    return text * pick(rng, (2, 40)) if len(text) < 20_000 else text + text


MUTATIONS: Mapping[str, Mutation] = {
    "indent": _indent,
    "duplicate line": _duplicate_line,
    "drop lines": _drop_lines,
    "swap lines": _swap_lines,
    "typo in line": _typo_in_line,
    "put in": _put_in,
    "put before value": _put_before_value,
    "odd scalar in text": _odd_scalar,
    "cut": _cut,
    "flip": _flip,
    "requote": _requote,
    "alias bomb": _alias_bomb,
    "deep": _deep,
    "repeat": _repeat,
    "crlf": lambda _, text: text.replace(b"\n", b"\r\n"),
    "cr": lambda _, text: text.replace(b"\n", b"\r"),
    "bom": lambda _, text: b"\xef\xbb\xbf" + text,
    "utf-16": lambda _, text: text.decode(errors="replace").encode("utf-16"),
    "latin-1": lambda _, text: text.decode(errors="replace").encode("latin-1", "replace") + b"\n# \xe9",
}
