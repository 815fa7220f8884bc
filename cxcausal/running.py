"""An analysis from the plan to the record: the data edge, the pipeline, the report and tracking, wired together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from glob import glob
from importlib.metadata import version
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.adjusting import asks_whom
from cxcausal.core.progress import SILENT, Progress, RunOpened
from cxcausal.core.results import RunResult
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.placing import placing
from cxcausal.core.spec.resolve import Resolved

if TYPE_CHECKING:
    from cxcausal.data.dataset import Dataset
    from cxcausal.data.engine import Statement
    from cxcausal.data.kept import Kept
    from cxcausal.pipeline.analyse import RunContext
    from cxcausal.pipeline.whom import Model
    from cxcausal.tracking.registration import Registration
    from cxcausal.tracking.run_store import RunStore
    from cxcausal.tracking.start import Start

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
class Attempt:
    """What an analysis reads in place of the plan's source, and which run that ended early it goes on with.

    `resume` is a run's id, the empty text for the newest run that fits, or None to begin a run.
    """

    on: str | None = None
    resume: str | None = None


@dataclass(frozen=True, kw_only=True)
class Again:
    """What makes a run a rerun.

    Attributes:
        spec: what is analysed: the plan, but for the end of observation that was asked for.
        compare: from the run's folder, its result and what was kept of it to the result that says what moved.
        entry: what the ledger says beyond what it says about any analysis.
    """

    spec: ExperimentSpec
    compare: "Callable[[Path, RunResult, Kept], RunResult]"
    entry: Mapping[str, Any] = field(default_factory=dict)


_FIRST = Attempt()


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
    resume: str | None = None,
) -> Run:
    """Do what `run_experiment` does, and say where the report lies and what went less than well.

    Args:
        plan: path of the plan file.
        root: the project's root.
        on: data to read in place of `data.source`.
        actor: who asks, for the ledger; by default `CXCAUSAL_ACTOR`, git's user or the login name.
        progress: told how far the work is.
        resume: a run that was killed or failed and shall go on, by its id; the empty text for the newest that fits.

    Raises:
        UsageError: no run can go on, with the reason.
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
            return tracked(resolved, dataset, actor, progress, attempt=Attempt(on=on, resume=resume))


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
    from cxcausal.pipeline.score_road import ask_engine
    from cxcausal.pipeline.support import refuse_unsupported

    resolved = load_experiment(plan, root=root)
    spec = completed(resolved.spec)
    with placing(resolved, on):
        refuse_unsupported(spec)
        with opened(resolved, on, progress) as dataset:
            with dataset.engine.doing("conditions of an analysis: no unit twice, no reading too early"):
                refuse_repeated_units(spec, dataset)
                refuse_early(spec, dataset)
            ask_engine(spec, dataset, queries_of(spec, dataset, components_of(spec)))
            return dataset.engine.statements()


def completed(spec: ExperimentSpec) -> ExperimentSpec:
    """Return the plan with the confounders that its graph asks for, where it draws one and names none itself.

    It is what is read and analysed; what is recorded, and hashed, is the plan as it was declared.
    """
    from cxcausal.core.spec.designs import Observational

    design = spec.design
    if not isinstance(design, Observational) or design.confounders or design.causal_graph is None:
        return spec
    from cxcausal.identify.plan import adjustment_of

    changed = design.model_copy(update={"confounders": adjustment_of(spec)})
    return spec.model_copy(update={"design": changed})


def opened(resolved: Resolved, on: str | None, progress: Progress) -> "Dataset":
    """Return the open data of a plan, on the project's engine."""
    with progress.stage("starting the engine"):
        from cxcausal.data.engines import Session
        from cxcausal.data.opening import open_dataset

    project = resolved.project
    session = Session(engine=project.engine, timezone=project.timezone, progress=progress)
    roots = tuple(Path(root) for root in project.data_roots)
    return open_dataset(completed(resolved.spec), project.root, data_roots=roots, on=on, session=session)


