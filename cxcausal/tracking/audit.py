"""The audit: the ledger's chain, every run against its manifest, what runs claim, and MLflow against all of it."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from cxcausal.core.errors import IntegrityError, MachineError, Problem
from cxcausal.core.progress import SILENT, Progress
from cxcausal.tracking import ledger
from cxcausal.tracking.anchors import Anchor, anchor_problems
from cxcausal.tracking.audit_claims import backdated, contradictions, late_registrations, unfounded
from cxcausal.tracking.audit_mlflow import compared
from cxcausal.tracking.audit_runs import SeenRun, look_at, problem
from cxcausal.tracking.audit_verdicts import redecided
from cxcausal.tracking.erasing import erasure_problems
from cxcausal.tracking.layout import MANIFEST_FILE, REMOVED_FILE, STATE, run_folders, runs_folder
from cxcausal.tracking.ledger_chain import RECORDING, LedgerLine
from cxcausal.tracking.lifecycle import PLANNING
from cxcausal.tracking.mlflow_listing import runs_on_server
from cxcausal.tracking.mlflow_runs import runs_in_sqlite
from cxcausal.tracking.mlflow_sink import UNTAKEN
from cxcausal.tracking.signing import audited_signatures
from cxcausal.tracking.store_mark import mark_of
from cxcausal.tracking.sync import sent_state
from cxcausal.tracking.tracking_uri import DEFAULT_URI, is_sqlite, resolve_uri, sqlite_path

_OF_SERVERS = "MLflow is a server: its artifacts, the history of metrics and runs of other projects were not compared"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was checked, and what was found.

    Attributes:
        lines: lines of the ledger. runs: runs on this disk that were compared with manifest and ledger.
        in_mlflow: runs of MLflow that were compared with the record.
        absent: run ids that the ledger knows and this disk doesn't have: of other machines, or deleted.
        problems: everything that does not match, with its place.
        notes: what could not be looked at, and why.
        head: the ledger's newest hash, to be kept.
        in_force: experiment → hash of the plan that is registered now.
    """

    lines: int
    runs: int
    in_mlflow: int = 0
    absent: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    head: str | None = None
    in_force: Mapping[str, str] = field(default_factory=dict)


def audit(
    root: Path, *, anchor: Anchor | None = None, tracking_uri: str = DEFAULT_URI, progress: Progress = SILENT
) -> Audit:
    """Check the whole project and tell all that is wrong at once.

    A chain shows tampering only to someone who kept an earlier head: pass it as `anchor`.

    Args:
        root: the project's root.
        anchor: what was kept elsewhere.
        tracking_uri: MLflow's address, as configured.
        progress: told how far the work is.
    """
    try:
        with progress.stage("checking the ledger's chain"):
            lines = ledger.read(root)
    except IntegrityError as error:
        return Audit(lines=0, runs=0, problems=error.problems)
    entered = {line.payload["run_id"]: line for line in lines if line.kind in RECORDING}
    seen = _seen(root, lines, entered, progress)
    recorded = tuple(run for run in seen if run.vouched)
    with progress.stage("comparing MLflow with the record"):
        in_mlflow, differences, notes = _mlflow(root, tracking_uri, recorded, _copies_of_broken(seen))
    problems = chain(
        () if anchor is None else anchor_problems(lines, anchor),
        (found for run in seen for found in run.problems),
        _deleted(root, entered, {run.folder.name for run in seen}),
        _order_problems(root, lines),
        (found for run in recorded for found in contradictions(run)),
        unfounded(recorded, lines),
        redecided(recorded),
        _signatures(lines, recorded),
        _removal_problems([run.folder for run in seen], lines),
        erasure_problems([run.folder for run in seen], lines),
        differences,
    )
    here = {run.folder.name for run in seen}
    return Audit(
        lines=len(lines),
        runs=len(seen),
        in_mlflow=in_mlflow,
        absent=tuple(run_id for run_id in entered if run_id not in here),
        problems=tuple(problems),
        notes=(*notes, *late_registrations(recorded, lines), *backdated(lines)),
        in_force={line.experiment: line.payload["plan_hash"] for line in lines if line.kind in PLANNING},
        head=lines[-1].hash if lines else None,
    )


