"""Which differences of page one are adjusted, for what, and what it brought."""

from collections.abc import Iterator, Sequence

from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived, lookup, path
from cxcausal.report.rounding import percent
from cxcausal.report.text import Piece, Quote, Sentence

_NAMED_AT_MOST = 8
_ALIKE = 0.005
"""Widths that are no further apart than this share are about the same: they would be told as 0 %."""


def adjustment_sentence(facts: Facts) -> Sentence | None:
    """Return that differences are adjusted for covariates, of which metrics and for which, and what that brought.

    None where none is adjusted.
    """
    metrics = tuple(facts.by_role("success", "guardrail", "secondary"))
    adjusted = [metric for metric in metrics if _is_adjusted(facts, metric)]
    if not adjusted:
        return None
    if len(adjusted) == len(metrics):
        which: Sentence = ("Differences and averages",)
        others = ""
    else:
        which = ("Differences and averages of ", *_listed([facts.label(metric) for metric in adjusted]))
        others = " All others are as they came out."
    shown = "what they would be naively" if facts.observational else "them unadjusted"
    close = f" The appendix shows {shown} as well."
    brought = _narrowing(facts, adjusted[0])
    return (*which, " are adjusted for ", *_reasons(facts, adjusted), f".{others}", *brought, close)


def _is_adjusted(facts: Facts, metric: PlannedMetric) -> bool:
    return bool(_adjusted_rows(facts, metric))


def _adjusted_rows(facts: Facts, metric: PlannedMetric) -> list[Row]:
    """Return the rows that page one shows of a metric, as far as they are adjusted; the arm it speaks of first."""
    arms = dict.fromkeys((facts.lead, *(facts.treated_arms if metric.role == "success" else ())))
    rows = [facts.row(metric.name, arm) for arm in arms]
    shown = [row for row in rows if row is not None and row.computed]
    return [row for row in shown if row.estimate.adjustment == "covariates"]


def _narrowing(facts: Facts, metric: PlannedMetric) -> Sentence:
    """Return by how much the adjustment narrowed the range of a metric's effect; nothing where that is unknown."""
    row = _adjusted_rows(facts, metric)[0]
    plain = facts.unadjusted(row)
    if plain is None or not plain.high > plain.low:
        return ()
    share = 1 - (row.high - row.low) / (plain.high - plain.low)
    label = facts.label(metric)
    if abs(share) < _ALIKE:
        return (" That left the range of “", label, "” about as wide as it was.")
    keys = [one.key(end) for one in (row, plain) for end in ("low", "high")]
    by = facts.number(derived("percent_apart", *keys), percent())
    return (" That made the range of “", label, "” ", by, " narrower." if share > 0 else " wider.")


def _reasons(facts: Facts, metrics: Sequence[PlannedMetric]) -> Sentence:
    """Return what the differences are adjusted for: when customers were enrolled, and what was known beforehand."""
    covariates = _covariates(facts, metrics)
    known: Sentence = ("what was known beforehand", *covariates) if covariates else ()
    if not facts.result.plan["design"].get("epochs"):
        return known or ("what was known beforehand",)
    return ("when customers were enrolled", *((" and for ", *known) if known else ()))


def _covariates(facts: Facts, metrics: Sequence[PlannedMetric]) -> Sentence:
    """Return the names of strata and covariates where they are few; nothing where there are none."""
    lists: tuple[tuple[str, ...], ...] = (("design", "strata"), ("covariates",))
    if facts.observational:
        lists = (("design", "confounders"), ("covariates",), ("effect_modifiers",))
    keys = [path("plan", *place) for place in lists]
    names = [facts.quote(f"{key}.{index}") for key in keys for index in range(len(lookup(facts.tree, key) or ()))]
    if not facts.observational:
        names += [facts.quote(f"{metric.key}.covariate") for metric in metrics if metric.plan.get("covariate")]
    unique = tuple({name.text: name for name in names}.values())
    if len(unique) > _NAMED_AT_MOST:
        return (" (the covariates of the plan)",)
    return (": ", *_listed(unique)) if unique else ()


def _listed(quotes: Sequence[Quote]) -> Iterator[Piece]:
    for index, quote in enumerate(quotes):
        yield "“" if index == 0 else ", “"
        yield quote
        yield "”"
