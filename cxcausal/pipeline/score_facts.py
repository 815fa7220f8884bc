"""What a run keeps of the score road's answers, asked for itself or by whatever checks and estimators asked."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from cxcausal.core.adjusting import adjusted_for, has_scores, target_of
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.score_answers import (
    BalanceAnswer,
    NuisanceAnswer,
    Opinion,
    OpinionAnswer,
    OverlapAnswer,
    RefutationAnswer,
    SensitivityAnswer,
    SpecificationAnswer,
    TimeZeroAnswer,
)
from cxcausal.core.score_facts import (
    ArmOverlapFacts,
    BalanceFact,
    BenchmarkFact,
    LearnerFact,
    Numbers,
    OpinionFact,
    OverlapFacts,
    RefuterFact,
    ScoreFacts,
    SensitivityFact,
    TimeZeroFact,
)
from cxcausal.core.score_queries import BalanceQuery, NuisanceQuery, OverlapQuery, ScoreQuery, TimeZeroQuery
from cxcausal.core.small_cells import told_count
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec

T = TypeVar("T")
_COUNTS = ("below", "above", "clipped")


def has_score_facts(spec: ExperimentSpec) -> bool:
    """Tell whether a run of this plan keeps anything of the score road."""
    return has_scores(spec)


def fact_queries(spec: ExperimentSpec) -> tuple[Query, ...]:
    """Return what the record of a run asks of the score road; nothing where the design needs no scores."""
    if not has_score_facts(spec):
        return ()
    from cxcausal.scoring.road import answers_to  # noqa: PLC0415 - only plans that need rows pay for it

    target = target_of(spec)
    learned = (NuisanceQuery(), *(NuisanceQuery(measure=measure) for measure in _measures(spec).values()))
    asked: tuple[ScoreQuery, ...] = learned
    if isinstance(spec.design, Observational):  # elsewhere a coin decided about the rest
        asked = (OverlapQuery(target=target), BalanceQuery(target=target), TimeZeroQuery(target=target), *learned)
    return tuple(query for query in asked if answers_to(query))


def score_facts(spec: ExperimentSpec, answers: Answers, *, withheld: bool = False) -> ScoreFacts:
    """Return what a run keeps of score answers.

    Args:
        spec: the resolved plan.
        answers: of the whole run; of a kind that nobody asked for, or can answer, nothing is kept.
        withheld: whether no effect may be read yet, so that nothing is kept that tells one.
    """
    target = target_of(spec)
    overlap, balance = answers.get(OverlapQuery(target=target)), answers.get(BalanceQuery(target=target))
    late = answers.get(TimeZeroQuery(target=target))
    return ScoreFacts(
        target=target,
        adjusted_for=adjusted_for(spec),
        folds=spec.estimation.folds,
        repeats=spec.estimation.repeats,
        overlap=_overlap(overlap) if isinstance(overlap, OverlapAnswer) else None,
        balance=tuple(_as(BalanceFact, row) for row in balance.rows) if isinstance(balance, BalanceAnswer) else (),
        time_zero=tuple(_as(TimeZeroFact, gap) for gap in late.gaps) if isinstance(late, TimeZeroAnswer) else (),
        nuisances=tuple(_nuisances(spec, answers)),
        incomplete=_share(balance.incomplete, overlap) if isinstance(balance, BalanceAnswer) else None,
        **({} if withheld else _of_effects(spec, answers)),
    )


def _share(units: int, overlap: object) -> float | None:
    """Return a count as a share of all units; None where it is too small to be told."""
    told, everybody = told_count(units), overlap.units if isinstance(overlap, OverlapAnswer) else 0
    return told / everybody if told is not None and everybody else None


def _of_effects(spec: ExperimentSpec, answers: Answers) -> dict[str, Any]:
    """Return what tells effects, metric by metric in the order of the plan."""
    found: dict[str, list[Any]] = {"opinions": [], "specification": [], "sensitivity": [], "refutation": []}
    for name, measure in _measures(spec).items():
        for query, answer in answers.items():
            if getattr(query, "measure", None) != measure:
                continue
            match answer:
                case OpinionAnswer():
                    found["opinions"] += _opinions(name, query, answer)
                case SpecificationAnswer():
                    found["specification"] += _choices(name, query, answer)
                case SensitivityAnswer():
                    found["sensitivity"] += _sensitivities(name, answer)
                case RefutationAnswer():
                    found["refutation"] += _refuters(name, answer)
    return {key: tuple(rows) for key, rows in found.items()}


def _measures(spec: ExperimentSpec) -> Mapping[str, Any]:
    """Return the measure of every planned metric that has one."""
    planned = (metric for _, metric in spec.metrics.with_roles())
    return {one.name: measure_of(one, spec.data.weight) for one in planned if why_not_measured(one) is None}


def _overlap(answer: OverlapAnswer) -> OverlapFacts:
    arms = tuple(
        _as(
            ArmOverlapFacts,
            found,
            arm=arm,
            discrimination=_plain(answer.discrimination.get(arm)),
            quantiles=_without_single(_plain(found.quantiles)),
            **{name: told_count(getattr(found, name)) for name in _COUNTS},
        )
        for arm, found in answer.arms.items()
    )
    return OverlapFacts(arms=arms, floor=_plain(answer.floor), units=int(answer.units))


def _without_single(quantiles: Numbers) -> Numbers:
    """Return quantiles without the least and the most, which are the chance of one unit each."""
    return (None, *quantiles[1:-1], None) if quantiles else ()


def _nuisances(spec: ExperimentSpec, answers: Answers) -> Iterator[LearnerFact]:
    asked = chain((("", None),), _measures(spec).items())
    for name, measure in asked:
        answer = answers.get(NuisanceQuery(measure=measure))
        if isinstance(answer, NuisanceAnswer):
            yield from (_as(LearnerFact, fact, metric=name) for fact in answer.facts)


def _opinions(metric: str, query: Any, answer: OpinionAnswer) -> Iterator[OpinionFact]:  # noqa: ANN401 - of its kind
    for (arm, control), found in answer.opinions.items():
        yield _opinion(metric, arm, control, query.method, query.target, found)


def _choices(metric: str, query: Any, answer: SpecificationAnswer) -> Iterator[OpinionFact]:  # noqa: ANN401 - likewise
    for (arm, control), choices in answer.choices.items():
        for name, found in choices.items():
            yield _opinion(metric, arm, control, name, query.target, found)


def _opinion(metric: str, arm: str, control: str, name: str, target: str, found: Opinion) -> OpinionFact:
    whose = found.target or target
    if found.reason is not None:
        reason = found.reason
        return OpinionFact(metric=metric, arm=arm, control=control, name=name, target=whose, reason=reason)
    own = {"metric": metric, "arm": arm, "control": control, "name": name, "target": whose}
    return _as(OpinionFact, found, **own)


def _sensitivities(metric: str, answer: SensitivityAnswer) -> Iterator[SensitivityFact]:
    for (arm, control), found in answer.found.items():
        own = {"metric": metric, "arm": arm, "control": control}
        if found.reason is not None:
            yield SensitivityFact(metric=metric, arm=arm, control=control, reason=found.reason)
            continue
        benchmarks = tuple(_as(BenchmarkFact, one) for one in found.benchmarks)
        yield _as(SensitivityFact, found, **own, benchmarks=benchmarks)


def _refuters(metric: str, answer: RefutationAnswer) -> Iterator[RefuterFact]:
    for (arm, control), refuters in answer.refuters.items():
        for found in refuters:
            yield _as(RefuterFact, found, metric=metric, arm=arm, control=control)


def _as(kind: type[T], found: object, **own: Any) -> T:  # noqa: ANN401 - fields of any type
    """Return a record of what a larger one holds under the same names."""
    known: Any = kind
    shared = (item.name for item in fields(known) if item.name not in own and hasattr(found, item.name))
    return kind(**{name: _plain(getattr(found, name)) for name in shared}, **own)


def _plain(value: Any) -> Any:  # noqa: ANN401 - numbers, texts and arrays
    """Return a value as numbers of Python, tuples and maps with text as keys; None for what is not finite."""
    match value:
        case np.ndarray():
            return _plain(tuple(value.tolist()))
        case np.generic():
            return _plain(value.item())
        case float():
            return value if math.isfinite(value) else None
        case tuple() | list():
            return tuple(map(_plain, value))
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
    return value
