"""Whether a guardrail stayed within its agreed limit, went beyond it, or is still open."""

from dataclasses import dataclass

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.limits import Limit, effect_style, harm_bound, least_harm, limited_row, margin_of
from cxcausal.report.scales import RELATIVE, SHARE, Scale, shown, with_unit
from cxcausal.report.sentences.effects import limit_style, not_measured, relative_base
from cxcausal.report.sentences.surveys import unsafe_sentence
from cxcausal.report.text import Sentence, Strong


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One guardrail of one arm: its row on the scale of its limit."""

    facts: Facts
    metric: PlannedMetric
    row: Row
    scale: Scale
    limit: Limit

    def size(self, key: str) -> Sentence:
        """Return the size of a movement with its unit."""
        style = effect_style(self.facts, self.metric, self.row, self.scale)
        return with_unit(shown(self.facts, key, self.scale, style, "abs"), self.scale)

    def agreed(self) -> Sentence:
        """Return the limit; on a relative scale with the base that it is relative to."""
        number = shown(self.facts, self.limit.key, self.scale, limit_style(self.limit, self.scale))
        unit = self.scale.unit if self.scale is not SHARE else ""
        base = relative_base(self.facts, self.metric, self.row)
        return ("(limit: ", number, *(base or (unit,)), ")")

    @property
    def worse(self) -> str:
        """The word for a movement in the wrong direction."""
        return self.scale.less if self.metric.sign > 0 else self.scale.more

    @property
    def better(self) -> str:
        """The word for a movement in the right direction."""
        return self.scale.more if self.metric.sign > 0 else self.scale.less


def guardrail_sentence(facts: Facts, metric: PlannedMetric, arm: str) -> Sentence:
    """Return the sentence for one guardrail and one arm."""
    limit = margin_of(facts, metric)
    if limit is None:
        return ("“", facts.label(metric), "” has no agreed limit.")
    row, scale = limited_row(facts, metric, arm, limit)
    if row is None or not row.computed:
        return not_measured(facts, metric, row or facts.row(metric.name, arm))
    case = _Case(facts=facts, metric=metric, row=row, scale=scale, limit=limit)
    return (*_state_sentence(case), *unsafe_sentence(facts, metric, arm))


def _state_sentence(case: _Case) -> Sentence:
    if least_harm(case.row, case.metric.sign)[1] > case.limit.value:
        return _beyond(case)
    return _within(case) if harm_bound(case.row, case.metric.sign)[1] < case.limit.value else _open(case)


def guardrail_state(facts: Facts, metric: PlannedMetric, arm: str) -> str:
    """Return `within`, `beyond`, `open` or `unknown`."""
    limit = margin_of(facts, metric)
    row = limited_row(facts, metric, arm, limit)[0] if limit else None
    if limit is None or row is None or not row.computed:
        return "unknown"
    if least_harm(row, metric.sign)[1] > limit.value:
        return "beyond"
    return "within" if harm_bound(row, metric.sign)[1] < limit.value else "open"


def _within(case: _Case) -> Sentence:
    key, worst = harm_bound(case.row, case.metric.sign)
    label = case.facts.label(case.metric)
    if worst <= 0:
        return ("“", label, "” stayed within the agreed limit: it got better, by at least ", *case.size(key), ".")
    if case.scale is SHARE or case.scale is RELATIVE:
        most = ("at most ", *_ordered(case, key))
        return ("“", label, "” stayed within the agreed limit: ", *most, " ", *case.agreed(), ".")
    moved = "We found no clear change in “" if not case.row.clear else "There is a small change in “"
    fall = "a drop" if case.metric.sign > 0 else "a rise"
    agreed = shown(case.facts, case.limit.key, case.scale, limit_style(case.limit, case.scale))
    rest = (f"”. The data rule out {fall} larger than ", *case.size(key), "; the agreed limit was ", agreed, ".")
    return (moved, label, *rest)


def _ordered(case: _Case, key: str) -> Sentence:
    """Return `1.1 more per 1,000`, or `9 % higher`."""
    number, *unit = case.size(key)
    return (number, f" {case.worse}", *unit) if case.scale is SHARE else (number, *unit, f" {case.worse}")


def _beyond(case: _Case) -> Sentence:
    key, _ = least_harm(case.row, case.metric.sign)
    least = Strong(pieces=("at least ", *_ordered(case, key)))
    return ("“", case.facts.label(case.metric), "” went beyond the agreed limit: ", least, " ", *case.agreed(), ".")


def _open(case: _Case) -> Sentence:
    key, _ = harm_bound(case.row, case.metric.sign)
    label = case.facts.label(case.metric)
    worst = (*_ordered(case, key), " is still plausible ", *case.agreed(), ".")
    return ("It is open whether “", label, "” stayed within the agreed limit: ", *worst)
