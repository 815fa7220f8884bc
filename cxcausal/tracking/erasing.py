"""Files of runs that customers were erased from: what the ledger says of them, and that they still verify."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import Problem
from cxcausal.core.interrupts import held
from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.files import sha256_file, write_atomic
from cxcausal.tracking.layout import KEPT_UNITS
from cxcausal.tracking.ledger_chain import LedgerLine

NOTE = "kept/erased.json"


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """A file of a run without the customers that were erased: the run's folder and the file's new content."""

    directory: Path
    content: bytes

    @property
    def artifact(self) -> dict[str, Any]:
        """What the note beside the file and the ledger say about it."""
        digest = hashlib.sha256(self.content).hexdigest()
        return {"path": KEPT_UNITS, "sha256": digest, "size": len(self.content)}


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """Who is erased: how many ids were listed, a keyed hash of the list, of which column, and why."""

    listed: int
    list_hash: str
    column: str | None
    reason: str


def record_erasure(root: Path, erasure: Erasure, files: Sequence[Rewritten], *, actor: Actor) -> LedgerLine:
    """Write an erasure into the ledger, then the files without the customers, each with a note beside it.

    The line comes first: a file that was not rewritten, because the process was killed, is still the run's own, and is
    rewritten when the same list is erased again.

    Args:
        root: the project's root.
        erasure: who is erased, without an id.
        files: what takes the place of kept files.
        actor: who erases.

    Raises:
        IntegrityError: the ledger is broken.
        MachineError: the disk refuses.
    """
    payload = {
        "listed": erasure.listed,
        "list_hash": erasure.list_hash,
        "column": erasure.column,
        "reason": erasure.reason,
        "rewritten": [
            {"experiment": one.directory.parent.name, "run_id": one.directory.name, **one.artifact} for one in files
        ],
    }
    with held():
        line = ledger.append(root, ledger.Entry(kind="erase", experiment="", actor=actor, payload=payload))
        for one in files:
            write_atomic(one.directory / NOTE, canonical_json([*_notes(one.directory), one.artifact]))
            write_atomic(one.directory / KEPT_UNITS, one.content)
            (one.directory / KEPT_UNITS).chmod(0o600)
    return line


def erased_from(run_id: str, lines: Iterable[LedgerLine]) -> bool:
    """Tell whether customers were erased from what a run kept, by lines of the ledger."""
    return any(
        item["run_id"] == run_id for line in lines if line.kind == "erase" for item in line.payload.get("rewritten", ())
    )


def excused(directory: Path, problems: Sequence[Problem]) -> list[Problem]:
    """Return what is wrong with a run's files, without what an erasure explains.

    A file is excused where it is, to the byte, one that the note beside it names; `erasure_problems` holds the note to
    the ledger.
    """
    if not (directory / NOTE).is_file():
        return list(problems)
    name = f"{directory.parent.name}/{directory.name}"
    explained = {f"{name}/{NOTE}"}
    file = directory / KEPT_UNITS
    if file.is_file() and sha256_file(file) in {note.get("sha256") for note in _notes(directory)}:
        explained.add(f"{name}/{KEPT_UNITS}")
    return [problem for problem in problems if problem.where not in explained]


def erasure_problems(folders: Sequence[Path], lines: Sequence[LedgerLine]) -> tuple[Problem, ...]:
    """Return the runs with a note of an erasure that the ledger knows nothing of."""
    told = {
        (item["experiment"], item["run_id"], item["sha256"])
        for line in lines
        if line.kind == "erase"
        for item in line.payload.get("rewritten", ())
    }
    return tuple(
        Problem(
            where=f"{folder.parent.name}/{folder.name}/{NOTE}",
            code="F845",
            what="says that customers were erased, and the ledger has no line about it",
            mend="restore the run's folder and the ledger from copies that belong together",
        )
        for folder in folders
        if (folder / NOTE).is_file()
        and not {(folder.parent.name, folder.name, note.get("sha256")) for note in _notes(folder) or ({},)} <= told
    )


def _notes(directory: Path) -> tuple[Mapping[str, Any], ...]:
    """Return what the note beside a file says about each time it was rewritten; nothing where it is damaged."""
    try:
        notes = json.loads((directory / NOTE).read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(note for note in notes if isinstance(note, dict)) if isinstance(notes, list) else ()
