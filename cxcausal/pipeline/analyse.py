"""One analysis from an open dataset to a result: queries, checks, effects, money, verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cxcausal.core.adjusting import asks_whom
from cxcausal.core.answers import Flow
from cxcausal.core.protocols import Answers, Dataset, DatasetWithRows, StageMemory, StageStore
from cxcausal.core.queries import FlowQuery, Query
from cxcausal.core.results import DataFacts, Estimate, RunResult, ValueResult
from cxcausal.core.score_facts import ScoreFacts
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.whom import Whom
from cxcausal.decision.verdict import Decision, decide, wait
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.estimators.response_safety import with_warnings
from cxcausal.pipeline.components import Components, components_of
from cxcausal.pipeline.freshness import freshness_of
from cxcausal.pipeline.reading import ReadingNow, reading_of, reading_queries, withheld, withheld_value
from cxcausal.pipeline.score_facts import fact_queries, has_score_facts, score_facts
from cxcausal.pipeline.score_road import BothRoads, ScoreEdges
from cxcausal.pipeline.small_cells import level_queries, without_rare_names, without_small_cells
from cxcausal.pipeline.stages import Stages
from cxcausal.pipeline.support import notes_of
from cxcausal.pipeline.whom import whom_of, withheld_whom
from cxcausal.value.information import four_weeks_of, with_information
from cxcausal.value.model import value_of, value_queries


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What the edges know about a run, and the stages need only to pass on.

    `computed_from` is a hash of all that the numbers depend on; None where nobody knows it.
    """

    run_id: str
    plan: dict[str, Any]
    plan_hash: str
    registered: bool
    registration: str
    created_at: str
    versions: dict[str, str]
    notes: tuple[str, ...] = ()
    computed_from: str | None = None


def analyse(
    spec: ExperimentSpec,
    dataset: DatasetWithRows,
    context: RunContext,
    store: StageStore,
    memory: StageMemory | None = None,
    edges: ScoreEdges | None = None,
) -> RunResult:
    """Run every stage in order and keep what each produced.

    Args:
        spec: the resolved plan, already known to be supported.
        dataset: the data edge; it is asked once.
        context: ids, hashes and registration, from the edges.
        store: where each stage's result is written as soon as it exists.
        memory: what an earlier attempt at this run left; a stage that was computed from the same is not computed again.
        edges: what is lent to scores, where the plan needs them.

    Raises:
        DataError: the data contradict the plan.
        GateError: the plan says that the data may not be read yet.
    """
    components, stages = components_of(spec), Stages(store, context.computed_from, memory)
    roads = BothRoads(dataset=dataset, spec=spec, edges=edges or ScoreEdges())
    answers = stages.answers(roads, queries_of(spec, dataset, components))
    reading = reading_of(spec, dataset.data_cut, answers)
    facts = stages.made("data", lambda: _facts(dataset, answers))
    fresh = freshness_of(spec, dataset.data_cut, context.created_at)
    checks = stages.made("checks", lambda: tuple(check.judge(spec, answers) for check in components.checks))
    checks = (*checks, *fresh)
    effects = stages.made("effects", lambda: without_small_cells(_effects(spec, dataset, components, answers, reading)))
    value = stages.made("value", lambda: _value(spec, answers, facts, reading))
    scores = _scores(stages, spec, answers, reading)
    grade, registered = components.design.grade, context.registered

    def decided() -> Decision:
        if reading.waiting is not None:
            return wait(spec, checks, reading.waiting, design_grade=grade)
        return decide(spec, effects, checks, value, registered=registered, design_grade=grade)

    decision = stages.made("decision", decided, also=[registered, fresh])
    whom = _whom(stages, spec, roads, decision, withheld=_why_withheld(decision, reading))
    return RunResult(
        **_of_context(context),
        experiment=spec.id,
        verdict=decision.verdict,
        recommended_arm=decision.recommended_arm,
        arms=decision.arms,
        grade=decision.grade,
        capped_by=decision.capped_by,
        effects=effects,
        checks=checks,
        value=value,
        reading=reading.facts,
        data=facts,
        notes=(*context.notes, *reading.notes, *notes_of(spec, facts, effects)),
        scores=scores,
        heterogeneity=whom.heterogeneity,
        policy=whom.policy,
    )


