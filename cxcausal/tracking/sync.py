"""From run folders to MLflow: what waits is sent, what was sent is remembered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import CxCausalError, IntegrityError, MachineError, Problem
from cxcausal.core.progress import SILENT, Progress, Stage
from cxcausal.tracking import ledger
from cxcausal.tracking.files import write_atomic
from cxcausal.tracking.layout import PROJECTION_FILE, RESULTS, STATUS_FILE, run_folders
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.mlflow_sink import CALM, HASTY, send
from cxcausal.tracking.patience import Patience
from cxcausal.tracking.projection import project
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.redaction import without_secrets
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.sqlite_store import runs_in
from cxcausal.tracking.tracking_uri import is_sqlite, resolve_uri, sqlite_path


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Whether MLflow has a run: `projected` with MLflow's id, or `pending` with a warning for the reader."""

    state: Literal["projected", "pending"]
    tracking_uri: str
    mlflow_run_id: str | None = None
    warning: str | None = None


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What one `sync` did: run ids that it sent, that still wait, and why; `broken` ones are not what was recorded."""

    sent: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def send_run(root: Path, tracking_uri: str, directory: Path, ledger_hash: str, *, patience: Patience = HASTY) -> Sent:
    """Send one finished run, and note beside it how that went; MLflow's failure is a warning and not an error.

    Args:
        root: the project's root.
        tracking_uri: as configured; a relative SQLite path is taken from the root.
        directory: the run's folder.
        ledger_hash: hash of the ledger's line about this run.
        patience: with a server.

    Raises:
        IntegrityError: the run's files don't match its manifest; nothing is sent.
    """
    uri = resolve_uri(root, tracking_uri)
    manifest_hash = verify_manifest(directory)
    shown = without_secrets(uri)
    _note(directory, Sent(state="pending", tracking_uri=shown))
    try:
        told = project(_results(directory), manifest_hash=manifest_hash, ledger_hash=ledger_hash)
        mlflow_id = send(root, uri, directory, told, patience=patience)
        outcome = Sent(state="projected", tracking_uri=shown, mlflow_run_id=mlflow_id)
    except MachineError as error:
        outcome = Sent(state="pending", tracking_uri=shown, warning=str(error))
    _note(directory, outcome)
    return outcome


def sync(root: Path, tracking_uri: str, progress: Progress = SILENT) -> Synced:
    """Send every finished run that this store doesn't have yet; any number of calls leaves one run each.

    The first failure of the store ends the attempt, so that a dead server costs its patience once.
    """
    reap(root)
    with progress.stage("looking for runs that wait"):
        waiting = _waiting(root, resolve_uri(root, tracking_uri))
        hashes = _ledger_hashes(root) if waiting else {}
    with progress.stage("sending runs to MLflow", total=len(waiting)) as sending:
        return _sent(root, tracking_uri, waiting, hashes, sending)


def _sent(
    root: Path, tracking_uri: str, waiting: tuple[Path, ...], hashes: Mapping[str, str], sending: Stage
) -> Synced:
    """Send what waits, one run after the other."""
    sent: list[str] = []
    warnings: list[str] = []
    broken: list[str] = []
    for directory in waiting:
        try:
            outcome = send_run(root, tracking_uri, directory, _known(hashes, directory), patience=CALM)
        except IntegrityError as error:
            warnings.append(str(error))
            broken.append(directory.name)
            continue
        if outcome.state == "pending":
            warnings.append(outcome.warning or "")
            break
        sent.append(directory.name)
        sending.reach(len(sent))
    pending = tuple(directory.name for directory in waiting if directory.name not in sent)
    return Synced(sent=tuple(sent), pending=pending, warnings=tuple(warnings), broken=tuple(broken))


def sent_state(directory: Path) -> Sent | None:
    """Return what was noted about a run's projection; None where nothing was, or the note is damaged."""
    try:
        return Sent(**json.loads((directory / PROJECTION_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _waiting(root: Path, uri: str) -> tuple[Path, ...]:
    """Return the folders of finished runs that this store has not confirmed, or has lost since."""
    kept = runs_in(sqlite_path(uri)) if is_sqlite(uri) else None
    return tuple(
        directory for directory in run_folders(root) if _finished(directory) and not _has(directory, uri, kept)
    )


def _has(directory: Path, uri: str, kept: frozenset[str] | None) -> bool:
    """Return whether this very store is known to have the run; `kept` is what it has now, where that can be told."""
    noted = sent_state(directory)
    if noted is None or noted.state != "projected" or noted.tracking_uri != without_secrets(uri):
        return False
    return kept is None or noted.mlflow_run_id in kept


def _finished(directory: Path) -> bool:
    """Return whether the run ended well; a folder without a readable status did not."""
    if not (directory / STATUS_FILE).exists():
        return False
    try:
        return read_status(directory).status == "FINISHED"
    except CxCausalError:
        return False


def _ledger_hashes(root: Path) -> dict[str, str]:
    """Return run id → hash of the ledger's line about it."""
    lines = ledger.read(root)
    return {line.payload["run_id"]: line.hash for line in lines if line.kind in {"analyse", "rerun"}}


def _known(hashes: Mapping[str, str], directory: Path) -> str:
    """Return the ledger's hash for a run, or refuse a run that the ledger doesn't know."""
    if directory.name in hashes:
        return hashes[directory.name]
    raise IntegrityError(
        Problem(
            where=f"{directory.parent.name}/{directory.name}",
            code="I703",
            what="this run is finished, but the ledger has no line about it",
            mend="restore the ledger from version control, or remove the run's folder",
        )
    )


def _results(directory: Path) -> dict[str, Any]:
    """Return the results that the manifest has just vouched for."""
    results: dict[str, Any] = json.loads((directory / RESULTS).read_bytes())
    return results


def _note(directory: Path, outcome: Sent) -> None:
    """Write down how the projection stands."""
    write_atomic(directory / PROJECTION_FILE, canonical_json(outcome))
