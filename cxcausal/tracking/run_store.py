"""One run on disk: its folder, its stages written whole, and a status that stays true however the run ends."""

import errno
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import MachineError, Problem, UsageError
from cxcausal.tracking.files import TEMPORARY_SUFFIX, locked, machine_error, write_atomic, write_over
from cxcausal.tracking.layout import (
    MANIFEST_FILE,
    PLAN,
    REPORT,
    RESULTS,
    STATE,
    STATUS_FILE,
    UNFINISHED,
    runs_folder,
    safe_name,
)
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.run_status import RunStatus, ended, new_status, read_status
from cxcausal.tracking.ulid import new_ulid


@dataclass(frozen=True, kw_only=True)
class RunStore:
    """The folder `.cxcausal/runs/<experiment>/<run_id>` of one run: the core's `StageStore` and `StageMemory`.

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
            with ExitStack() as unless_made:
                unless_made.callback(shutil.rmtree, hidden, ignore_errors=True)
                (store.root / STATE).mkdir(mode=0o700, parents=True, exist_ok=True)
                hidden.mkdir(mode=0o700, parents=True)
                write_atomic(hidden / STATUS_FILE, canonical_json(new_status()))
                hidden.rename(store.directory)
                unless_made.pop_all()
        except OSError as error:
            raise machine_error(store.directory, "create", error) from error
        return store

    @classmethod
    def reopen(cls, root: Path, experiment: str, run_id: str) -> "RunStore":
        """Take over a run that was killed or failed: RUNNING from now on, and owned by this process alone.

        Raises:
            UsageError: another process took it over, or it ended well.
            IntegrityError: its status is missing or damaged.
            MachineError: the folder can't be written.
        """
        store = cls(root=root.resolve(), experiment=safe_name(experiment), run_id=safe_name(run_id))
        with locked(store.root / STATE / "resume.lock"):
            before = store.status()
            if before.status not in {"KILLED", "FAILED"}:
                what = f"the run {run_id} can't go on: it is {before.status} by now"
                raise UsageError(Problem(where="--resume", code="U221", what=what, mend="see `cxcausal list`"))
            store.write_status(replace(new_status(), started_at=before.started_at))
        store.clear()
        return store

    @property
    def directory(self) -> Path:
        """The run's folder."""
        return runs_folder(self.root) / self.experiment / self.run_id

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the run atomically, unless the run's folder was removed: it is never made a second time.

        Raises:
            MachineError: the folder is gone, or the disk refuses.
        """
        if not self.directory.is_dir():
            raise machine_error(self.directory, "find", FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
        write_atomic(self.directory / name, content)

    def save(self, stage: str, payload: Mapping[str, Any]) -> None:
        """Write one stage's result atomically as canonical JSON.

        Raises:
            UsageError: the stage's name can't name a file.
            MachineError: the disk refuses.
        """
        self.write(f"stages/{safe_name(stage)}.json", canonical_json(payload))

    def load(self, stage: str) -> Mapping[str, Any] | None:
        """Return what was saved or kept of a stage; None where there is nothing, or nothing that can be read."""
        for folder in ("stages", UNFINISHED):
            try:
                found = json.loads((self.directory / folder / f"{safe_name(stage)}.json").read_bytes())
            except (OSError, ValueError):
                continue
            return found if isinstance(found, dict) else None
        return None

    def keep(self, stage: str, payload: Mapping[str, Any]) -> None:
        """Write what only a next attempt needs; it is removed when the run is recorded, and only its owner reads it.

        Raises:
            MachineError: the disk refuses.
        """
        self.write(f"{UNFINISHED}/{safe_name(stage)}.json", canonical_json(payload))

    def forget_unfinished(self) -> None:
        """Remove what was kept for a next attempt: counts of a few people may be among it.

        Raises:
            MachineError: the disk refuses.
        """
        try:
            folder = self.directory / UNFINISHED
            if folder.exists():
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()
        except OSError as error:
            raise machine_error(self.directory / UNFINISHED, "remove", error) from error

    def clear(self) -> None:
        """Remove what an attempt left that did not end: files half written, and a manifest that nothing vouches for.

        Raises:
            MachineError: the disk refuses.
        """
        try:
            for path in (self.directory / MANIFEST_FILE, *self.directory.rglob(f".*{TEMPORARY_SUFFIX}")):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise machine_error(self.directory, "clear", error) from error

    def save_plan(self, resolved: Mapping[str, Any], *, source: bytes | None = None) -> None:
        """Write the resolved plan, and the plan file's own bytes where they are given."""
        self.write(PLAN, canonical_json(resolved))
        if source is not None:
            self.write("plan/source.yaml", source)

    def save_results(self, results: Mapping[str, Any]) -> None:
        """Write the result object of `run --json`."""
        self.write(RESULTS, canonical_json(results))

    def save_report(self, html: bytes) -> None:
        """Write the report's page."""
        self.write(REPORT, html)

    def status(self) -> RunStatus:
        """Return how the run stands.

        Raises:
            IntegrityError: the status file is missing or damaged.
        """
        return read_status(self.directory)

    def write_status(self, status: RunStatus) -> None:
        """Replace the status file; on a full disk write over it, which takes no room: a run must not seem to go on."""
        content = canonical_json(status)
        try:
            self.write(STATUS_FILE, content)
        except MachineError:
            if not write_over(self.directory / STATUS_FILE, content):
                raise

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