def _seen(
    root: Path, lines: Sequence[LedgerLine], entered: dict[str, LedgerLine], progress: Progress
) -> tuple[SeenRun, ...]:
    """Read every run on this disk."""
    rendered: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines:
        if line.kind == "render":
            rendered[line.payload["run_id"]].add(line.payload["sha256"])
    folders = run_folders(root)
    seen = []
    with progress.stage("checking runs against their hashes", total=len(folders)) as checking:
        for folder in folders:
            seen.append(look_at(root, folder, entered.get(folder.name), frozenset(rendered[folder.name])))
            checking.advance()
    return tuple(seen)


def _mlflow(
    root: Path, tracking_uri: str, recorded: Sequence[SeenRun], left_out: frozenset[str]
) -> tuple[int, tuple[Problem, ...], tuple[str, ...]]:
    """Return how many of MLflow's runs were compared, what differs, and what could not be looked at."""
    uri = resolve_uri(root, tracking_uri)
    local = is_sqlite(uri)
    try:
        runs = runs_in_sqlite(sqlite_path(uri)) if local else runs_on_server(root, uri)
    except MachineError as error:
        why = error.problems[0].what.removeprefix(f"{UNTAKEN}: ")
        return 0, (), (f"MLflow at {error.problems[0].where} was not compared with the record: {why}",)
    except IntegrityError as error:
        return 0, error.problems, ()
    runs = tuple(run for run in runs if run.mlflow_id not in left_out)
    alone = local and sqlite_path(uri).resolve().is_relative_to((root / STATE).resolve())
    notes = () if local else (_OF_SERVERS,)
    return len(runs), tuple(compared(root, uri, recorded, runs, files=local, alone=alone)), notes


def _copies_of_broken(seen: Sequence[SeenRun]) -> frozenset[str]:
    """Return MLflow's ids of runs that are not what the ledger recorded: their copies are evidence, not strangers."""
    notes = (sent_state(run.folder) for run in seen if run.line is not None and not run.vouched)
    return frozenset(note.mlflow_run_id for note in notes if note is not None and note.mlflow_run_id is not None)


def _deleted(root: Path, entered: dict[str, LedgerLine], here: set[str]) -> Iterator[Problem]:
    """Yield the runs that this very store recorded and no longer has."""
    mark = mark_of(root)
    for run_id, line in entered.items():
        if run_id not in here and mark is not None and line.payload.get("store") == mark:
            what = f"was recorded here by line {line.seq} of the ledger, and its folder is gone"
            yield problem(f"{line.experiment}/{run_id}", "I706", what, "restore the run's folder from a copy")


def _signatures(lines: Sequence[LedgerLine], recorded: Sequence[SeenRun]) -> Iterator[Problem]:
    """Yield approvals and decisions that cxcausal would have refused."""
    plans = {run.folder.name: run.results["plan"] for run in recorded}
    yield from (found for _, found in audited_signatures(lines, plans, ledger.LEDGER))


def _order_problems(root: Path, lines: tuple[LedgerLine, ...]) -> tuple[Problem, ...]:
    """Return the runs whose manifest names a predecessor that the ledger never had."""
    known = {line.payload["manifest"] for line in lines if line.kind in RECORDING}
    found = []
    for line in (line for line in lines if line.kind in RECORDING):
        folder = runs_folder(root) / line.experiment / line.payload["run_id"]
        previous = _previous(folder)
        if previous is not None and previous not in known:
            what = "names a manifest before it that the ledger doesn't know"
            found.append(problem(f"{line.experiment}/{folder.name}", "I705", what))
    return tuple(found)


def _removal_problems(folders: Sequence[Path], lines: tuple[LedgerLine, ...]) -> tuple[Problem, ...]:
    """Return the runs whose kept units were removed without a line in the ledger."""
    erased = {(line.experiment, line.payload.get("run_id")) for line in lines if line.kind == "erase"}
    return tuple(
        problem(
            f"{folder.parent.name}/{folder.name}",
            "R809",
            "has a note that its kept units were removed, and the ledger has no line about it",
        )
        for folder in folders
        if (folder / REMOVED_FILE).is_file() and (folder.parent.name, folder.name) not in erased
    )


def _previous(folder: Path) -> str | None:
    """Return the manifest before this one, where the file can be read (if not, the run's own problems say so)."""
    try:
        previous = json.loads((folder / MANIFEST_FILE).read_bytes()).get("previous_manifest")
    except (OSError, ValueError, AttributeError):
        return None
    return None if previous is None else str(previous)
