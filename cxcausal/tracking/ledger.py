"""The audit ledger: lines that are only ever added, each bound to the one before it by its SHA-256."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any, Literal

from cxcausal.core.canonical import canonical_json, sha256_of
from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.core.interrupts import held
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.files import locked, machine_error, sync_folder
from cxcausal.tracking.layout import STATE, now_text
from cxcausal.tracking.ledger_chain import Chain, LedgerLine, read_chain
from cxcausal.tracking.redaction import without_secrets_in

Kind = Literal[
    "register",
    "amend",
    "assign",
    "analyse",
    "rerun",
    "stop",
    "approve",
    "decide",
    "render",
    "score",
    "erase",
    "override",
    "merge",
]
LEDGER = "audit/ledger.jsonl"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be written: its kind, whose experiment it concerns, and what it says."""

    kind: Kind
    experiment: str
    actor: Actor
    payload: Mapping[str, Any] = field(default_factory=dict)


def ledger_path(root: Path) -> Path:
    """Return where the ledger lies: in the part of the project that is committed."""
    return root / LEDGER


def read(root: Path) -> tuple[LedgerLine, ...]:
    """Return every line, oldest first, after checking the whole chain.

    Raises:
        IntegrityError: a line was changed, removed, moved or cut off (the message names its number), or two
            branches were not joined.
    """
    return _joined(root).lines


def head(root: Path) -> str:
    """Return the hash of the newest line; the genesis hash where there is none.

    Raises:
        IntegrityError: the chain is broken.
    """
    return _joined(root).heads[0]


def append(root: Path, entry: Entry) -> LedgerLine:
    """Add one line and sync it to the disk; several processes may do so at once.

    Raises:
        IntegrityError: the chain is already broken; nothing is added to it.
        MachineError: the disk refuses; the ledger stays as it was.
    """
    with writing(root) as chain:
        return append_to(root, chain, entry)


@contextmanager
def writing(root: Path) -> Iterator[Chain]:
    """Hold the ledger's lock and yield its checked chain; `append_to` may be called once inside."""
    with locked(root / STATE / "ledger.lock"):
        yield _joined(root)


def append_to(root: Path, chain: Chain, entry: Entry) -> LedgerLine:
    """Add one line after `chain`, whose lock the caller holds."""
    line = _sealed(entry, previous=chain.heads[0], seq=chain.lines[-1].seq + 1 if chain.lines else 1)
    _append_bytes(ledger_path(root), canonical_json(line) + b"\n")
    return line


def merge(root: Path, actor: Actor) -> LedgerLine | None:
    """Join the chains of two git branches with a line that names all heads; None where there is one head.

    Raises:
        IntegrityError: a line of either branch is broken.
    """
    with locked(root / STATE / "ledger.lock"):
        chain = read_chain(ledger_path(root))
        if len(chain.heads) == 1:
            return None
        entry = Entry(kind="merge", experiment="", actor=actor, payload={"heads": list(chain.heads)})
        line = _sealed(entry, previous=chain.heads[0], seq=max(line.seq for line in chain.lines) + 1)
        _append_bytes(ledger_path(root), canonical_json(line) + b"\n")
        return line


def _joined(root: Path) -> Chain:
    """Return the chain if it has one head."""
    chain = read_chain(ledger_path(root))
    if len(chain.heads) > 1:
        raise IntegrityError(
            Problem(
                where=f"{LEDGER}:{len(chain.lines)}",
                code="I713",
                what=f"the ledger has {len(chain.heads)} heads: two branches were joined without a merge line",
                mend="add the line that names both heads: cxcausal audit merge",
            )
        )
    return chain


def _sealed(entry: Entry, *, previous: str, seq: int) -> LedgerLine:
    """Return the line with its hash."""
    content = {
        "seq": seq,
        "kind": entry.kind,
        "at": now_text(),
        "actor": entry.actor.name,
        "actor_source": entry.actor.source,
        "experiment": entry.experiment,
        "payload": without_secrets_in(entry.payload),
        "previous": previous,
    }
    return LedgerLine(**content, hash=sha256_of(content))


def _append_bytes(path: Path, content: bytes) -> None:
    """Write at the end and sync; take back a part that a full disk let through."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with held(), path.open("ab", buffering=0) as handle:
            size = os.fstat(handle.fileno()).st_size
            try:
                _write_all(handle, content)
                os.fsync(handle.fileno())
            except OSError:
                handle.truncate(size)
                raise
        if is_new:
            sync_folder(path.parent)
    except OSError as error:
        raise machine_error(path, "append to", error) from error


def _write_all(handle: RawIOBase, content: bytes) -> None:
    """Write every byte, also where the system takes them in parts."""
    left = memoryview(content)
    while left:
        left = left[handle.write(left) or 0 :]
