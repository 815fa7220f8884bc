"""What Python users and the command line call: it wires the edges (plan, data, tracking, report) to the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.errors import DataError, GateError, Problem
from cxcausal.core.results import RunResult
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.core.spec.resolve import Resolved
from cxcausal.preparing import aa, assign, check_assignment, plan

if TYPE_CHECKING:
    from cxcausal.data.dataset import Dataset
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
    "sync",
]

_VERSIONS = ("cxcausal", "duckdb", "ibis-framework", "numpy", "scipy", "mlflow")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run: its result, where its report lies, and what the tracking edge wants the user to know."""

    result: RunResult
    report: Path
    summary: str
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
    progress: Callable[[str], None] | None = None,
) -> Run:
    """Do what `run_experiment` does, and say where the report lies and what went less than well.

    Args:
        plan: path of the plan file.
        root: the project's root.
        on: data to read in place of `data.source`.
        actor: who asks, for the ledger; by default `CXCAUSAL_ACTOR`, git's user or the login name.
        progress: told each step in a few words as it begins.
    """
    from cxcausal.data.urls import shown
    from cxcausal.pipeline.preconditions import refuse_repeated_units
    from cxcausal.pipeline.reading import refuse_early
    from cxcausal.pipeline.support import refuse_unsupported

    resolved = load_experiment(plan, root=root)
    say = progress or _silent
    with placing(resolved, on):
        refuse_unsupported(resolved.spec)
        say(f"reading {shown(on or resolved.spec.data.source, resolved.spec.data.table)}")
        with _open(resolved, on) as dataset:
            refuse_repeated_units(resolved.spec, dataset)
            refuse_early(resolved.spec, dataset)
            return _tracked(resolved, dataset, actor, say)


def register(plan: str | Path, *, root: Path | None = None, actor: str | None = None) -> Registered:
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
            _refuse_late_registration(resolved)
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


def simulate(name: str, out: str | Path, **options: Any) -> "WrittenWorld":  # noqa: ANN401 - the world's own fields
    """Draw a world with known truth and write its data, and its truth beside them, to `out`.

    Args:
        name: the world, such as `outreach`.
        out: path of the Parquet file; the truth goes to `<out without suffix>.truth.json`.
        options: the world's fields, such as `n`, `seed`, `arms`, `shares`, `effect_scale`.
    """
    from cxcausal.simulate.files import simulate as draw

    return draw(name, out, **options)


def list_runs(folder: Path, experiment: str | None = None) -> "tuple[RunListing, ...]":
    """Return the runs of the project around `folder`, or of one experiment, the newest first."""
    from cxcausal.core.spec.project import find_root
    from cxcausal.tracking.listing import list_runs as listed

    return listed(find_root(folder) or folder, experiment)


def sync(folder: Path) -> "Synced":
    """Send to MLflow the finished runs of the project around `folder` that it doesn't have yet."""
    from cxcausal.core.spec.project import find_root, read_project
    from cxcausal.tracking.sync import sync as send

    project, _ = read_project(find_root(folder) or folder)
    return send(project.root, project.tracking_uri)


def audit(folder: Path, *, anchor: str | None = None) -> "Audit":
    """Check the ledger's chain and every run of the project around `folder` against its manifest.

    Args:
        folder: any folder of the project.
        anchor: a ledger head that was kept elsewhere; without one, a chain that was rewritten whole looks sound.
    """
    from cxcausal.core.spec.project import find_root
    from cxcausal.tracking.audit import audit as audited

    return audited(find_root(folder) or folder, anchor=anchor)


def _open(resolved: Resolved, on: str | None = None) -> "Dataset":
    from cxcausal.data.engines import Session
    from cxcausal.data.opening import open_dataset

    project = resolved.project
    session = Session(engine=project.engine, timezone=project.timezone)
    roots = tuple(Path(root) for root in project.data_roots)
    return open_dataset(resolved.spec, project.root, data_roots=roots, on=on, session=session)


def _silent(_: str) -> None:
    """Tell nobody."""


def _tracked(resolved: Resolved, dataset: "Dataset", actor: str | None, say: Callable[[str], None]) -> Run:
    from cxcausal.pipeline.analyse import analyse
    from cxcausal.report.render import render_report
    from cxcausal.report.sentences.answer import summary_text
    from cxcausal.tracking.tracker import Tracker, publish_report

    project = resolved.project
    tracker = Tracker(project.root, project.tracking_uri, actor)
    with tracker.open(resolved.spec.id) as store:
        say("checking, estimating and deciding")
        result = analyse(resolved.spec, dataset, _context(resolved, store.run_id), store)
        result = replace(result, report=f"reports/{resolved.spec.id}/{store.run_id}/index.html")
        say("writing the report and the record")
        html = render_report(result, ledger_head=tracker.head()).encode()
        recorded = tracker.record(store, result, html)
    path = publish_report(project.root, resolved.spec.id, store.run_id, html)
    return Run(result=result, report=path, summary=summary_text(result), warnings=recorded.warnings)


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


def _refuse_late_registration(resolved: Resolved) -> None:
    """Raise where any planned outcome has a value already."""
    seen = _outcomes_seen(resolved)
    if seen:
        raise GateError(
            Problem(
                where="data.source",
                code="G101",
                what=f"outcomes exist already ({', '.join(seen)}), so nobody could know that the plan came before them",
                mend="register before the data arrive; for old data say `retrospective: true` (the verdict is capped)",
            )
        )


def _outcomes_seen(resolved: Resolved) -> tuple[str, ...]:
    from cxcausal.pipeline.preconditions import outcomes_seen

    try:
        with _open(resolved) as dataset:
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
