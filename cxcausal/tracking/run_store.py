"""One run on disk: its folder, its stages written whole, and a status that stays true however the run ends."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import IntegrityError
from cxcausal.tracking.files import TEMPORARY_SUFFIX, machine_error, write_atomic
from cxcausal.tracking.layout import PLAN, REPORT, RESULTS, STATE, STATUS_FILE, run_folders, runs_folder, safe_name
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.run_status import RunStatus, ended, new_status, owner_lives, read_status
from cxcausal.tracking.ulid import new_ulid


@dataclass(frozen=True, kw_only=True)
class RunStore:
    """The folder `.cxcausal/runs/<experiment>/<run_id>` of one run; it satisfies the core's `StageStore`.

    Example:
        >>> import tempfile
        >>> store = RunStore.create(Path(tempfile.mkdtemp()), "outreach")
        >>> store.save("srm", {"p": 0.4})
        >>> (store.directory / "stages/srm.json").read_bytes()
        b'{"p":0.4}'
    """

    root: Path
    experiment: str
    run_id: str

    @classmethod
    def create(cls, root: Path, experiment: str) -> "RunStore":
        """Make the folder of a new run, RUNNING from the moment it can be seen.

        Raises:
            UsageError: the experiment's id can't name a folder.
            MachineError: the folder can't be written.
        """
        store = cls(root=root.resolve(), experiment=safe_name(experiment), run_id=new_ulid())
        hidden = store.directory.with_name(f".{store.run_id}{TEMPORARY_SUFFIX}")
        try:
            (store.root / STATE).mkdir(mode=0o700, parents=True, exist_ok=True)
            hidden.mkdir(mode=0o700, parents=True)
            write_atomic(hidden / STATUS_FILE, canonical_json(new_status()))
            hidden.rename(store.directory)
        except OSError as error:
            shutil.rmtree(hidden, ignore_errors=True)
            raise machine_error(store.directory, "create", error) from error
        return store

    @property
    def directory(self) -> Path:
        """The run's folder."""
        return runs_folder(self.root) / self.experiment / self.run_id

    def save(self, stage: str, payload: Mapping[str, Any]) -> None:
        """Write one stage's result atomically as canonical JSON.

        Raises:
            UsageError: the stage's name can't name a file.
            MachineError: the disk refuses.
        """
        write_atomic(self.directory / "stages" / f"{safe_name(stage)}.json", canonical_json(payload))

    def save_plan(self, resolved: Mapping[str, Any], *, source: bytes | None = None) -> None:
        """Write the resolved plan, and the plan file's own bytes where they are given."""
        write_atomic(self.directory / PLAN, canonical_json(resolved))
        if source is not None:
            write_atomic(self.directory / "plan/source.yaml", source)

    def save_results(self, results: Mapping[str, Any]) -> None:
        """Write the result object of `run --json`."""
        write_atomic(self.directory / RESULTS, canonical_json(results))

    def save_report(self, html: bytes) -> None:
        """Write the report's page."""
        write_atomic(self.directory / REPORT, html)

    def status(self) -> RunStatus:
        """Return how the run stands.

        Raises:
            IntegrityError: the status file is missing or damaged.
        """
        return read_status(self.directory)

    def write_status(self, status: RunStatus) -> None:
        """Replace the status file."""
        write_atomic(self.directory / STATUS_FILE, canonical_json(status))

    def finish(self, status: Literal["FINISHED", "FAILED", "KILLED"], reason: str | None = None) -> None:
        """Give the run its final status; a run that has one already keeps it.

        Raises:
            IntegrityError: FINISHED without a manifest, or with one that its files don't match.
        """
        now = self.status()
        if now.status != "RUNNING":
            return
        if status == "FINISHED":
            verify_manifest(self.directory)
        self.write_status(ended(now, status, reason))


def reap(root: Path, experiment: str | None = None) -> tuple[str, ...]:
    """Close the runs, all or of one experiment, whose process on this host is gone: mark them KILLED, return their ids.

    A damaged status is left to the audit.
    """
    folders = (one for one in run_folders(root) if experiment in {None, one.parent.name})
    return tuple(directory.name for directory in folders if _reaped(root, directory))


def _reaped(root: Path, directory: Path) -> bool:
    """Close one run if it says RUNNING and its process is gone."""
    if not (directory / STATUS_FILE).exists():
        return False
    try:
        status = read_status(directory)
    except IntegrityError:
        return False
    if status.status != "RUNNING" or owner_lives(status):
        return False
    store = RunStore(root=root, experiment=directory.parent.name, run_id=directory.name)
    store.finish("KILLED", "its process ended without a word")
    return True
