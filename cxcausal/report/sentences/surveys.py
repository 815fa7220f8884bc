"""What must be said beside a difference among those who answered: who answers differs, and what bounds leave open."""

from cxcausal.core.measures import response_name
from cxcausal.core.surveys import LEE, excludes_zero, is_unsafe
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.rounding import percent
from cxcausal.report.scales import SHARE, scale_of
from cxcausal.report.sentences.words import effect_range
from cxcausal.report.text import Number, Sentence, Strong


def unsafe_sentence(facts: Facts, metric: PlannedMetric, arm: str) -> Sentence:
    """Return, with a space before it, why the metric's number is unsafe to read alone; nothing where it is safe."""
    row = facts.row(metric.name, arm)
    if row is None or not is_unsafe(row.estimate):
        return ()
    opening = (" ", Strong(pieces=("Unsafe to read alone: ",)))
    return (*opening, *(_changed(facts, metric, arm) or _may_differ()), ".")


def doubt_sentence(facts: Facts, metric: PlannedMetric, arm: str) -> Sentence:
    """Return what is not known of a metric that only some answered, with Lee's interval where there is one."""
    row = facts.row(metric.name, arm)
    if row is None or not is_unsafe(row.estimate):
        return ("What those who did not answer would say: “", facts.label(metric), "” counts only who answered.")
    opening = ("Whether “", facts.label(metric), "” moved as its answers say: ")
    return (*opening, *(_changed(facts, metric, arm) or _may_differ()), *_bounded(facts, metric, arm), ".")


def companion(facts: Facts, metric: str, arm: str, method: str | None = None) -> Row | None:
    """Return the companion row of an arm against the control, over everybody."""
    rows = facts.companions(metric=metric, method=method)
    return next((row for row in rows if (row.estimate.arm, row.estimate.control) == (arm, facts.control)), None)


def share(facts: Facts, row: Row, part: str) -> Number:
    """Return an arm's share who answered, in percent."""
    return facts.number(derived("percent", row.key(part)), percent(-1))


def _changed(facts: Facts, metric: PlannedMetric, arm: str) -> Sentence:
    """Return how the shares who answered differ; nothing where they don't beyond chance."""
    rate = companion(facts, response_name(metric.name), arm)
    if rate is None or not excludes_zero(rate.estimate):
        return ()
    with_it, without = share(facts, rate, "mean_treated"), share(facts, rate, "mean_control")
    shares = (with_it, " with “", facts.arm(arm), "”, ", without, " with “", facts.arm(facts.control), "”")
    return ("the contact changed who answers (", *shares, ")")


def _may_differ() -> Sentence:
    return ("those who answered may not be alike, as the bounds in the appendix show",)


def _bounded(facts: Facts, metric: PlannedMetric, arm: str) -> Sentence:
    row = companion(facts, metric.name, arm, LEE)
    if row is None or row.estimate.low is None:
        return ()
    scale = scale_of(metric)
    per = f" per 1,000 {facts.people.many}" if scale is SHARE else ""
    spread = effect_range(facts, metric, row, scale)
    level: Sentence = (" (", facts.level(row), ")") if row.estimate.level is not None else ()
    opening = f". For the {facts.people.many} who answer either way, the plausible range"
    return (opening, *level, " is ", *spread, per)
