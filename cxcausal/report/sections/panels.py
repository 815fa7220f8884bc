"""The forest plots of page one: one panel per unit and good side, so that scales don't mix."""

from collections import defaultdict
from dataclasses import dataclass

from cxcausal.report.blocks import Figure, Legend
from cxcausal.report.charts.forest import ForestRow, forest
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.limits import bad, effect_style, good, limited_row, margin_of
from cxcausal.report.scales import RELATIVE, SHARE, Scale, scale_of, shown, without_currency
from cxcausal.report.sentences.whom import among, whom
from cxcausal.report.text import Sentence

LABEL = 46


@dataclass(frozen=True, kw_only=True)
class _Item:
    """One effect that a panel shows."""

    metric: PlannedMetric
    row: Row
    scale: Scale
    limit: float | None


def panels(facts: Facts) -> tuple[Figure, ...]:
    """Return the panels: success metrics for every arm, the others for the arm that page one speaks of."""
    grouped: dict[tuple[str, ...], list[_Item]] = defaultdict(list)
    for item in _items(facts):
        name = "" if item.scale is SHARE else item.metric.name
        grouped[item.scale.kind, name, "right" if item.metric.sign > 0 else "left"].append(item)
    return tuple(_panel(facts, items, better=key[-1]) for key, items in grouped.items())


def _items(facts: Facts) -> list[_Item]:
    found = []
    for metric in facts.by_role("success", "guardrail", "secondary"):
        arms = facts.treated_arms if metric.role == "success" else (facts.lead,)
        found += [item for arm in arms if (item := _item(facts, metric, arm)) is not None]
    return found


def _item(facts: Facts, metric: PlannedMetric, arm: str) -> _Item | None:
    margin = margin_of(facts, metric) if metric.role == "guardrail" else None
    row, scale = limited_row(facts, metric, arm, margin) if margin else (facts.row(metric.name, arm), scale_of(metric))
    if row is None or not row.computed:
        return None
    return _Item(metric=metric, row=row, scale=scale, limit=None if margin is None else -metric.sign * margin.value)


def _panel(facts: Facts, items: list[_Item], better: str) -> Figure:
    metrics = {item.metric.name for item in items}
    arms = {item.row.estimate.arm for item in items}
    by_arm = len(metrics) == 1 or len(arms) > 1
    headed = len(metrics) > 1 and len(arms) > 1
    starts = [headed and (not i or items[i - 1].metric.name != item.metric.name) for i, item in enumerate(items)]
    rows = [_row(facts, item, by_arm=by_arm, headed=start) for item, start in zip(items, starts, strict=True)]
    return Figure(
        name="forest",
        caption=_caption(facts, items[0], one_metric=len(metrics) == 1),
        picture=forest(rows, better),
        legend=_legend(rows),
    )


def _caption(facts: Facts, item: _Item, *, one_metric: bool) -> Sentence:
    """Return what the panel counts, and against whom."""
    against: Sentence = ("against “", facts.arm(facts.control), "”")
    if not one_metric:
        return (f"Per 1,000 {facts.people.many}", *whom(facts), ", ", *against)
    amount = f"in {item.scale.currency}, " if item.scale.currency else ""
    per_thousand = f"per 1,000 {facts.people.many}, "
    unit = {"share": per_thousand, "relative": "in percent, ", "points": "in points, ", "amount": amount}
    return (facts.label(item.metric), f", {unit[item.scale.kind]}", *against, *among(facts))


def _legend(rows: list[ForestRow]) -> tuple[Legend, ...]:
    entries = []
    if any(row.limits for row in rows):
        entries.append(Legend(swatch="limit", words=("agreed limit",)))
    if any(row.pays_from is not None for row in rows):
        entries.append(Legend(swatch="pays", words=("pays from here",)))
    return tuple(entries)


def _row(facts: Facts, item: _Item, *, by_arm: bool, headed: bool) -> ForestRow:
    row, scale = item.row, item.scale
    style = without_currency(effect_style(facts, item.metric, row, scale))
    low, high = (shown(facts, row.key(name), scale, style) for name in ("low", "high"))
    state = "good" if good(row, item.metric.sign) else "bad" if bad(row, item.metric.sign) else "none"
    return ForestRow(
        heading=(facts.label(item.metric, clip=LABEL),) if headed else (),
        label=(facts.arm(row.estimate.arm, clip=LABEL) if by_arm else facts.label(item.metric, clip=LABEL),),
        value=(low, " to ", high),
        low=row.low * scale.factor,
        point=row.point * scale.factor,
        high=row.high * scale.factor,
        state=state,
        limits=() if item.limit is None else (item.limit * scale.factor,),
        pays_from=_pays_from(facts, item),
    )


def _pays_from(facts: Facts, item: _Item) -> float | None:
    found = facts.money_of(item.row.estimate.arm)
    if found is None or item.scale is RELATIVE:
        return None
    value = found[1]
    if value.break_even is None or value.break_even_metric != item.metric.name:
        return None
    return item.metric.sign * value.break_even * item.scale.factor
