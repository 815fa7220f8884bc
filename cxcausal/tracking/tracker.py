"""The facade: open a run, record what it found on disk, in the ledger and in MLflow, and list what there is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cxcausal.core.errors import CxCausalError, MachineError, Problem
from cxcausal.core.interrupts import held
from cxcausal.core.progress import SILENT, Progress, RunRecorded, Wrote
from cxcausal.core.record import RecordFacts
from cxcausal.core.results import RunResult
from cxcausal.tracking import ledger
from cxcausal.tracking.actor import resolve_actor
from cxcausal.tracking.effects_table import effects_csv
from cxcausal.tracking.files import write_atomic
from cxcausal.tracking.layout import EFFECTS, MANIFEST_FILE, PLAN, REPORT, RESULTS
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.lifecycle import record_of
from cxcausal.tracking.manifest import build_manifest, write_manifest
from cxcausal.tracking.open_run import OpenRun
from cxcausal.tracking.readings import Reading
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.redaction import without_secrets_in
from cxcausal.tracking.run_store import RunStore
from cxcausal.tracking.store_mark import marked
from cxcausal.tracking.sync import Synced, send_run, sync
from cxcausal.tracking.tracking_uri import DEFAULT_URI

RecordKind = Literal["analyse", "rerun"]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Where a run was recorded.

    Attributes:
        run_id: the run's ULID. directory: its folder; results, report, manifest: files in it.
        published: the report's copy under `reports/`.
        manifest_hash: SHA-256 of the manifest. ledger_head: hash of the ledger's line about this run.
        mlflow_run_id: MLflow's id; None while the projection waits.
        warnings: what the reader should know, such as a tracking server that did not answer.
    """

    run_id: str
    directory: Path
    results: Path
    report: Path
    published: Path
    manifest: Path
    manifest_hash: str
    ledger_head: str
    mlflow_run_id: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tracker:
    """The memory of one project.

    Attributes:
        root: the project's root.
        tracking_uri: MLflow's address; a relative SQLite path is taken from the root.
        actor: who acts, as asserted by `--as`; None leaves it to the environment, git or the system.
        progress: told how far recording is, and where things were written.

    Example:
        >>> import tempfile
        >>> with Tracker(Path(tempfile.mkdtemp())).open("outreach") as store:
        ...     store.save("flow", {"rows": 10})
        ...     store.status().status
        'RUNNING'
    """

    root: Path
    tracking_uri: str = DEFAULT_URI
    actor: str | None = None
    progress: Progress = SILENT

    def open(self, experiment: str, *, resumes: str | None = None) -> OpenRun:
        """Return a context manager that makes a run's folder and keeps its status true; dead runs are closed first.

        With `resumes`, the run of that id goes on in its own folder.
        """
        reap(self.root)
        return OpenRun(self.root, experiment, resumes=resumes)

    def head(self) -> str:
        """Return the ledger's newest hash, for the footer of a report that is about to be rendered.

        Raises:
            IntegrityError: the ledger is broken.
        """
        return ledger.head(self.root)

    def on_record(self, result: RunResult, *, cut: str | None = None, read_on: str | None = None) -> RecordFacts:
        """Return what the ledger says about the experiment of a run that is about to be recorded.

        Args:
            result: what the run found.
            cut: the end of observation that was asked for in place of the plan's.
            read_on: what was read in place of the plan's own data.

        Raises:
            IntegrityError: the ledger is broken.
        """
        reading = Reading(fingerprint=result.data.fingerprint, cut=cut, verdict=result.verdict)
        lines = ledger.read(self.root)
        facts = record_of(lines, result.experiment, data_cut=result.data.data_cut, reading=reading)
        return replace(facts, read_on=read_on)

    def record(
        self, store: RunStore, result: RunResult, html: bytes, *, rerun: Mapping[str, Any] | None = None
    ) -> Recorded:
        """Write results and report, then the manifest, then the ledger's line, the report's copy, and at last MLflow.

        The run is FINISHED once the ledger has it. MLflow is a projection: its failure is a warning.

        Args:
            store: where the run lies.
            result: what it found.
            html: its page.
            rerun: what the ledger says about a rerun beyond what it says about any analysis; None where it is none.

        Raises:
            CxCausalError: the result is of another run.
            IntegrityError: the ledger is broken, or a file changed while the run was being recorded.
            MachineError: the disk refuses; the run is not FINISHED, earlier runs are unchanged.
        """
        _same_run(store, result)
        with self.progress.stage("recording the run"):
            _write_files(store, result, html)
            line, published, refused = self._enter(store, result, html, rerun)
        self._told(store, published)
        with self.progress.stage("sending the run to MLflow"):
            sent = send_run(self.root, self.tracking_uri, store.directory, line.hash)
        return Recorded(
            run_id=store.run_id,
            directory=store.directory,
            results=store.directory / RESULTS,
            report=store.directory / REPORT,
            published=published,
            manifest=store.directory / MANIFEST_FILE,
            manifest_hash=line.payload["manifest"],
            ledger_head=line.hash,
            mlflow_run_id=sent.mlflow_run_id,
            warnings=(*((sent.warning,) if sent.warning else ()), *refused),
        )

    def sync(self) -> Synced:
        """Send every finished run that MLflow doesn't have yet."""
        return sync(self.root, self.tracking_uri, self.progress)

    def _told(self, store: RunStore, published: Path) -> None:
        """Tell where things lie."""
        for what, path in (("run", store.directory), ("ledger", ledger.ledger_path(self.root)), ("report", published)):
            self.progress.tell(Wrote(what=what, path=str(path)))

    def _enter(
        self, store: RunStore, result: RunResult, html: bytes, rerun: Mapping[str, Any] | None
    ) -> tuple[LedgerLine, Path, tuple[str, ...]]:
        """Write manifest and ledger line under one lock, so that each manifest names the one before it.

        Line, status and the report's copy belong together: Ctrl-C waits for all. Where the copy can't be made, the
        run's own page is returned, and a warning.
        """
        actor = resolve_actor(self.root, self.actor)
        with ledger.writing(self.root) as chain:
            manifest = build_manifest(self.root, store.directory, result, _last_manifest(chain.lines))
            told = {"store": marked(self.root), **(rerun or {})}
            payload = {**_analysis(result, write_manifest(store.directory, manifest)), **told}
            kind: RecordKind = "analyse" if rerun is None else "rerun"
            entry = ledger.Entry(kind=kind, experiment=result.experiment, actor=actor, payload=payload)
            with held():
                line = ledger.append_to(self.root, chain, entry)
                store.finish("FINISHED")
                self.progress.tell(RunRecorded(run_id=store.run_id))
                return line, *self._published(store, html)

    def _published(self, store: RunStore, html: bytes) -> tuple[Path, tuple[str, ...]]:
        """Return where the report can be read, and a warning where that is no copy."""
        try:
            return publish_report(self.root, store.experiment, store.run_id, html), ()
        except MachineError as error:
            own = store.directory / REPORT
            mend = f"the run is recorded; read {own}, or copy it from there"
            return own, (str(replace(error.problems[0], mend=mend)),)


