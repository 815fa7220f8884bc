"""Overlap: is there anybody to compare with, or did those of one arm never have another choice?"""

from dataclasses import dataclass
from typing import ClassVar, cast

from cxcausal.checks.breach import quoted, verdict_of
from cxcausal.checks.observed import Naming, in_hundred, is_observational
from cxcausal.core.adjusting import target_of
from cxcausal.core.people import people_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import Query
from cxcausal.core.results import CheckResult, OnBreach
from cxcausal.core.score_answers import ArmOverlap, OverlapAnswer
from cxcausal.core.score_queries import OverlapQuery, Target
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import count, counted

_WHOSE: dict[Target, str] = {"ate": "everybody", "att": "those treated", "ato": "those for whom either was possible"}
_ELSE: dict[Target, tuple[Target, ...]] = {"ate": ("att", "ato"), "att": ("ato",), "ato": ()}
"""Whose effect asks for less overlap, the nearest to what was asked first."""
_TOLD = 0.01
"""Share with almost no choice from which on a passing check mentions them."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """What is left of each arm after weighting to whom the effect is of, and who had almost no choice.

    The effective size is Kish's, of an arm's weights, as a share of the arm's units; the worst arm counts. Where the
    effect is of everybody or of those treated, its weights divide by propensities, and it also fails where too many
    units have a propensity outside the range, or had theirs raised to a floor. The range is that of arms of one size;
    for a small arm its lower end is smaller in proportion (`scoring.overlap.limits_of`).

    Attributes:
        min_effective_share: of an arm's units.
        propensity_range: below and above it a unit had almost no choice.
        max_outside_share: of the target's units, of those outside that range.
        max_clipped_share: of the target's units, of those whose propensity was raised.
        max_separation: the chance that of two units of different arms the right one has the higher propensity; at one
            nobody had a choice, whoever the effect is of.
    """

    name: ClassVar[str] = "overlap"
    on_breach: OnBreach = "fail"
    min_effective_share: float = 0.1
    propensity_range: tuple[float, float] = (0.05, 0.95)
    max_outside_share: float = 0.1
    max_clipped_share: float = 0.02
    max_separation: float = 0.99

    def queries(self, spec: ExperimentSpec) -> tuple[Query, ...]:
        """Return the arms' propensities in the plan's target, and in those that may serve instead; none with a coin."""
        if not is_observational(spec):
            return ()
        own = target_of(spec)
        return tuple(self._query(target) for target in (own, *_ELSE[own]))

    def judge(self, spec: ExperimentSpec, answers: Answers) -> CheckResult:
        """Return the verdict on the arm of which least is left."""
        naming = Naming(name=self.name, on_breach=self.on_breach, threshold=self.min_effective_share)
        if not is_observational(spec):
            return naming.elsewhere()
        target = target_of(spec)
        found = cast("OverlapAnswer", answers[self._query(target)])
        if found.reason is not None:
            return naming.in_vain(found.reason)
        worst = _worst(found)
        breached = self._breached(target, found)
        text = (
            f"{self._apart(spec, found, worst)} {_mend(spec, self._instead(spec, answers))}"
            if breached
            else self._alike(spec, found, worst)
        )
        return naming.told(verdict_of(self.on_breach, breached=breached), text, value=_share(found.arms[worst]))

    def _query(self, target: Target) -> OverlapQuery:
        return OverlapQuery(target=target, limits=self.propensity_range)

    def _breached(self, target: Target, found: OverlapAnswer) -> bool:
        least = _share(found.arms[_worst(found)])
        apart = max(found.discrimination.values(), default=0.5) >= self.max_separation
        return least < self.min_effective_share or self._divides(target, found) or apart

    def _divides(self, target: Target, found: OverlapAnswer) -> bool:
        """Return whether too many of the target almost never get what the effect divides by."""
        few = found.outside > self.max_outside_share or found.clipped > self.max_clipped_share
        return target != "ato" and few

    def _instead(self, spec: ExperimentSpec, answers: Answers) -> Target | None:
        """Return the nearest other target of which the same data tell the effect; None where there is none."""
        others = ((each, cast("OverlapAnswer", answers[self._query(each)])) for each in _ELSE[target_of(spec)])
        return next((each for each, found in others if not self._breached(each, found)), None)

    def _apart(self, spec: ExperimentSpec, found: OverlapAnswer, worst: str) -> str:
        parts = []
        outside = self._divides(target_of(spec), found)
        if _share(found.arms[worst]) < self.min_effective_share:
            parts.append(_rests(spec, found.arms[worst], worst))
        if outside:
            parts.append(
                f"{in_hundred(found.outside)} of {_WHOSE[target_of(spec)]} had almost no chance of what they are "
                "compared with, and nobody can say what it would have done to them"
            )
        why = f": {'; '.join(parts)}" if parts else ""
        return f"The groups are too far apart{why}. {_told_apart(spec, found)}"

    def _alike(self, spec: ExperimentSpec, found: OverlapAnswer, worst: str) -> str:
        rests = _rests(spec, found.arms[worst], worst)
        needed = count(round(self.min_effective_share * found.arms[worst].units))
        few = (
            f" {in_hundred(found.outside).capitalize()} had almost no choice, and count for little."
            if found.outside >= _TOLD and target_of(spec) == "ato"
            else ""
        )
        return f"The groups overlap: {rests} (needed: {needed}). {_told_apart(spec, found)}{few}"


def _worst(found: OverlapAnswer) -> str:
    return min(found.arms, key=lambda arm: _share(found.arms[arm]))


def _share(arm: ArmOverlap) -> float:
    return arm.effective / arm.units if arm.units else 0.0


def _rests(spec: ExperimentSpec, arm: ArmOverlap, name: str) -> str:
    """Return what is left of an arm, and how many of it almost never get which other."""
    rare = max(arm.unlikely, key=lambda other: arm.unlikely[other], default=None)
    text = f"of {count(arm.units)} in {quoted(spec, name)}, the comparison rests on the equivalent of {_left(arm)}"
    if rare is None or arm.unlikely[rare] < _TOLD * arm.units:
        return text
    return f"{text}; {in_hundred(arm.unlikely[rare] / arm.units)} of them had almost no chance of {quoted(spec, rare)}"


def _left(arm: ArmOverlap) -> str:
    return count(max(1, round(arm.effective)))


def _told_apart(spec: ExperimentSpec, found: OverlapAnswer) -> str:
    """Return how well what is known beforehand tells the arms apart."""
    best = max(found.discrimination.values(), default=0.5)
    times = min(99, max(50, round(100 * best)))
    return (
        f"Of two {people_in(spec).many} with different treatment, what was known beforehand tells which is which "
        f"{counted(times, 'time')} in 100 (by chance alone: 50)."
    )


def _mend(spec: ExperimentSpec, instead: Target | None) -> str:
    people = people_in(spec).many
    fewer = f"nalyse fewer and more similar {people} (data.filter), or toss a coin for some of them."
    if instead is None:
        return f"A{fewer}"
    whose = f"the effect on {_WHOSE[instead]}, for which these groups overlap (estimand: {{contrast: {instead}}})"
    return f"Ask for {whose}, a{fewer}"
