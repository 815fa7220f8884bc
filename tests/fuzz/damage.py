"""Mutations of a file's bytes: transfers that stop, disks that flip bits, and tools that re-encode."""

import gzip
from collections.abc import Callable, Mapping

from tests.fuzz.draw import Rng, between, chance, pick

Mutation = Callable[[Rng, bytes], bytes]

_PIECES: tuple[bytes, ...] = (
    b'"',
    b'""',
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b"\n\n",
    b"\0",
    b"\xff",
    b"\xc3",
    b";",
    b"\t",
    b"'",
    b"\\",
    b'\\"',
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\x1a",
    b"\x0c",
    b" ",
    b',"',
    b'",',
    b'"\n"',
)


def broken(rng: Rng, data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return a file with one to three mutations, and their names."""
    names = []
    for _ in range(pick(rng, (1, 1, 2, 3))):
        name = pick(rng, tuple(MUTATIONS))
        data = MUTATIONS[name](rng, data)
        names.append(name)
    return data, tuple(names)


def flip(rng: Rng, data: bytes) -> bytes:
    """Flip a few bits."""
    changed = bytearray(data)
    for _ in range(pick(rng, (1, 1, 2, 8)) if changed else 0):
        changed[between(rng, 0, len(changed) - 1)] ^= 1 << between(rng, 0, 7)
    return bytes(changed)


def cut(rng: Rng, data: bytes) -> bytes:
    """Keep a part."""
    at = between(rng, 0, len(data))
    return data[:at] if chance(rng, 0.8) else data[at:]


def put_in(rng: Rng, data: bytes) -> bytes:
    """Put an odd piece anywhere."""
    at = between(rng, 0, len(data))
    return data[:at] + pick(rng, _PIECES) + data[at:]


def repeat(rng: Rng, data: bytes) -> bytes:
    """Repeat a slice, or the whole file."""
    if chance(rng, 0.3):
        return data + data
    at, width = between(rng, 0, len(data)), between(rng, 1, 60)
    return data[:at] + data[at : at + width] * 2 + data[at + width :]


def drop(rng: Rng, data: bytes) -> bytes:
    """Take a slice out."""
    at = between(rng, 0, len(data))
    return data[:at] + data[at + between(rng, 1, 60) :]


def zeros(rng: Rng, data: bytes) -> bytes:
    """Write zeros over a slice, as a crashed disk does."""
    at = between(rng, 0, len(data))
    many = min(between(rng, 1, 600), len(data) - at)
    return data[:at] + b"\0" * many + data[at + many :]


def _recode(rng: Rng, data: bytes) -> bytes:
    text = data.decode(errors="replace")
    return text.encode(pick(rng, ("utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "cp037", "utf-7")), "replace")


def _odd_line_ends(rng: Rng, data: bytes) -> bytes:
    lines = data.split(b"\n")
    ends = [pick(rng, (b"\n", b"\n", b"\n", b"\r\n", b"\r")) for _ in lines]
    return b"".join(line + end for line, end in zip(lines, ends, strict=True))


MUTATIONS: Mapping[str, Mutation] = {
    "flip": flip,
    "cut": cut,
    "put in": put_in,
    "repeat": repeat,
    "drop": drop,
    "zeros": zeros,
    "recode": _recode,
    "odd line ends": _odd_line_ends,
    "cr": lambda _, data: data.replace(b"\n", b"\r"),
    "boms": lambda _, data: b"\xef\xbb\xbf\xef\xbb\xbf" + data,
    "semicolons": lambda _, data: data.replace(b",", b";"),
    "tabs": lambda _, data: data.replace(b",", b"\t"),
    "no quotes": lambda _, data: data.replace(b'"', b""),
    "other quotes": lambda _, data: data.replace(b'"', b"'"),
    "backslash quotes": lambda _, data: data.replace(b'""', b'\\"'),
    "packed": lambda _, data: gzip.compress(data, mtime=0),
    "first line apart": lambda _, data: b"sep=,\n" + data,
    "title": lambda _, data: b"Export of 2026-06-01\n\n" + data,
    "empty": lambda rng, _: pick(rng, (b"", b"\n", b" ", b"\0", b"\xef\xbb\xbf", b"\r\n\r\n")),
}
