"""The verdict table: small rules in order, of which the first that applies decides an arm."""

from collections.abc import Callable

from cxcausal.core.results import ArmVerdict
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import Metric
from cxcausal.core.wording import listed
from cxcausal.decision.evidence import Evidence, scale_of, size_of
from cxcausal.decision.sentences import (
    detectable_text,
    effect_text,
    guardrail_text,
    money_text,
    open_guardrail_text,
    size_text,
)

Rule = Callable[[Evidence], ArmVerdict | None]


def failed_check(evidence: Evidence) -> ArmVerdict | None:
    """Rule 1: a validity gate failed, so nothing is concluded."""
    failed = evidence.failed_checks
    if not failed:
        return None
    names = listed([f"'{check.name}'" for check in failed])
    subject = f"the check {names} failed" if len(failed) == 1 else f"the checks {names} failed"
    texts = " ".join(check.text for check in failed)
    return ArmVerdict(verdict="no_decision", rule=1, reason=f"No decision, because {subject}: {texts}")


def guardrail_beyond(evidence: Evidence) -> ArmVerdict | None:
    """Rule 2: the whole interval of a guardrail lies beyond its margin."""
    beyond = evidence.guardrails("beyond")
    if not beyond:
        return None
    reason = f"Harm beyond the agreed limit: {guardrail_text(evidence, beyond[0])}."
    return ArmVerdict(verdict="stop", rule=2, reason=reason)


def success_harmed(evidence: Evidence) -> ArmVerdict | None:
    """Rule 2: a success metric reliably got worse."""
    metric = evidence.harmed()
    if metric is None:
        return None
    return ArmVerdict(verdict="stop", rule=2, reason=f"Reliable harm: {_effect(evidence, metric)}.")


def no_needed_effect(evidence: Evidence) -> ArmVerdict | None:
    """Rule 1, but after harm, which stops an arm even so: no success metric could be computed."""
    success = evidence.spec.metrics.success
    if any(evidence.benefit(metric) is not None for metric in success):
        return None
    why = "; ".join(f"'{metric.title}' was not computed: {evidence.why_not(metric)}" for metric in success)
    return ArmVerdict(
        verdict="no_decision", rule=1, reason=f"No decision, because the needed effect is missing: {why}."
    )


def improved_and_safe(evidence: Evidence) -> ArmVerdict | None:
    """Rule 3: a success metric improved and every guardrail is inside its margin; then money decides."""
    metric = evidence.improved()
    guardrails = evidence.spec.metrics.guardrails
    if metric is None or len(evidence.guardrails("inside")) < len(guardrails):
        return None
    safe = "every guardrail stayed within its limit" if guardrails else "no guardrail was planned"
    works = f"{_effect(evidence, metric)}, and {safe}"
    if not evidence.priced:
        reason = f"{_it_works(evidence)}: {works}. The plan puts no money on any metric, so its cost was not weighed."
        return ArmVerdict(verdict="ship", rule=3, reason=reason)
    return _by_money(evidence, works)


def no_worthwhile_effect(evidence: Evidence) -> ArmVerdict | None:
    """Rule 4: the whole interval lies below the minimum worthwhile effect."""
    worthwhile = evidence.spec.decision.minimum_worthwhile_effect
    if worthwhile is None:
        return None
    metric, scale = evidence.metric(worthwhile.metric), scale_of(worthwhile)
    row, benefit = evidence.row(metric, scale), evidence.benefit(metric, scale)
    if row is None or benefit is None or benefit.high >= size_of(worthwhile):
        return None
    least = size_text(row, size_of(worthwhile))
    reason = f"No worthwhile effect: {effect_text(metric, row)}; the least worth acting on is {least}."
    return ArmVerdict(verdict="stop", rule=4, reason=reason)


def cannot_tell(evidence: Evidence) -> ArmVerdict:
    """Rule 4, where nothing else applies: hold, with what is open and what it would take."""
    metric = evidence.improved()
    if metric is not None:
        reason = f"Cannot tell yet: {_effect(evidence, metric)}, but {_unsettled(evidence)}."
        return ArmVerdict(verdict="hold", rule=4, reason=reason)
    also = f" Also, {_unsettled(evidence)}." if _open_guardrails(evidence) else ""
    return ArmVerdict(verdict="hold", rule=4, reason=f"Cannot tell yet: {_no_clear_change(evidence)}{also}")


RULES: tuple[Rule, ...] = (
    failed_check,
    guardrail_beyond,
    success_harmed,
    no_needed_effect,
    improved_and_safe,
    no_worthwhile_effect,
    cannot_tell,
)


def _by_money(evidence: Evidence, works: str) -> ArmVerdict:
    value = evidence.value
    net = value.net_per_customer.get("central") if value is not None else None
    if net is None or net.low is None or net.high is None:
        why = (value.reason if value is not None else None) or "the arm has no result"
        reason = f"{_it_works(evidence)}, but may not pay: {works}, but what it is worth could not be computed: {why}."
        return ArmVerdict(verdict="hold", rule=3, reason=reason)
    told = f"{works}; it is worth {money_text(evidence.spec, net)}."
    gist = _it_works(evidence)
    if net.low > 0:
        pays = "to pay" if _is_adjusted(evidence) else "pays"
        return ArmVerdict(verdict="ship", rule=3, reason=f"{gist} and {pays}: {told}")
    if net.high < 0:
        return ArmVerdict(verdict="stop", rule=3, reason=f"{gist}, but doesn't pay: {told}")
    return ArmVerdict(verdict="hold", rule=3, reason=f"{gist}, but may not pay: {told}")


def _it_works(evidence: Evidence) -> str:
    """Return the gist of an improvement: one that rests on what was known of customers only seems to be one."""
    return "After adjustment, it seems to work" if _is_adjusted(evidence) else "It works"


def _is_adjusted(evidence: Evidence) -> bool:
    return isinstance(evidence.spec.design, Observational)


def _effect(evidence: Evidence, metric: Metric) -> str:
    row = evidence.row(metric)
    return effect_text(metric, row) if row is not None else f"'{metric.title}'"


def _open_guardrails(evidence: Evidence) -> tuple[Metric, ...]:
    return (*evidence.guardrails("inconclusive"), *evidence.guardrails("not_computed"))


def _unsettled(evidence: Evidence) -> str:
    texts = [open_guardrail_text(evidence, metric) for metric in _open_guardrails(evidence)]
    return f"{'a guardrail is' if len(texts) == 1 else 'guardrails are'} not settled: {'; '.join(texts)}"


def _no_clear_change(evidence: Evidence) -> str:
    success = evidence.spec.metrics.success
    metric, row = next((metric, row) for metric in success if (row := evidence.row(metric)) is not None)
    return f"no clear change, {effect_text(metric, row)}.{detectable_text(evidence, metric, row)}"
