"""The structure of JSON files: their encoding, their ends, and keys that are missing, repeated or look the same."""

import codecs
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from cxcausal.core.errors import Problem
from cxcausal.core.signs import likeness
from cxcausal.data.sources import Source

_CHUNK = 1 << 20
_LOOKED_AT = 100
_WHOLE = 16_000_000
"""Bytes of a list that is read at once to be looked at; larger ones are left to the engine."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLANK = b" \t\r\n"
_KEPT = 64


class _RepeatedKeyError(ValueError):
    """A record has a key twice."""


def json_problems(source: Source, needed: tuple[str, ...]) -> Iterator[Problem]:
    """Yield what is wrong with the structure of JSON files, some of which an engine would pass over."""
    found = tuple(problem for file, name in source.named_files for problem in _text_problems(file, name))
    yield from found or _record_problems(source, needed)


def _text_problems(file: Path, name: str) -> Iterator[Problem]:
    """Yield that a file is not UTF-8, is empty, or ends before its list does."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    first, last = b"", b""
    try:
        with _binary(file) as stream:
            while chunk := stream.read(_CHUNK):
                if not last and chunk.startswith(_UTF16):
                    yield Problem(where=name, code="D203", what="the file is UTF-16", mend="save it as UTF-8")
                    return
                decoder.decode(chunk)
                first = first or chunk.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)[:1]
                last = chunk.rstrip(_BLANK)[-_KEPT:] or last
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        yield Problem(where=name, code="D203", what="the file is not UTF-8", mend="save it as UTF-8")
        return
    if not first:
        mend = "export it again, with its rows"
        yield Problem(where=name, code="D207", what="the file is empty", mend=mend)
    elif first == b"[" and not last.endswith(b"]"):
        what = "the file begins a list and never closes it: it is cut short"
        yield Problem(where=name, code="D121", what=what, mend="copy or export it again")


def _record_problems(source: Source, needed: tuple[str, ...]) -> Iterator[Problem]:
    """Yield records that can't be read, and keys that a file lacks, or that look the same."""
    keys: dict[str, tuple[set[str], set[str]]] = {}
    for file, name in source.named_files:
        try:
            records = list(_records(file))
        except _RepeatedKeyError as error:
            mend = "give every record each key once"
            yield Problem(where=f"{name} row {error.args[0]}", code="D209", what="a key is there twice", mend=mend)
            continue
        except ValueError as error:
            what = "this is not a whole JSON record: it is cut short or damaged"
            yield Problem(where=f"{name} row {error.args[0]}", code="D121", what=what, mend="export the data again")
            continue
        named = [set(record) for record in records if isinstance(record, dict)]
        if named:
            keys[name] = (set.union(*named), set.intersection(*named))
            yield from _twin_keys(name, keys[name][0])
    yield from _lacking(keys, needed)


def _twin_keys(name: str, keys: set[str]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for key in sorted(keys):
        first = seen.setdefault(likeness(key), key)
        if key != first:
            what = f"keys look the same: '{first}' and '{key}'"
            yield Problem(
                where=name, code="D209", what=what, mend="give every column its own name, always spelled alike"
            )


def _lacking(keys: dict[str, tuple[set[str], set[str]]], needed: tuple[str, ...]) -> Iterator[Problem]:
    """Yield needed keys that a file lacks and all records of another have: each would be missing for all its rows."""
    for name, (some, _) in keys.items():
        for key in (one for one in needed if one not in some):
            other = next((file for file, (_, always) in keys.items() if key in always), None)
            if other is not None:
                what = f"the file lacks the key, and {other} has it"
                where = f"{name} column {key}"
                yield Problem(where=where, code="D211", what=what, mend="give all files the same keys")


def _records(file: Path) -> Iterator[object]:
    """Yield the first records, those of a list that is not too large; damage is told with the record's number."""
    with _binary(file) as stream:
        start = stream.read(_WHOLE)
        if not start.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK).startswith(b"["):
            for number, line in enumerate(_lines(file), start=1):
                if number <= _LOOKED_AT or not line.rstrip().endswith(b"}"):
                    yield _parsed(line, number)
            return
        if stream.read(1):
            return
    found = _parsed(start, 1)
    yield from found[:_LOOKED_AT] if isinstance(found, list) else ()


def _lines(file: Path) -> Iterator[bytes]:
    """Yield the lines of a file that hold something; all of a record that is written over several as one."""
    with _binary(file) as stream:
        first = next((line for line in stream if line.strip(_BLANK + codecs.BOM_UTF8)), b"")
        if not first.rstrip().endswith(b"}"):
            yield first + stream.read(_WHOLE)
            return
        yield first
        yield from (line for line in stream if line.strip())


def _parsed(text: bytes, number: int) -> object:
    try:
        return json.loads(text.decode("utf-8-sig"), object_pairs_hook=_once)
    except _RepeatedKeyError:
        raise _RepeatedKeyError(number) from None
    except (ValueError, RecursionError):
        raise ValueError(number) from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


def _binary(file: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(file)) if file.suffix.lower() == ".gz" else file.open("rb")