def _whom(stages: Stages, spec: ExperimentSpec, roads: BothRoads, decision: Decision, *, withheld: str | None) -> Whom:
    """Return who responds and whom to contact, where the plan asks; no rule gives an arm that harms."""
    if not asks_whom(spec):
        return Whom()
    # A model is no stage's result: where one is wanted, it is learned anew, and so is all that is told of it.
    wanted = roads.edges.shelf is not None

    harmful = tuple(arm for arm, verdict in decision.arms.items() if verdict.harms)

    def made() -> Whom:
        return whom_of(roads.asked(), harmful) if withheld is None else withheld_whom(spec, withheld)

    return stages.made("whom", made, anew=wanted)


def _why_withheld(decision: Decision, reading: ReadingNow) -> str | None:
    """Return why the numbers may not be used; None where they may."""
    failed = "a check failed, and the numbers must not be used" if decision.verdict == "no_decision" else None
    return reading.waiting or failed


def _of_context(context: RunContext) -> dict[str, Any]:
    """Return what a result takes from the edges as it is."""
    names = ("run_id", "registered", "registration", "plan", "plan_hash", "created_at", "versions")
    return {name: getattr(context, name) for name in names}


def _scores(stages: Stages, spec: ExperimentSpec, answers: Answers, reading: ReadingNow) -> ScoreFacts | None:
    """Return what stands behind adjusted effects; None where no score was made."""
    if not has_score_facts(spec):
        return None
    return stages.made("scores", lambda: score_facts(spec, answers, withheld=reading.waiting is not None))


def queries_of(spec: ExperimentSpec, dataset: Dataset, components: Components) -> tuple[Query, ...]:
    """Return everything that an analysis asks of its data, each query once."""
    return tuple(dict.fromkeys(_queries(spec, dataset, components)))


def _queries(spec: ExperimentSpec, dataset: Dataset, components: Components) -> Iterator[Query]:
    yield FlowQuery()
    yield from reading_queries(spec)
    yield from level_queries(spec)
    for check in components.checks:
        yield from check.queries(spec)
    for _, metric in spec.metrics.with_roles():
        for estimator in components.estimators:
            yield from estimator.queries(spec, metric, dataset.levels)
    yield from value_queries(spec)
    yield from fact_queries(spec)


def _effects(
    spec: ExperimentSpec, dataset: Dataset, components: Components, answers: Answers, reading: ReadingNow
) -> tuple[Estimate, ...]:
    comparisons = tuple(
        row
        for _, metric in spec.metrics.with_roles()
        for estimator in components.estimators
        for row in estimator.compare(spec, metric, dataset.levels, answers)
    )
    rows = without_rare_names(spec, apply_multiplicity(comparisons, spec.analysis, reading.rule), answers)
    return with_warnings(spec, rows) if reading.waiting is None else withheld(rows, reading.waiting)


def _value(spec: ExperimentSpec, answers: Answers, facts: DataFacts, reading: ReadingNow) -> ValueResult | None:
    value = value_of(spec, answers, reading.rule)
    if reading.waiting is not None:
        return withheld_value(value, reading.waiting)
    return with_information(value, facts.four_weeks)


def _facts(dataset: Dataset, answers: Answers) -> DataFacts:
    flow = answers[FlowQuery()]
    assert isinstance(flow, Flow)  # noqa: S101 - narrows the union of answers
    return DataFacts(
        inputs=dataset.inputs,
        fingerprint=dataset.fingerprint,
        data_cut=dataset.data_cut,
        rows=flow.rows,
        filtered_out=flow.filtered_out,
        enrolled=flow.enrolled,
        immature=flow.immature,
        analysed=flow.analysed,
        randomization_units=flow.randomization_units,
        enrolled_by_arm=flow.enrolled_by_arm,
        immature_by_arm=flow.immature_by_arm,
        analysed_by_arm=flow.analysed_by_arm,
        matures_on=flow.matures_on,
        enrolled_from=flow.enrolled_from,
        enrolled_to=flow.enrolled_to,
        four_weeks=four_weeks_of(flow),
        **_entry(flow),
    )


def _entry(flow: Flow) -> dict[str, Any]:
    """Return what came before enrolment, where columns are made of event tables."""
    if flow.entry is None:
        return {}
    unexposed = flow.entry.unexposed_by_arm
    return {
        "later": flow.entry.later,
        "unexposed": sum(unexposed.values()) if unexposed else None,
        "assigned_by_arm": flow.entry.assigned_by_arm,
        "unexposed_by_arm": unexposed,
        "event_tables": flow.entry.tables,
    }
