"""An analysis from the plan to the record: the data edge, the pipeline, the report and tracking, wired together."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.core.progress import SILENT, Progress, RunOpened
from cxcausal.core.results import RunResult
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.core.spec.resolve import Resolved

if TYPE_CHECKING:
    from cxcausal.data.dataset import Dataset
    from cxcausal.data.engine import Statement
    from cxcausal.pipeline.analyse import RunContext
    from cxcausal.tracking.registration import Registration

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
        with opened(resolved, on, progress) as dataset:
            with progress.stage("looking whether the data may be read"):
                refuse_repeated_units(resolved.spec, dataset)
                refuse_early(resolved.spec, dataset)
            return tracked(resolved, dataset, actor, progress)


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
        with opened(resolved, on, progress) as dataset:
            with dataset.engine.doing("conditions of an analysis: no unit twice, no reading too early"):
                refuse_repeated_units(spec, dataset)
                refuse_early(spec, dataset)
            dataset.answer(queries_of(spec, dataset, components_of(spec)))
            return dataset.engine.statements()


def opened(resolved: Resolved, on: str | None, progress: Progress) -> "Dataset":
    """Return the open data of a plan, on the project's engine."""
    with progress.stage("starting the engine"):
        from cxcausal.data.engines import Session
        from cxcausal.data.opening import open_dataset

    project = resolved.project
    session = Session(engine=project.engine, timezone=project.timezone, progress=progress)
    roots = tuple(Path(root) for root in project.data_roots)
    return open_dataset(resolved.spec, project.root, data_roots=roots, on=on, session=session)


def tracked(resolved: Resolved, dataset: "Dataset", actor: str | None, progress: Progress) -> Run:
    """Analyse open data, write the report and record both."""
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
            result = analyse(resolved.spec, dataset, context_of(resolved, store.run_id), store)
        page = f"reports/{resolved.spec.id}/{store.run_id}/index.html"
        result = replace(result, report=page, record=tracker.on_record(result))
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


def context_of(resolved: Resolved, run_id: str) -> "RunContext":
    """Return what the edges know about a run."""
    from cxcausal.pipeline.analyse import RunContext
    from cxcausal.tracking.redaction import without_secrets_in

    registration = registration_now(resolved)
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


def registration_now(resolved: Resolved) -> "Registration":
    """Return how the plan stands to what the ledger holds."""
    from cxcausal.tracking.registration import registration_of

    return registration_of(resolved.project.root, resolved.spec.id, resolved.plan_hash, resolved.plan)
