"""From many tosses to one line per metric, family, guardrail and check."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Literal

from cxcausal.core.protocols import Check
from cxcausal.core.results import CheckResult, Estimate
from cxcausal.pipeline.aa_result import AlarmRate
from cxcausal.stats.false_alarms import judged, rate_limits, smallest_in_sight, uniform_p

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

FAMILY = "all success metrics"
BINS = 20
GuardrailState = Literal["inside", "beyond", "inconclusive", "not_computed"]
_HUGE_DF = 1e9


@dataclass(frozen=True, kw_only=True)
class Tossed:
    """What the plan's machinery said of one toss.

    Attributes:
        alone: the headline rows, each at the plan's alpha. family: those of success metrics after multiplicity.
        guardrails: the state of every guardrail, by metric and arm. checks: their results.
    """

    alone: tuple[Estimate, ...]
    family: tuple[Estimate, ...]
    guardrails: Mapping[tuple[str, str], GuardrailState]
    checks: tuple[CheckResult, ...]


def rows_of(spec: "ExperimentSpec", checks: Sequence[Check], tossed: Sequence[Tossed]) -> tuple[AlarmRate, ...]:
    """Return every line, in the order in which they are told."""
    by_role = {role: tuple(_metrics(spec, role, tossed)) for role in ("success", "secondary")}
    return (
        *by_role["success"],
        _family(spec, tossed),
        *_guardrails(spec, tossed),
        *by_role["secondary"],
        *_checks(checks, tossed),
    )


def excludes_zero(row: Estimate) -> bool:
    """Tell whether a row's interval lies on one side of zero.

    Example:
        >>> names = dict(metric="m", role="success", arm="t", control="c", estimand="itt", method="lin")
        >>> excludes_zero(Estimate(**names, low=0.1, high=0.4)), excludes_zero(Estimate(**names, low=-0.1, high=0.4))
        (True, False)
    """
    return row.low is not None and row.high is not None and not row.low <= 0 <= row.high


def _metrics(spec: "ExperimentSpec", role: str, tossed: Sequence[Tossed]) -> Iterator[AlarmRate]:
    for name, arm in _told(spec, role):
        rows = _rows(tossed, role, name, arm)
        found = [row for row in rows if row.status == "ok"]
        line = AlarmRate(kind="metric", name=name, role=role, arm=arm)
        if not found:
            yield replace(line, status="not_computed", reason=_reason(rows))
            continue
        p = [1.0 if row.p is None else row.p for row in found]
        counted = _counted(line, [excludes_zero(row) for row in found], spec.analysis.alpha)
        family = len(spec.metrics.success) * len(spec.treated_arms)
        holm = role == "success" and spec.analysis.multiplicity == "holm"
        alpha = spec.analysis.alpha / (family if holm else 1)
        even = None if any(row.method == "newcombe" for row in found) else uniform_p(p)
        yield _in_sight(replace(counted, uniform_p=even, bins=_bins(p)), spec, found, alpha, 2)


def _family(spec: "ExperimentSpec", tossed: Sequence[Tossed]) -> AlarmRate:
    line = AlarmRate(kind="family", name=FAMILY, role="success")
    families = [[row for row in one.family if row.status == "ok"] for one in tossed]
    known = [rows for rows in families if rows]
    if not known:
        return replace(line, status="not_computed", reason="no success metric could be computed")
    promised = spec.analysis.alpha if spec.analysis.multiplicity == "holm" else None
    return _counted(line, [any(map(excludes_zero, rows)) for rows in known], promised)


def _guardrails(spec: "ExperimentSpec", tossed: Sequence[Tossed]) -> Iterator[AlarmRate]:
    for name, arm in _told(spec, "guardrail"):
        states = [one.guardrails[name, arm] for one in tossed]
        known = [state for state in states if state != "not_computed"]
        rows = _rows(tossed, "guardrail", name, arm)
        beyond = AlarmRate(kind="guardrail_beyond", name=name, role="guardrail", arm=arm)
        still_open = replace(beyond, kind="guardrail_open")
        if not known:
            reason = _reason(rows)
            yield replace(beyond, status="not_computed", reason=reason)
            yield replace(still_open, status="not_computed", reason=reason)
            continue
        yield _counted(beyond, [state == "beyond" for state in known], spec.analysis.alpha)
        counted = _counted(still_open, [state != "inside" for state in known], None)
        found = [row for row in rows if row.status == "ok"]
        yield _in_sight(counted, spec, found, spec.analysis.alpha, 1) if found else counted


def _checks(checks: Sequence[Check], tossed: Sequence[Tossed]) -> Iterator[AlarmRate]:
    for place, check in enumerate(checks):
        results = [one.checks[place] for one in tossed]
        ran = [result for result in results if result.verdict in {"pass", "warn", "fail"}]
        line = AlarmRate(kind="check", name=check.name)
        if not ran:
            yield replace(line, status="not_computed", reason=results[0].text)
            continue
        alpha = getattr(check, "alpha", None)
        yield _counted(line, [result.verdict != "pass" for result in ran], alpha)


def _told(spec: "ExperimentSpec", role: str) -> Iterator[tuple[str, str]]:
    metrics = [metric for planned, metric in spec.metrics.with_roles() if planned == role]
    yield from ((metric.name, arm) for metric in metrics for arm in spec.treated_arms)


def _rows(tossed: Sequence[Tossed], role: str, metric: str, arm: str) -> list[Estimate]:
    return [row for one in tossed for row in one.alone if (row.role, row.metric, row.arm) == (role, metric, arm)]


def _reason(rows: Sequence[Estimate]) -> str:
    return next((row.reason for row in rows if row.reason), "there is no result for it")


def _counted(line: AlarmRate, alarms: Sequence[bool], promised: float | None) -> AlarmRate:
    count, tosses = sum(alarms), len(alarms)
    low, high = rate_limits(count, tosses)
    return replace(
        line,
        tosses=tosses,
        alarms=count,
        rate=count / tosses,
        low=low,
        high=high,
        promised=promised,
        verdict="told" if promised is None else judged(count, tosses, promised),
    )


def _in_sight(
    line: AlarmRate, spec: "ExperimentSpec", rows: Sequence[Estimate], alpha: float, sides: Literal[1, 2]
) -> AlarmRate:
    """Return the line with the median standard error, and the smallest effect in sight with it."""
    se = median(row.se or 0.0 for row in rows)
    df = median(_HUGE_DF if row.df is None else row.df for row in rows)
    return replace(line, se=se, smallest=smallest_in_sight(se, df, alpha, spec.analysis.power, sides=sides))


def _bins(p_values: Sequence[float]) -> tuple[int, ...]:
    places = [min(int(p * BINS), BINS - 1) for p in p_values]
    return tuple(places.count(at) for at in range(BINS))