def tracked(
    resolved: Resolved,
    dataset: "Dataset",
    actor: str | None,
    progress: Progress,
    again: Again | None = None,
    attempt: Attempt = _FIRST,
) -> Run:
    """Analyse open data, write the report and record both; what is needed for a rerun is kept beside them."""
    from cxcausal.pipeline.analyse import analyse
    from cxcausal.pipeline.score_road import ScoreEdges
    from cxcausal.pipeline.whom import Shelf
    from cxcausal.report.render import render_report
    from cxcausal.report.sentences.answer import summary_text
    from cxcausal.report.sentences.briefly import caveat_texts
    from cxcausal.tracking.actor import resolve_actor
    from cxcausal.tracking.kept_units import remove_old_units
    from cxcausal.tracking.nuisance_store import NuisanceStore
    from cxcausal.tracking.redaction import without_secrets_in
    from cxcausal.tracking.resuming import resumable
    from cxcausal.tracking.start import write_start
    from cxcausal.tracking.tracker import Tracker

    project = resolved.project
    spec = completed(resolved.spec if again is None else again.spec)
    start = start_of(resolved, dataset, attempt.on, {} if again is None else again.entry)
    goes_on = (
        None if attempt.resume is None else resumable(project.root, resolved.spec.id, start, attempt.resume or None)
    )
    tracker = Tracker(project.root, project.tracking_uri, actor, progress)
    with tracker.open(resolved.spec.id, resumes=None if goes_on is None else goes_on.run_id) as store:
        progress.tell(RunOpened(experiment=resolved.spec.id, run_id=store.run_id))
        with progress.stage("checking, estimating and deciding"):
            store.save_plan(without_secrets_in(resolved.plan))
            write_start(store, start)
            context = replace(context_of(resolved, store.run_id), computed_from=start.computed_from)
            shelf = Shelf() if asks_whom(spec) else None
            edges = ScoreEdges(store=NuisanceStore(root=project.root), progress=progress, shelf=shelf)
            result = analyse(spec, dataset, context, store, store, edges)
        kept = _kept(project.root, spec, dataset, store)
        remove_old_units(project.root, resolve_actor(project.root, actor))
        if again is not None:
            result = again.compare(store.directory, result, kept)
        page = f"reports/{spec.id}/{store.run_id}/index.html"
        result = replace(
            result, report=page, record=tracker.on_record(result, cut=start.rerun.get("data_cut"), read_on=start.on)
        )
        if shelf is not None and shelf.model is not None:
            _save_model(store.directory, result, shelf.model)
        with progress.stage("writing the report"):
            html = render_report(result, ledger_head=tracker.head()).encode()
        recorded = tracker.record(store, result, html, rerun=None if again is None else again.entry)
    return Run(
        result=result,
        report=recorded.published,
        summary=summary_text(result),
        caveats=caveat_texts(result),
        warnings=((goes_on.warning,) if goes_on is not None and goes_on.warning else ()) + recorded.warnings,
    )


def _save_model(directory: Path, result: "RunResult", model: "Model") -> None:
    """Write what fresh customers are scored by beside the run, so that its manifest vouches for it."""
    from cxcausal.core.model_facts import model_facts
    from cxcausal.tracking.model_folder import MODEL, save_model

    assert result.policy is not None  # noqa: S101 - a model comes with what was found of its policy
    single = model.rule.arms[model.rule.arm] if model.rule.arm else None
    facts = model_facts(result, result.policy, model.aim, model.spending, model.baselines, single=single)
    save_model(directory / MODEL, model.effects, model.rule, facts)


def start_of(resolved: Resolved, dataset: "Dataset", on: str | None, rerun: Mapping[str, Any]) -> "Start":
    """Return what the numbers of a run depend on."""
    from cxcausal.tracking.start import start_now

    project = resolved.project
    start = start_now(
        plan_hash=resolved.plan_hash,
        inputs=dataset.inputs,
        fingerprint=dataset.fingerprint,
        on=relpath(on, project.root) if on is not None and glob(on) else on,  # noqa: PTH207 - it may be absolute
        project=(project.engine, project.timezone),
    )
    return replace(start, rerun=dict(rerun))


def _kept(root: Path, spec: ExperimentSpec, dataset: "Dataset", store: "RunStore") -> "Kept":
    """Keep the units for reruns, where the plan allows it, and note how that went."""
    from cxcausal.data.kept import Kept, keep_units
    from cxcausal.tracking.layout import KEPT
    from cxcausal.tracking.project_key import key_name, project_key

    kept = Kept(reason="the plan says reruns: {keep_units: false}")
    if spec.reruns.keep_units:
        kept = keep_units(dataset, spec, store.directory / KEPT, project_key(root), spec.reruns.max_units)
    told = {"units": kept.units, "bytes": kept.size, "reason": kept.reason, "keep_days": spec.reruns.keep_days}
    if kept.path is not None:
        told["key"] = key_name(root)
    store.save("kept", told)
    return kept


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
