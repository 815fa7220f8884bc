"""Gains of a rule, a group or an arm as readers see them: money or people per 1,000, else the metric's own unit."""

import math
from dataclasses import dataclass
from functools import cached_property

from cxcausal.core.whom import Told
from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.keys import derived
from cxcausal.report.rounding import NARROW, Style, at_least_ones, cents, percent, place_for
from cxcausal.report.scales import SHARE, scale_of
from cxcausal.report.text import Number, Sentence

THOUSAND = 1000.0


@dataclass(frozen=True)
class Gains:
    """How the gains of one aim are told; more is always better.

    Attributes:
        facts: the result. aim: a metric's name, or `net_value`.
        each: whether money is told per customer, as in tables, instead of per 1,000 customers.
    """

    facts: Facts
    aim: str
    each: bool = False

    @cached_property
    def metric(self) -> PlannedMetric | None:
        """The metric that is the aim; None where it is net value."""
        return next((metric for metric in self.facts.metrics if metric.name == self.aim), None)

    @property
    def shares(self) -> bool:
        """Whether gains are shares of customers."""
        return self.metric is not None and scale_of(self.metric) is SHARE

    @property
    def currency(self) -> str:
        """The currency of gains that are money, else nothing."""
        return self.facts.currency if self.metric is None else self.metric.currency

    @property
    def factor(self) -> float:
        """What a gain per customer is multiplied with."""
        money = self.metric is None or bool(self.metric.currency)
        return THOUSAND if self.shares or (money and not self.each) else 1.0

    @property
    def unit(self) -> str:
        """What stands after an amount."""
        points = "" if self.metric is None else scale_of(self.metric).unit
        people = self.facts.people
        if self.factor == THOUSAND:
            return f" per 1,000 {people.many}"
        return f"{points} per {people.one}"

    def counted(self) -> Sentence:
        """Return what gains are counted in, for captions."""
        if self.metric is None:
            return (f"gains in {self.currency or 'money'}{self.unit}{self._priced}",)
        amount = f" in {self.currency}" if self.currency else ""
        return (
            f"gains{amount}{self.unit} in “",
            self.facts.label(self.metric),
            f"”, of which {self._better} is better",
        )

    def opening(self) -> Sentence:
        """Return what gains are counted in, as the beginning of a sentence."""
        if self.metric is None:
            return (f"In net value{self._priced}, ",)
        return ("In “", self.facts.label(self.metric), f"”, of which {self._better} is better, ")

    @property
    def _priced(self) -> str:
        policy = self.facts.result.policy
        return " after contact costs" if policy is not None and policy.priced else ""

    @property
    def _better(self) -> str:
        if self.metric is None or self.metric.sign > 0:
            return "more"
        return "fewer" if self.shares else "less"

    def style(self, told: Told, *, sign: bool = False, bare: bool = False) -> Style:
        """Return the rounding of a number with its range."""
        ends = [end for end in (told.low, told.high) if end is not None] or [told.point or 0.0]
        place = place_for(*(end * self.factor for end in ends))
        if self.shares:
            place = at_least_ones(place, (max(ends) - min(ends)) * self.factor)
        prefix = f"{self.currency}{NARROW}" if self.currency and not bare else ""
        return Style(place=cents(place) if self.currency else place, prefix=prefix, sign=sign, references=(0.0,))

    def number(self, key: str, style: Style) -> Number:
        """Return the number at a key on the scale of gains."""
        return self.facts.number(derived("per_thousand", key) if self.factor == THOUSAND else key, style)

    def point(self, key: str, told: Told, *, sign: bool = False, bare: bool = False) -> Number:
        """Return a gain without its range."""
        return self.number(f"{key}.point", self.style(told, sign=sign, bare=bare))

    def ends(self, key: str, told: Told, *, bare: bool = True) -> tuple[Number, Number]:
        """Return both ends of a range, signed; the lower one with the currency where it stands alone."""
        low = self.number(f"{key}.low", self.style(told, sign=True, bare=bare))
        return low, self.number(f"{key}.high", self.style(told, sign=True, bare=True))

    def ranged(self, key: str, told: Told) -> Sentence:
        """Return ` (range: −8,000 to +70,000)`; nothing where there is none."""
        if not spans(told):
            return ()
        low, high = self.ends(key, told)
        return (" (range: ", low, " to ", high, ")")

    def over(self, key: str, told: Told) -> Sentence:
        """Return a gain per customer, times the customers of the roll-out whom a rule may look at, with its range."""
        ends = [end for end in (told.low, told.high) if end is not None] or [told.point or 0.0]
        policy = self.facts.result.policy
        heads = (policy.population or 0) * policy.eligible if policy else 0.0
        place = place_for(*(end * heads for end in ends))
        place = cents(place) if self.currency else max(place, 0) if self.shares else place
        prefix = f"{self.currency}{NARROW}" if self.currency else ""
        point, low, high = (
            derived("of_population", f"{key}.{part}", "policy.population", "policy.eligible")
            for part in ("point", "low", "high")
        )
        bare = Style(place=place, sign=True, references=(0.0,))
        first = self.facts.number(point, Style(place=place, prefix=prefix, references=(0.0,)))
        counted = (
            f" {self.facts.people.many}" if self.shares else "" if self.currency else self.unit.partition(" per ")[0]
        )
        if not spans(told):
            return (first, counted)
        return (first, counted, " (range: ", self.facts.number(low, bare), " to ", self.facts.number(high, bare), ")")


def in_money(facts: Facts) -> bool:
    """Return whether costs and budgets of rules are money; where the plan knows no costs they are contacts."""
    arms = facts.result.plan["design"]["treatment"].get("arms") or {}
    policy = facts.result.policy
    priced = policy is not None and policy.priced
    return priced or any(arm.get("unit_cost") for arm in arms.values() if arm)


def level_of(facts: Facts, key: str) -> Number:
    """Return a confidence level in percent, with as many decimals as it needs, two at most."""
    level = 100 * facts.number(key).value
    place = next((place for place in (0, -1) if math.isclose(level, round(level, -place), abs_tol=1e-9)), -2)
    return facts.number(derived("percent", key), percent(place))


def spans(told: Told) -> bool:
    """Return whether a number has its range.

    Example:
        >>> spans(Told(point=1.0, low=0.5, high=1.5)), spans(Told(point=1.0))
        (True, False)
    """
    return told.point is not None and told.low is not None and told.high is not None


def state_of(told: Told) -> str:
    """Return `good` or `bad` where the whole range lies on one side of zero, else `none`.

    Example:
        >>> state_of(Told(point=1.0, low=0.5, high=1.5)), state_of(Told(point=1.0, low=-0.5, high=1.5))
        ('good', 'none')
    """
    if told.low is not None and told.low > 0:
        return "good"
    return "bad" if told.high is not None and told.high < 0 else "none"
