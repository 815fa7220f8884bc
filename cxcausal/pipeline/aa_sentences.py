"""What an A/A run found, in plain words."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from cxcausal.core.answers import Flow
from cxcausal.core.wording import count, listed, percent
from cxcausal.pipeline.aa_result import AaAnswer, AlarmRate

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec

_SUSPICIOUS = 0.001
"""A p-value of uniformity below this is worth a sentence."""


def answer_of(rows: Sequence[AlarmRate]) -> AaAnswer:
    """Return the answer that the success metrics give together."""
    verdicts = {row.verdict for row in _success(rows)}
    if not verdicts:
        return "not_known"
    if "too_many" in verdicts:
        return "too_many"
    return "too_few_to_tell" if "too_few_to_tell" in verdicts else "as_promised"


def sentence_of(spec: "ExperimentSpec", answer: AaAnswer, rows: Sequence[AlarmRate], tosses: int) -> str:
    """Return the answer as a sentence."""
    alpha = percent(spec.analysis.alpha)
    if answer == "not_known":
        return "No success metric could be computed, so nobody knows how often this plan would alarm for nothing."
    if answer == "too_few_to_tell":
        return (
            f"Nothing speaks against the plan, but {count(tosses)} tosses are too few to tell whether a success metric "
            f"alarms no more often than the {alpha} that it allows; toss more often."
        )
    if answer == "as_promised":
        return (
            f"This plan keeps its promise on these data: where the arms differ by chance alone, a success metric "
            f"seems to change about as often as the {alpha} that the plan allows, or more rarely."
        )
    worst = max((row for row in _success(rows) if row.verdict == "too_many"), key=lambda row: row.low or 0.0)
    return (
        f"Too many false alarms: where the arms differ by chance alone, '{worst.name}' seems to change in "
        f"{percent(worst.rate or 0.0)} of the tosses (at least {percent(worst.low or 0.0)}), and the plan allows "
        f"{alpha}. Its intervals are too narrow for these data; look at data.cluster and data.randomization_unit."
    )


def notes_of(
    spec: "ExperimentSpec", rows: Sequence[AlarmRate], flow: Flow, shares_from: Literal["plan", "data"]
) -> tuple[str, ...]:
    """Return what a reader must know beside the table."""
    return tuple(_notes(spec, rows, flow, shares_from))


def _notes(
    spec: "ExperimentSpec", rows: Sequence[AlarmRate], flow: Flow, shares_from: Literal["plan", "data"]
) -> Iterator[str]:
    yield "No real arm was looked at: outcomes are seen only as dealt out by chance."
    if shares_from == "data":
        yield "The plan has no shares, so the coin has those of the data."
    if flow.immature:
        left = f"{count(flow.immature)} of {count(flow.enrolled)}"
        yield f"{left} units have no whole observation window and are left out."
    if spec.design.strata:
        named = listed([f"'{name}'" for name in spec.design.strata])
        yield f"The coin was tossed within the strata of {named}; alarms may be rarer than promised."
    if spec.analysis.peeking != "fixed_horizon":
        yield "Alarms are counted of data that are read once; the plan's rule for several looks makes each rarer."
    if spec.analysis.multiplicity == "none":
        yield "The plan has no rule for several questions, so nothing is promised for all success metrics together."
    for row in rows:
        if row.uniform_p is not None and row.uniform_p < _SUSPICIOUS:
            yield f"The p-values of '{row.name}' ({row.arm}) are not spread evenly, as they would be if all were right."


def _success(rows: Sequence[AlarmRate]) -> list[AlarmRate]:
    return [row for row in rows if row.kind == "metric" and row.role == "success" and row.status == "ok"]
