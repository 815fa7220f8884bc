"""Which differences of page one are adjusted, and for what."""

from collections.abc import Iterator, Sequence

from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.keys import path
from cxcausal.report.text import Piece, Quote, Sentence

_NAMED_AT_MOST = 8


def adjustment_sentence(facts: Facts) -> Sentence | None:
    """Return that differences are adjusted for covariates, of which metrics and for which; None where none is."""
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
    close = " The appendix shows them unadjusted as well."
    return (*which, " are adjusted for ", *_reasons(facts, adjusted), f".{others}{close}")


def _is_adjusted(facts: Facts, metric: PlannedMetric) -> bool:
    arms = facts.treated_arms if metric.role == "success" else (facts.lead,)
    rows = [facts.row(metric.name, arm) for arm in arms]
    return any(row is not None and row.computed and row.estimate.adjustment == "covariates" for row in rows)


def _reasons(facts: Facts, metrics: Sequence[PlannedMetric]) -> Sentence:
    """Return what the differences are adjusted for: when customers were enrolled, and what was known beforehand."""
    covariates = _covariates(facts, metrics)
    known: Sentence = ("what was known beforehand", *covariates) if covariates else ()
    if not facts.result.plan["design"].get("epochs"):
        return known or ("what was known beforehand",)
    return ("when customers were enrolled", *((" and for ", *known) if known else ()))


def _covariates(facts: Facts, metrics: Sequence[PlannedMetric]) -> Sentence:
    """Return the covariates' names where they are few; nothing where there are none."""
    planned = facts.result.plan.get("covariates") or ()
    names = [facts.quote(path("plan", "covariates", index)) for index in range(len(planned))]
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
