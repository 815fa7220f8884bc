"""Agreement: do other methods, with the same customers and confounders, come to the same effect?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.core.measures import unit_of
from cxcausal.core.opinions import opinion_queries
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.score_answers import Contrast, Opinion, OpinionAnswer
from cxcausal.core.wording import listed, number

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec, Metric

MATERIAL = 1.0
"""In standard errors of the effect: a smaller distance lies within what the interval allows for, however sure it is."""
_SAME = 1e-9
_SHARE = "share of "
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The other methods' effects of one metric and contrast."""

    metric: "Metric"
    contrast: Contrast
    opinions: dict[str, Opinion]

    @property
    def told(self) -> dict[str, Opinion]:
        """Those that have an effect."""
        return {name: opinion for name, opinion in self.opinions.items() if opinion.reason is None}

    def farthest(self, limit: float) -> Opinion:
        """Return the one that agrees least: first what is both beyond the limit and material, then by distance."""
        return max(self.told.values(), key=lambda opinion: (breaches(opinion, limit), distance(opinion)))


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The largest distance of another method's effect from the scores' own, in standard errors of the difference.

    Both methods see the same customers, so the difference has a standard error of its own, which is smaller than
    either's. A method is compared on the population that it is about. A distance beyond the limit is a breach only
    where it is material as well: two methods that are nearly one differ surely, and by nothing. It warns by default:
    the other methods lean on propensities or on neighbours alone, where the scores are safe if either model is right.

    Attributes:
        max_gap_in_se: a larger distance is a breach.
    """

    name: ClassVar[str] = "agreement"
    on_breach: OnBreach = "warn"
    max_gap_in_se: float = 3.0

    def queries(self, spec: "ExperimentSpec") -> tuple[Query, ...]:
        """Return one query per success metric and method."""
        return tuple(query for metric in spec.metrics.success for query in opinion_queries(spec, metric).values())

    def judge(self, spec: "ExperimentSpec", answers: Answers) -> CheckResult:
        """Return the verdict on the method that is farthest from the scores."""
        asked = tuple(_asked(spec, answers))
        told = [each for each in asked if each.told]
        if not asked:
            return self._result("info", None, "No other method was asked about these effects.")
        if not told:
            reasons = dict.fromkeys(str(o.reason) for each in asked for o in each.opinions.values())
            return self._result(
                "could_not_run", None, f"No other method has an effect to compare: {listed([*reasons])}."
            )
        limit = self.max_gap_in_se
        worst = max(told, key=lambda e: (breaches(e.farthest(limit), limit), distance(e.farthest(limit))))
        farthest = worst.farthest(limit)
        verdict = verdict_of(self.on_breach, breached=breaches(farthest, limit))
        return self._result(verdict, distance(farthest), self._text(spec, worst, farthest))

    def _text(self, spec: "ExperimentSpec", worst: _Asked, farthest: Opinion) -> str:
        arm, control = worst.contrast
        people = people_in(spec).many
        size = f"{number(distance(farthest), digits=2)} standard errors of the difference"
        opening = f"'{worst.metric.title}', {quoted(spec, arm)} against {quoted(spec, control)}"
        text = (
            f"{opening}: {_range(spec, worst)}; the largest distance from our own effect on the same {people} is "
            f"{size} (limit: {number(self.max_gap_in_se)})."
        )
        if len({opinion.target for opinion in worst.told.values()}) > 1:
            text += f" The methods are not all about the same {people}, and each is compared on those that it is about."
        if breaches(farthest, self.max_gap_in_se):
            text += f" The methods do not agree, so at least one of them does not fit these {people}."
        elif distance(farthest) > self.max_gap_in_se:
            text += " That distance is sure, and too small beside the effect's own uncertainty to matter."
        without = {name: opinion.reason for name, opinion in worst.opinions.items() if opinion.reason is not None}
        return text + "".join(f" No answer from {named(name)}: {reason}." for name, reason in without.items())

    def _result(self, verdict: CheckVerdict, value: float | None, text: str) -> CheckResult:
        return CheckResult(
            name=self.name,
            verdict=verdict,
            on_breach=self.on_breach,
            value=value,
            threshold=self.max_gap_in_se,
            text=text,
        )


def distance(opinion: Opinion) -> float:
    """Return how many standard errors of the difference an opinion lies from the scores; 0 where both are one.

    Example:
        >>> distance(Opinion(point=1.0, se=0.4, gap=0.5, gap_se=0.25)), distance(Opinion(point=1.0, se=0.4))
        (2.0, 0.0)
    """
    if abs(opinion.gap) <= _SAME * max(opinion.se, opinion.scores_se):
        return 0.0
    return abs(opinion.gap) / max(opinion.gap_se, _SAME * opinion.se, 1e-300)


def breaches(opinion: Opinion, limit: float) -> bool:
    """Tell whether an opinion is farther away than the limit, and by enough to matter."""
    return distance(opinion) > limit and abs(opinion.gap) > MATERIAL * opinion.scores_se


def named(method: str) -> str:
    """Return a method as a sentence names it.

    Example:
        >>> named("overlap_weighting")
        'overlap weighting'
    """
    return method.replace("_", " ")


def _asked(spec: "ExperimentSpec", answers: Answers) -> Iterator[_Asked]:
    contrasts = (*((arm, spec.control) for arm in spec.treated_arms), *spec.design.contrasts)
    for metric in spec.metrics.success:
        queries = opinion_queries(spec, metric)
        for contrast in contrasts if queries else ():
            found = {name: _opinion(answers[query], contrast) for name, query in queries.items()}
            yield _Asked(metric=metric, contrast=contrast, opinions=found)


def _opinion(answer: object, contrast: Contrast) -> Opinion:
    assert isinstance(answer, OpinionAnswer)  # noqa: S101 - narrows the union of answers
    return answer.opinions[contrast]


def _range(spec: "ExperimentSpec", asked: _Asked) -> str:
    """Return what the other methods give: `two other methods give between 10 and 13 fewer per 1,000 customers`."""
    unit = unit_of(spec, asked.metric)
    share = unit.startswith(_SHARE)
    whom = people_in(spec).many if asked.metric.response is None else unit.removeprefix(_SHARE)
    factor, per = (1000.0, f"per 1,000 {whom}") if share else (1.0, unit)
    less = "fewer" if share else "less"
    points = sorted(factor * opinion.point for opinion in asked.told.values())
    if len(points) == 1:
        (method,) = asked.told
        return f"one other method, {named(method)}, gives {_amount(points[0])} {_sign(points[0], less)} {per}"
    who = f"{_COUNTS[len(points)] if len(points) < len(_COUNTS) else len(points)} other methods"
    low, high = sorted((points[0], points[-1]), key=abs)
    sign, other = _sign(high, less), _sign(low, less)
    return f"{who} give between {_amount(low)}{'' if sign == other else f' {other}'} and {_amount(high)} {sign} {per}"


def _amount(value: float) -> str:
    return number(abs(value), digits=2)


def _sign(value: float, less: str) -> str:
    return "more" if value >= 0 else less