def publish_report(root: Path, experiment: str, run_id: str, html: bytes) -> Path:
    """Write a copy of the report to `reports/<experiment>/<run_id>/index.html` and return its path.

    Raises:
        MachineError: the disk refuses; the run's own report stays where it is.
    """
    path = root / "reports" / experiment / run_id / "index.html"
    write_atomic(path, html)
    return path


def _same_run(store: RunStore, result: RunResult) -> None:
    """Refuse a result that was made for another folder."""
    if (store.run_id, store.experiment) != (result.run_id, result.experiment):
        raise CxCausalError(
            Problem(
                where=f"{store.experiment}/{store.run_id}",
                code="B101",
                what=f"the result belongs to the run {result.experiment}/{result.run_id}",
                mend="give the result the experiment and run_id of the store it is recorded in",
            )
        )


def _write_files(store: RunStore, result: RunResult, html: bytes) -> None:
    """Write everything that the manifest will list."""
    if not (store.directory / PLAN).exists():
        store.save_plan(without_secrets_in(result.plan))
    store.save_results(without_secrets_in(result))
    store.write(EFFECTS, effects_csv(result.effects))
    store.save_report(html)
    store.forget_unfinished()


def _last_manifest(lines: tuple[LedgerLine, ...]) -> str | None:
    """Return the SHA-256 of the newest manifest in the ledger."""
    return next((line.payload["manifest"] for line in reversed(lines) if "manifest" in line.payload), None)


def _analysis(result: RunResult, manifest_hash: str) -> Mapping[str, Any]:
    """Return what the ledger says about an analysis."""
    return {
        "run_id": result.run_id,
        "manifest": manifest_hash,
        "plan_hash": result.plan_hash,
        "data_fingerprint": result.data.fingerprint,
        "verdict": result.verdict,
        "grade": result.grade,
        "registered": result.registered,
    }
