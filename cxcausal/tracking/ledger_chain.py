"""Checking the ledger: every line is read, hashed again and traced to the lines it stands on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cxcausal.core.canonical import plain_json
from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.tracking.files import machine_error

GENESIS = "0" * 64
RECORDING = frozenset({"analyse", "rerun"})
"""The kinds of lines that record a run."""
_RESTORE = "restore the ledger from version control; lines are only ever added, never edited, moved or removed"


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    """One line as it stands in the file; `hash` is the SHA-256 of the canonical JSON of all other fields.

    `actor` is asserted and not proven; `actor_source` says how it was established. `at` is the writer's clock.
    """

    seq: int
    kind: str
    at: str
    actor: str
    actor_source: str
    experiment: str
    payload: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A checked ledger: its lines, and its heads (more than one where git branches were not yet joined)."""

    lines: tuple[LedgerLine, ...] = ()
    heads: tuple[str, ...] = (GENESIS,)
    genesis: str = GENESIS


def read_chain(path: Path) -> Chain:
    """Return the lines of a ledger after checking each of them; an absent file is an empty ledger.

    Raises:
        IntegrityError: names the first line that was changed, removed, moved, repeated or cut off, or that records a
            run which a line above it has recorded.
        MachineError: the file can't be read.
    """
    lines: list[LedgerLine] = []
    seqs = {GENESIS: 0}
    heads = [GENESIS]
    recorded: dict[str, int] = {}
    for number, raw in enumerate(_raw_lines(path), start=1):
        line = _parsed(path, number, raw)
        parents = _parents(line)
        _check_place(path, number, line, parents, seqs)
        _check_once(path, number, line, recorded)
        seqs[line.hash] = line.seq
        heads = [*(known for known in heads if known not in parents), line.hash]
        lines.append(line)
    return Chain(lines=tuple(lines), heads=tuple(heads))


def _raw_lines(path: Path) -> list[bytes]:
    """Return the file's lines without their ends; the last one must have its end."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise machine_error(path, "read", error) from error
    raw = content.split(b"\n")
    if raw.pop() != b"":
        raise _broken(path, len(raw) + 1, "the last line was cut off", "remove the incomplete last line, nothing else")
    return raw


def _parsed(path: Path, number: int, raw: bytes) -> LedgerLine:
    """Return one line whose bytes and hash are exactly those that were written."""
    if raw.startswith((b"<<<<<<<", b"=======", b">>>>>>>")):
        mend = "keep the lines of both sides, remove git's markers, then join the heads"
        raise _broken(path, number, "a conflict of git was left in the ledger", mend)
    try:
        line = LedgerLine(**json.loads(raw))
    except (ValueError, TypeError, RecursionError):
        raise _broken(path, number, "this is not a line of the ledger") from None
    if not _is_as_written(line, raw):
        raise _broken(path, number, "this line was changed after it was written")
    return line


def _is_as_written(line: LedgerLine, raw: bytes) -> bool:
    """Return whether a line spells its content canonically, and has the hash of it."""
    content = dict(vars(line))
    try:
        spelled = plain_json(content)
    except ValueError:
        return False
    del content["hash"]
    return spelled == raw and sha256(plain_json(content)).hexdigest() == line.hash


def _parents(line: LedgerLine) -> tuple[str, ...]:
    """Return the hashes that a line stands on: one, or all the heads that a merge names."""
    named = line.payload.get("heads", ()) if line.kind == "merge" else ()
    return (line.previous, *(str(hash_) for hash_ in named if hash_ != line.previous))


def _check_place(path: Path, number: int, line: LedgerLine, parents: tuple[str, ...], seqs: Mapping[str, int]) -> None:
    """Refuse a line whose parents are not above it, that stands there twice, or whose number doesn't follow."""
    if any(parent not in seqs for parent in parents):
        raise _broken(path, number, "the line before this one was removed or moved")
    if line.hash in seqs:
        raise _broken(path, number, "this line stands in the ledger twice")
    if line.seq != max(seqs[parent] for parent in parents) + 1:
        raise _broken(path, number, f"its number {line.seq} does not follow the line it stands on")


def _check_once(path: Path, number: int, line: LedgerLine, recorded: dict[str, int]) -> None:
    """Refuse a run's second recording: it would put other results in the place of the first, in an unbroken chain."""
    if line.kind not in RECORDING:
        return
    first = recorded.setdefault(str(line.payload.get("run_id")), number)
    if first != number:
        what = f"this line records a run that line {first} has recorded: no run is recorded twice"
        mend = "find out who wrote this line; take the ledger and the run's folder from version control and a copy"
        where = f"{path.parent.name}/{path.name}:{number}"
        raise IntegrityError(Problem(where=where, code="I719", what=what, mend=mend))


def _broken(path: Path, number: int, what: str, mend: str = _RESTORE) -> IntegrityError:
    """Return the error that names the line."""
    return IntegrityError(Problem(where=f"{path.parent.name}/{path.name}:{number}", code="I711", what=what, mend=mend))
