"""What Python users and the command line call: it wires the edges (plan, data, tracking, report) to the pipeline."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.errors import DataError, GateError, Problem
from cxcausal.core.progress import SILENT, Progress, RunOpened, Wrote
from cxcausal.core.results import RunResult
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.core.spec.resolve import Resolved
from cxcausal.preparing import aa, assign, check_assignment, plan

if TYPE_CHECKING:
    from cxcausal.data.dataset import Dataset
    from cxcausal.data.engine import Statement
    from cxcausal.pipeline.analyse import RunContext
    from cxcausal.simulate.files import WrittenWorld
    from cxcausal.tracking.audit import Audit
    from cxcausal.tracking.listing import RunListing
    from cxcausal.tracking.registration import Registration
    from cxcausal.tracking.sync import Synced

__all__ = [
    "Registered",
    "Run",
    "aa",
    "assign",
    "audit",
    "check_assignment",
    "list_runs",
    "load_experiment",
    "plan",
    "register",
    "run_experiment",
    "run_tracked",
    "simulate",
    "statements",
    "sync",
]

_VERSIONS = ("cxcausal", "duckdb", "ibis-framework", "numpy", "scipy", "mlflow")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run: its result, where its report lies, and what the tracking edge wants the user to know.

    `caveats` are what a reader of the summary must also know, the most important first; the report tells them in full.
    """

    result: RunResult
    report: Path
    summary: str
    caveats: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A plan that is locked in the ledger, and why `run` would refuse it, where it would."""

    experiment: str
    plan_hash: str
    at: str
    actor: str
    ledger_hash: str
    new: bool
    warnings: tuple[str, ...] = ()


def run_experiment(plan: str | Path, *, root: Path | None = None, on: str | None = None) -> RunResult:
    """Read a plan, analyse its data, track the run, write the report, and return everything that was found.

    Args:
        plan: path of the plan file.
        root: the project's root; by default the nearest folder above the plan with `configs/project.yaml`.
        on: a data file or glob to read in place of the plan's `data.source`.

    Raises:
        PlanError: the plan is wrong, or asks for what this version can't do.
        DataError: the data are not what the plan says.
        GateError: the plan says that the data may not be read yet.
        MachineError: the file system failed.

    Example:
        >>> run_experiment("experiments/proactive_outreach.yaml").verdict  # doctest: +SKIP
        'ship'
    """
    return run_tracked(plan, root=root, on=on).result


def run_tracked(
    plan: str | Path,
    *,
    root: Path | None = None,
    on: str | None = None,
    actor: str | None = None,
    progress: Progress = SILENT,
) -> Run:
    """Do what `run_experiment` does, and say where the report lies and what went less than well.

    Args:
        plan: path of the plan file.
        root: the project's root.
        on: data to read in place of `data.source`.
        actor: who asks, for the ledger; by default `CXCAUSAL_ACTOR`, git's user or the login name.
        progress: told how far the work is.
    """
    from cxcausal.pipeline.preconditions import refuse_repeated_units
    from cxcausal.pipeline.reading import refuse_early
    from cxcausal.pipeline.support import refuse_unsupported

    resolved = load_experiment(plan, root=root)
    with placing(resolved, on):
        refuse_unsupported(resolved.spec)
        with _open(resolved, on, progress) as dataset:
            with progress.stage("looking whether the data may be read"):
                refuse_repeated_units(resolved.spec, dataset)
                refuse_early(resolved.spec, dataset)
            return _tracked(resolved, dataset, actor, progress)


def statements(
    plan: str | Path, *, root: Path | None = None, on: str | None = None, progress: Progress = SILENT
) -> "tuple[Statement, ...]":
    """Return every statement that an analysis sends to the engine of its data, in order; nothing is recorded.

    They are sent for that: levels and bounds that are read first decide what is asked later.

    Args:
        plan: path of the plan file.
        root: the project's root.
        on: data to read in place of `data.source`.
        progress: told how far the work is.

    Raises:
        PlanError, DataError, GateError, MachineError: as `run_experiment`.
    """
    from cxcausal.pipeline.analyse import queries_of
    from cxcausal.pipeline.components import components_of
    from cxcausal.pipeline.preconditions import refuse_repeated_units
    from cxcausal.pipeline.reading import refuse_early
    from cxcausal.pipeline.support import refuse_unsupported

    resolved = load_experiment(plan, root=root)
    spec = resolved.spec
    with placing(resolved, on):
        refuse_unsupported(spec)
        with _open(resolved, on, progress) as dataset:
            with dataset.engine.doing("conditions of an analysis: no unit twice, no reading too early"):
                refuse_repeated_units(spec, dataset)
                refuse_early(spec, dataset)
            dataset.answer(queries_of(spec, dataset, components_of(spec)))
            return dataset.engine.statements()


def register(
    plan: str | Path, *, root: Path | None = None, actor: str | None = None, progress: Progress = SILENT
) -> Registered:
    """Lock a plan in the ledger before its outcomes exist; a plan that is locked already stays as it is.

    A plan with `retrospective: true` may be registered at any time: its verdict is capped all the same.

    Raises:
        PlanError: the plan is wrong.
        GateError: outcomes exist already, so that nobody can know whether the plan came first.
    """
    from cxcausal.pipeline.support import unsupported
    from cxcausal.tracking.actor import resolve_actor
    from cxcausal.tracking.registration import register as lock

    resolved = load_experiment(plan, root=root)
    before = _registration(resolved)
    if before.status != "registered" and not resolved.spec.retrospective:
        with placing(resolved):
            _refuse_late_registration(resolved, progress)
    line = lock(
        resolved.project.root,
        resolved.spec.id,
        resolved.plan_hash,
        resolved.plan,
        actor=resolve_actor(resolved.project.root, actor),
    )
    return Registered(
        experiment=resolved.spec.id,
        plan_hash=resolved.plan_hash,
        at=line.at,
        actor=line.actor,
        ledger_hash=line.hash,
        new=line.hash != before.ledger_hash,
        warnings=tuple(f"`run` will refuse it: {resolved.placed(found)}" for found in unsupported(resolved.spec)),
    )


def simulate(
    name: str,
    out: str | Path,
    *,
    progress: Progress = SILENT,
    **options: Any,  # noqa: ANN401 - the world's own fields
) -> "WrittenWorld":
    """Draw a world with known truth and write its data, and its truth beside them, to `out`.

    Args:
        name: the world, such as `outreach`.
        out: path of the Parquet file; the truth goes to `<out without suffix>.truth.json`.
        progress: told how far the work is.
        options: the world's fields, such as `n`, `seed`, `arms`, `shares`, `effect_scale`.
    """
    from cxcausal.simulate.files import simulate as draw

    with progress.stage("drawing the world"):
        written = draw(name, out, **options)
    progress.tell(Wrote(what="data", path=str(written.data)))
    return written


def list_runs(folder: Path, experiment: str | None = None) -> "tuple[RunListing, ...]":
    """Return the runs of the project around `folder`, or of one experiment, the newest first."""
    from cxcausal.core.spec.project import find_root
    from cxcausal.tracking.listing import list_runs as listed

    return listed(find_root(folder) or folder, experiment)


def sync(folder: Path, *, progress: Progress = SILENT) -> "Synced":
    """Send to MLflow the finished runs of the project around `folder` that it doesn't have yet."""
    from cxcausal.core.spec.project import find_root, read_project
    from cxcausal.tracking.sync import sync as send

    project, _ = read_project(find_root(folder) or folder)
    return send(project.root, project.tracking_uri, progress)


