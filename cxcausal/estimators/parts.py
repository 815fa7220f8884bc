"""What an average is made of: promoters and detractors of an NPS, who spends and how much of a mean with many zeros."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, cast

from cxcausal.core.answers import ClusterPatterns, MomentTable
from cxcausal.core.measure import Measure
from cxcausal.core.measures import measure_of, unit_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.difference_in_means import find
from cxcausal.estimators.found import Found, comparison
from cxcausal.estimators.questions import Levels, Question, cluster_queries_of, moment_query, questions_of
from cxcausal.stats.parts import split_mean

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

FEWEST = 10
"""Customers per arm with a value other than zero below which nothing is told about them."""
MANY_ZEROS = 0.05
METHOD = "split_mean"
NOT_THE_SAME = "describes those with a value other than zero, who are not the same customers in both arms"
_PROMOTERS, _DETRACTORS = 9.0, 6.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Beside every NPS, and every mean with many zeros; over all customers, on the absolute scale.

    NPS is 100 × (promoters − detractors). A mean's difference is `from_who` plus `from_how_much`, exactly.
    """

    name: ClassVar[str] = "parts"

    def queries(self, spec: "ExperimentSpec", metric: "Metric", levels: Levels) -> tuple[Query, ...]:
        """Return the moments of the parts, and their cluster sums where units share a fate."""
        del levels  # parts are told over all customers only
        measures = _measures(spec, metric)
        moments = (moment_query(measure, None) for measure in measures.values())
        clusters = (
            cluster_queries_of(measure, question, spec.clusters).values()
            for measure in measures.values()
            for question in _questions(spec)
        )
        own = (moment_query(measure_of(metric, spec.data.weight), None),) if metric.type == "mean" else ()
        return (*own, *moments, *(chain.from_iterable(clusters) if spec.clusters else ()))

    def compare(
        self, spec: "ExperimentSpec", metric: "Metric", levels: Levels, answers: Answers
    ) -> tuple[Comparison, ...]:
        """Return the parts of every contrast; none for a mean with few zeros, or with values below zero."""
        del levels
        if metric.type == "nps":
            return tuple(row for question in _questions(spec) for row in _nps(spec, metric, question, answers))
        if metric.type != "mean" or not _has_many_zeros(spec, metric, answers):
            return ()
        return tuple(row for question in _questions(spec) for row in _mean(spec, metric, question, answers))


def _questions(spec: "ExperimentSpec") -> tuple[Question, ...]:
    return tuple(question for question in questions_of(spec, {}) if question.segment is None)


def _measures(spec: "ExperimentSpec", metric: "Metric") -> Mapping[str, Measure]:
    """Return the measures of a metric's parts by their names."""
    if metric.type not in {"nps", "mean"}:
        return {}
    plain = Measure(
        name=metric.name, terms=((str(metric.column), 1.0),), response=metric.response, weight=spec.data.weight
    )
    if metric.type == "nps":
        turned = ((str(metric.column), -1.0),)
        return {
            "promoters": replace(plain, transform="top_box", at_least=_PROMOTERS),
            "detractors": replace(plain, transform="top_box", at_least=-_DETRACTORS, terms=turned),
        }
    return {"who": replace(plain, transform="nonzero"), "how_much": replace(plain, transform="per_nonzero")}


def _has_many_zeros(spec: "ExperimentSpec", metric: "Metric", answers: Answers) -> bool:
    table = cast("MomentTable", answers[moment_query(measure_of(metric, spec.data.weight), None)])
    cells = [cell for (arm, _), cell in table.items() if arm in spec.arms and cell.n]
    units, events = sum(cell.n for cell in cells), sum(cell.events for cell in cells)
    return events > 0 and min(cell.low for cell in cells) >= 0 and units - events >= MANY_ZEROS * units


def _nps(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Iterator[Comparison]:
    unit = f"share of {'respondents' if metric.response else 'customers'}"
    for part, measure in _measures(spec, metric).items():
        yield _row(spec, metric, question, find(spec, measure, question, answers, rate=True), (part, unit))


def _mean(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> Iterator[Comparison]:
    measures, unit = _measures(spec, metric), unit_of(spec, metric)
    who = find(spec, measures["who"], question, answers, rate=True)
    yield _row(spec, metric, question, who, ("who", f"share of {'respondents' if metric.response else 'customers'}"))
    few = _few(spec, metric, question, answers)
    found = replace(who, effect=None, reason=few, method=METHOD)
    if few is None:
        found = find(spec, measures["how_much"], question, answers, rate=False)
    if found.effect is not None:
        found = replace(found, effect=replace(found.effect, note=_also(found.effect.note)))  # type: ignore[arg-type]
    amount = replace(found, hidden=found.hidden or few is not None)
    yield _row(spec, metric, question, amount, ("how_much", f"{unit} with a value other than zero"))
    for part, one in _split(spec, metric, question, found, answers).items():
        yield _row(spec, metric, question, one, (part, unit))


def _few(spec: "ExperimentSpec", metric: "Metric", question: Question, answers: Answers) -> str | None:
    """Return why nothing is told about those with a value other than zero."""
    table = cast("MomentTable", answers[moment_query(measure_of(metric, spec.data.weight), None)])
    for arm in (question.arm, question.control):
        cell = table.get((arm, ()))
        if cell is None or cell.events < FEWEST:
            return f"fewer than {FEWEST} customers in arm '{arm}' have a value other than zero"
    return None


def _split(
    spec: "ExperimentSpec", metric: "Metric", question: Question, amount: Found, answers: Answers
) -> dict[str, Found]:
    """Return what comes from who has any, and from how much they have."""
    measure = _measures(spec, metric)["how_much"]
    reason = amount.reason
    if spec.data.weight is not None:
        reason = reason or "this version does not split a difference of weighted means"
    if len(spec.clusters) > 1:
        reason = reason or "this version does not split a difference where several names are clusters"
    blank = replace(amount, effect=None, reason=reason, method=METHOD)
    if reason is not None:
        return {"from_who": blank, "from_how_much": blank}
    asked = cluster_queries_of(measure, question, spec.clusters)
    patterns = [cast("ClusterPatterns", answers[query]) for query in asked.values()]
    split = split_mean(amount.treated, amount.control, patterns[0] if patterns else None)
    return {
        "from_who": replace(blank, effect=split.who),
        "from_how_much": replace(blank, effect=split.how_much),
    }


def _row(
    spec: "ExperimentSpec", metric: "Metric", question: Question, found: Found, told: tuple[str, str]
) -> Comparison:
    """Return one part's row in waiting, under a name with a dot, which no planned metric has."""
    part, unit = told
    made = comparison(spec, metric, question, found, "absolute")
    row = replace(
        made.row, metric=f"{metric.name}.{part}", role="exploratory", companion=True, headline=False, unit=unit
    )
    if part.startswith("from_"):
        row = replace(row, mean_treated=None, mean_control=None)
    return replace(made, row=row, confirmatory=False)


def _also(note: str | None) -> str:
    return "; ".join(filter(None, (NOT_THE_SAME, note)))
