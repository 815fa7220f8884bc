"""Appendix: every planned metric, with its estimate or the reason why there is none."""

from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Cell, SectionView, Table
from cxcausal.report.facts import Facts, PlannedMetric
from cxcausal.report.text import Sentence


@dataclass(frozen=True, kw_only=True)
class MetricsSection:
    """No planned metric is dropped in silence."""

    name: ClassVar[str] = "appendix_metrics"

    def build(self, facts: Facts) -> SectionView:
        """Return one line per metric and arm."""
        head: tuple[Sentence, ...] = (("Metric",), ("Role",), ("Type",), ("Good is",), ("With",), ("Status",))
        rows = tuple(_line(facts, metric, arm) for metric in facts.metrics for arm in facts.treated_arms)
        table = Table(caption=("Planned metrics by arm",), name="metrics-table", head=head, rows=rows)
        return SectionView(name=self.name, heading="Every planned metric", blocks=(table,))


def _line(facts: Facts, metric: PlannedMetric, arm: str) -> tuple[Cell, ...]:
    row = facts.row(metric.name, arm)
    if row is not None and row.computed:
        status: Sentence = ("computed",)
    elif row is not None and row.estimate.reason:
        status = ("not computed, because: ", facts.quote(row.key("reason")))
    else:
        status = ("not computed, because: no estimator answered",)
    words: tuple[Sentence, ...] = (
        (facts.label(metric, clip=None),),
        (metric.role,),
        (facts.quote(f"{metric.key}.type"),),
        (facts.quote(f"{metric.key}.desired_direction"),),
        (facts.arm(arm, clip=None),),
        status,
    )
    return tuple(Cell(words=item) for item in words)