def audit(folder: Path, *, anchor: str | None = None, progress: Progress = SILENT) -> "Audit":
    """Check the ledger's chain and every run of the project around `folder` against its manifest.

    Args:
        folder: any folder of the project.
        anchor: a ledger head that was kept elsewhere; without one, a chain that was rewritten whole looks sound.
        progress: told how far the work is.
    """
    from cxcausal.core.spec.project import find_root
    from cxcausal.tracking.audit import audit as audited

    return audited(find_root(folder) or folder, anchor=anchor, progress=progress)


def _open(resolved: Resolved, on: str | None, progress: Progress) -> "Dataset":
    with progress.stage("starting the engine"):
        from cxcausal.data.engines import Session
        from cxcausal.data.opening import open_dataset

    project = resolved.project
    session = Session(engine=project.engine, timezone=project.timezone, progress=progress)
    roots = tuple(Path(root) for root in project.data_roots)
    return open_dataset(resolved.spec, project.root, data_roots=roots, on=on, session=session)


def _tracked(resolved: Resolved, dataset: "Dataset", actor: str | None, progress: Progress) -> Run:
    from cxcausal.pipeline.analyse import analyse
    from cxcausal.report.render import render_report
    from cxcausal.report.sentences.answer import summary_text
    from cxcausal.report.sentences.briefly import caveat_texts
    from cxcausal.tracking.tracker import Tracker

    project = resolved.project
    tracker = Tracker(project.root, project.tracking_uri, actor, progress)
    with tracker.open(resolved.spec.id) as store:
        progress.tell(RunOpened(experiment=resolved.spec.id, run_id=store.run_id))
        with progress.stage("checking, estimating and deciding"):
            result = analyse(resolved.spec, dataset, _context(resolved, store.run_id), store)
        result = replace(result, report=f"reports/{resolved.spec.id}/{store.run_id}/index.html")
        with progress.stage("writing the report"):
            html = render_report(result, ledger_head=tracker.head()).encode()
        recorded = tracker.record(store, result, html)
    return Run(
        result=result,
        report=recorded.published,
        summary=summary_text(result),
        caveats=caveat_texts(result),
        warnings=recorded.warnings,
    )


