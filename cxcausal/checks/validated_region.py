"""Whether a design lies where the intervals were validated: skewed outcomes, and few or unequal clusters, don't."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from cxcausal.checks.breach import quoted
from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.core.measures import measure_of
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import ClusterQuery, cluster_queries
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.wording import count, listed
from cxcausal.stats.cluster import difference, too_few_clusters
from cxcausal.stats.skewness import skewness_of_difference, skewness_of_mean

MOST_SKEWED_DIFFERENCE = 0.24
MOST_SKEWED_MEAN = 0.6
FEWEST_DEGREES = 11.0
"""Limits found by simulation (bar V14): beyond them intervals at 95 % cover less than 93.8 %, or more than 96.2 %."""
_COUNTED_AS_RATES = {"proportion", "top_box"}


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Why an interval is rougher than its level says, with the number behind it and that number's limit."""

    text: str
    found: float
    limit: float


def cluster_queries_of(spec: ExperimentSpec, metric: Metric) -> Iterator[ClusterQuery]:
    """Yield the cluster sums of a metric over everybody, per contrast; they are those of its effect."""
    measure = measure_of(metric, spec.data.weight)
    for arm, control in _contrasts(spec):
        yield from cluster_queries(measure, spec.clusters, treated=arm, control=control).values()


def doubts(spec: ExperimentSpec, metric: Metric, cells: Mapping[str, Moments], answers: Answers) -> Iterator[Doubt]:
    """Yield at most one doubt of either kind about a metric: that of the contrast which gives most cause.

    Args:
        spec: the plan.
        metric: one of its metrics that are measured.
        cells: arm → moments over everybody, of arms with units.
        answers: with those to `cluster_queries_of`.
    """
    pairs = [(arm, control) for arm, control in _contrasts(spec) if arm in cells and control in cells]
    if metric.type not in _COUNTED_AS_RATES:
        found = [doubt for pair in pairs for doubt in _skewed(spec, metric, pair, cells)]
        yield from sorted(found, key=lambda doubt: -doubt.found / doubt.limit)[:1]
    if spec.clusters:
        found = [doubt for pair in pairs for doubt in _few(spec, metric, pair, cells, answers)]
        yield from sorted(found, key=lambda doubt: doubt.found)[:1]


def _contrasts(spec: ExperimentSpec) -> list[tuple[str, str]]:
    pairs = [*((arm, spec.control) for arm in spec.treated_arms), *spec.design.contrasts]
    return [(arm, control) for arm, control in pairs]


def _skewed(
    spec: ExperimentSpec, metric: Metric, pair: tuple[str, str], cells: Mapping[str, Moments]
) -> Iterator[Doubt]:
    one, two = (cells[arm] for arm in pair)
    apart, alone = skewness_of_difference(one, two), skewness_of_mean(one, two)
    few = f"a few customers make most of '{metric.title}'"
    if apart > MOST_SKEWED_DIFFERENCE:
        sizes = listed([f"{count(cell.n)} in {quoted(spec, arm)}" for arm, cell in zip(pair, (one, two), strict=True)])
        text = f"{few}, and with arms so unequal ({sizes}) its interval misses the truth more often than it says"
        yield Doubt(text=text, found=apart, limit=MOST_SKEWED_DIFFERENCE)
    elif alone > MOST_SKEWED_MEAN:
        text = f"{few}, too few for its interval to be as exact as it says"
        yield Doubt(text=text, found=alone, limit=MOST_SKEWED_MEAN)


def _few(
    spec: ExperimentSpec, metric: Metric, pair: tuple[str, str], cells: Mapping[str, Moments], answers: Answers
) -> Iterator[Doubt]:
    asked = cluster_queries(measure_of(metric, spec.data.weight), spec.clusters, treated=pair[0], control=pair[1])
    patterns = {names: cast("ClusterPatterns", answers[query]) for names, query in asked.items()}
    if any(too_few_clusters(found) for names, found in patterns.items() if len(names) == 1):
        return  # the effect is not computed, and its row says so
    degrees = difference(cells[pair[0]], cells[pair[1]], patterns).df
    if degrees < FEWEST_DEGREES:
        shared = ", ".join(spec.clusters)
        text = (
            f"the interval of '{metric.title}' rests on so few or so unequal groups ({shared}) that it is as rough as "
            f"one from {degrees + 1:.0f} independent values (needed: {FEWEST_DEGREES + 1:.0f})"
        )
        yield Doubt(text=text, found=degrees, limit=FEWEST_DEGREES)
