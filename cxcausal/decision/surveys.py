"""The cap of an arm whose survey results rest on who answered: trimming the arm that answers more leaves them open."""

from collections.abc import Sequence

from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import Metric
from cxcausal.core.surveys import lee_row, set_doubts_effect, set_reaches_margin
from cxcausal.core.wording import listed
from cxcausal.decision.caps import Cap
from cxcausal.decision.evidence import Evidence


def survey_cap(evidence: Evidence, effects: Sequence[Estimate]) -> Cap | None:
    """Return the cap of an arm where Lee's estimated set disagrees with a metric that the verdict rests on.

    That is a success metric whose interval excludes zero while the set does not, or lies on the other side; or a
    guardrail inside its margin while the set reaches it. Where arms' shares changed during enrolment, no set is told,
    so that every such metric with a response caps. None where none does, or no set could be computed.
    """
    doubted = [*_doubted_success(evidence, effects), *_doubted_guardrails(evidence, effects)]
    untold = _untold(evidence)
    if untold:
        names = listed([f"'{metric.title}'" for metric in untold])
        why = f"who answered {names} is not told apart from when customers were enrolled"
        return Cap(ceiling="pilot", why=why)
    if not doubted:
        return None
    names = listed([f"'{metric.title}'" for metric in doubted])
    why = f"those who answered may not be alike: the bounds of {names} leave open what the answers seem to say"
    return Cap(ceiling="pilot", why=why)


def _untold(evidence: Evidence) -> list[Metric]:
    """Return the metrics with a response that speak for the arm where no bounds are told: within epochs."""
    if not evidence.spec.epochs:
        return []
    improved = evidence.improved()
    speaking = [*([] if improved is None else [improved]), *evidence.guardrails("inside")]
    return [metric for metric in speaking if metric.response is not None]


def _doubted_success(evidence: Evidence, effects: Sequence[Estimate]) -> list[Metric]:
    return [
        metric
        for metric in evidence.spec.metrics.success
        if (row := evidence.row(metric)) is not None
        and (lee := _lee(evidence, metric, effects)) is not None
        and set_doubts_effect(row, lee)
    ]


def _doubted_guardrails(evidence: Evidence, effects: Sequence[Estimate]) -> list[Metric]:
    return [
        metric
        for metric in evidence.guardrails("inside")
        if (row := evidence.row(metric)) is not None
        and (lee := _lee(evidence, metric, effects)) is not None
        and set_reaches_margin(row, lee, metric)
    ]


def _lee(evidence: Evidence, metric: Metric, effects: Sequence[Estimate]) -> Estimate | None:
    if metric.response is None:
        return None
    return lee_row(effects, metric.name, evidence.arm, evidence.spec.control)