def _context(resolved: Resolved, run_id: str) -> "RunContext":
    from cxcausal.pipeline.analyse import RunContext
    from cxcausal.tracking.redaction import without_secrets_in

    registration = _registration(resolved)
    return RunContext(
        run_id=run_id,
        plan=without_secrets_in(resolved.plan),
        plan_hash=resolved.plan_hash,
        registered=registration.registered,
        registration=registration.sentence,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: version(name) for name in _VERSIONS},
        notes=resolved.notes,
    )


def _registration(resolved: Resolved) -> "Registration":
    from cxcausal.tracking.registration import registration_of

    return registration_of(resolved.project.root, resolved.spec.id, resolved.plan_hash, resolved.plan)


def _refuse_late_registration(resolved: Resolved, progress: Progress) -> None:
    """Raise where any planned outcome has a value already."""
    seen = _outcomes_seen(resolved, progress)
    if seen:
        raise GateError(
            Problem(
                where="data.source",
                code="G101",
                what=f"outcomes exist already ({', '.join(seen)}), so nobody could know that the plan came before them",
                mend="register before the data arrive; for old data say `retrospective: true` (the verdict is capped)",
            )
        )


def _outcomes_seen(resolved: Resolved, progress: Progress) -> tuple[str, ...]:
    from cxcausal.pipeline.preconditions import outcomes_seen

    try:
        with _open(resolved, None, progress) as dataset:
            return outcomes_seen(resolved.spec, dataset)
    except DataError as error:
        if all(_is_of_the_future(resolved, problem) for problem in error.problems):
            return ()
        raise


def _is_of_the_future(resolved: Resolved, problem: Problem) -> bool:
    """Tell whether a problem only says that the file, or a column of outcomes in it, isn't there yet."""
    metrics = (metric for _, metric in resolved.spec.metrics.with_roles())
    awaited = {name for metric in metrics for name in (*metric.columns, metric.response)}
    return problem.code == "D104" or (
        problem.code == "D210" and any(problem.where.endswith(f" column {name}") for name in awaited)
    )
