"""A/A on a plan's own data: the coin is tossed anew many times, and the plan's own machinery runs on every toss."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from cxcausal.core.answers import Flow
from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.protocols import Answers, Check, Dataset
from cxcausal.core.queries import FlowQuery, Query
from cxcausal.core.results import CheckResult, Estimate
from cxcausal.decision.evidence import evidence_of
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.pipeline.aa_result import AaResult
from cxcausal.pipeline.aa_rows import GuardrailState, Tossed, rows_of
from cxcausal.pipeline.aa_sentences import answer_of, notes_of, sentence_of
from cxcausal.pipeline.components import Components, components_of
from cxcausal.pipeline.preconditions import outcomes_seen
from cxcausal.stats.false_alarms import CONFIDENCE

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

Shares = Mapping[str, Mapping[str, float]]


class Coin(Protocol):
    """What deals units into arms anew, as often as it is asked."""

    def toss(self, salt: str) -> Dataset:
        """Return the data with the arms of one toss."""

    def forget(self) -> None:
        """Drop what the last toss made."""


@dataclass(frozen=True, kw_only=True)
class AaAsked:
    """What is asked of an A/A run: how many tosses from which seed, and by which shares (from plan or data)."""

    tosses: int
    seed: int
    shares: Shares
    shares_from: Literal["plan", "data"]
    plan_hash: str


def without_treatment(spec: "ExperimentSpec") -> "ExperimentSpec":
    """Return the plan without what only the real arms could tell: what was delivered, and money by delivery."""
    treatment = spec.design.treatment
    arms = {name: arm.model_copy(update={"cost_basis": "assigned"}) for name, arm in treatment.arms.items()}
    bare = treatment.model_copy(update={"received": None, "arms": arms})
    return spec.model_copy(update={"design": spec.design.model_copy(update={"treatment": bare})})


def refuse_without_coin(spec: "ExperimentSpec") -> None:
    """Raise where no coin decides about arms, so that none can be tossed anew.

    Raises:
        PlanError: the design is not randomised.
    """
    if spec.design.type != "randomized":
        what = f"nobody tosses a coin for the arms of a design of type '{spec.design.type}'"
        raise PlanError(Problem(where="design.type", code="P904", what=what, mend="`aa` is for randomised designs"))


def refuse_without_outcomes(spec: "ExperimentSpec", dataset: Dataset) -> None:
    """Raise where no planned outcome has a value for anyone: there is nothing whose false alarms could be counted.

    Raises:
        DataError: with the way out.
    """
    if not outcomes_seen(spec, dataset):
        what = "no planned outcome has a value for any customer with a whole observation window"
        mend = "give past customers with their outcomes by --on, or wait until the first windows are over"
        raise DataError(Problem(where="data.source", code="D350", what=what, mend=mend))


def tossed_often(
    spec: "ExperimentSpec", dataset: Dataset, coin: Coin, asked: AaAsked, progress: Callable[[int], None]
) -> AaResult:
    """Return how often the plan's effects, guardrails and checks alarm where the arms differ by chance alone.

    Every toss forgets the arms of the one before, and all else stays as it is: outcomes, covariates, clusters,
    weights and windows. The plan's estimator, multiplicity rule, guardrails and checks then run as in a real run,
    over everybody; segments are looked at by checks alone, and companions not at all.

    Args:
        spec: of `without_treatment`.
        dataset: whose arms nobody looks at.
        coin: of the same data.
        asked: tosses, seed and shares.
        progress: told how many tosses are done.
    """
    components = components_of(spec)
    queries = tuple(dict.fromkeys(_queries(spec, components)))
    tossed = []
    for at in range(asked.tosses):
        answers = coin.toss(f"aa/{spec.id}/{asked.seed}/{at}").answer(queries)
        tossed.append(_judged(spec, components, answers))
        coin.forget()
        progress(at + 1)
    return _result(spec, dataset, asked, components.checks, tossed)


def _queries(spec: "ExperimentSpec", components: Components) -> Iterator[Query]:
    for check in components.checks:
        yield from check.queries(spec)
    for _, metric in spec.metrics.with_roles():
        yield from components.estimators[0].queries(spec, metric, {})


def _judged(spec: "ExperimentSpec", components: Components, answers: Answers) -> Tossed:
    comparisons = [
        row
        for _, metric in spec.metrics.with_roles()
        for row in components.estimators[0].compare(spec, metric, {}, answers)
    ]
    effects = apply_multiplicity(comparisons, spec.analysis)
    checks = tuple(check.judge(spec, answers) for check in components.checks)
    alone = tuple(row for row in (one.at(spec.analysis.alpha) for one in comparisons) if row.headline)
    return Tossed(
        alone=alone,
        family=tuple(row for row in effects if row.headline and row.role == "success"),
        guardrails=dict(_guardrails(spec, effects, checks)),
        checks=checks,
    )


def _guardrails(
    spec: "ExperimentSpec", effects: Sequence[Estimate], checks: Sequence[CheckResult]
) -> Iterator[tuple[tuple[str, str], GuardrailState]]:
    for arm in spec.treated_arms:
        evidence = evidence_of(spec, arm, effects, checks, None)
        for metric in spec.metrics.guardrails:
            yield (metric.name, arm), evidence.guardrail_state(metric)


def _result(
    spec: "ExperimentSpec", dataset: Dataset, asked: AaAsked, checks: Sequence[Check], tossed: Sequence[Tossed]
) -> AaResult:
    flow = dataset.answer((FlowQuery(),))[FlowQuery()]
    assert isinstance(flow, Flow)  # noqa: S101 - narrows the union of answers
    rows = rows_of(spec, checks, tossed)
    answer = answer_of(rows)
    return AaResult(
        experiment=spec.id,
        plan_hash=asked.plan_hash,
        answer=answer,
        sentence=sentence_of(spec, answer, rows, asked.tosses),
        notes=notes_of(spec, rows, flow, asked.shares_from),
        tosses=asked.tosses,
        seed=asked.seed,
        units=flow.analysed,
        randomization_units=flow.randomization_units,
        shares=asked.shares,
        shares_from=asked.shares_from,
        confidence=CONFIDENCE,
        alpha=spec.analysis.alpha,
        power=spec.analysis.power,
        rows=rows,
        inputs=dataset.inputs,
    )
