"""Appendix: metrics that only some answered, with who answers, and the effect under assumptions from strong to none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.measures import response_name
from cxcausal.core.surveys import AIPW, LEE, WORST_CASE
from cxcausal.report.blocks import Block, Cell, Paragraph, SectionView, Table
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived
from cxcausal.report.rounding import TO, Style, place_for
from cxcausal.report.scales import Scale, scale_of, shown, style_of
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.sentences.surveys import companion, share, unsafe_sentence
from cxcausal.report.text import MISSING, Sentence

_PLAIN = "plain difference"
_TITLES: Mapping[str, str] = {
    _PLAIN: "Difference among those who answered",
    AIPW: "Adjusted for who answers",
    LEE: "Bounds by trimming (Lee)",
    WORST_CASE: "Worst-case bounds",
}
_ASSUMED: Mapping[str, str] = {
    _PLAIN: "Those who answered are alike in both arms.",
    AIPW: "Among those with the same covariates, answering is as good as chance. It is then the effect on everybody.",
    LEE: "The contact moves answering in one direction only. It is the effect on those who answer either way.",
    WORST_CASE: "No more than that nobody's answer lies beyond the limits. It is the effect on everybody.",
}


@dataclass(frozen=True, kw_only=True)
class SurveysSection:
    """One table per metric that only some answered."""

    name: ClassVar[str] = "appendix_surveys"

    def build(self, facts: Facts) -> SectionView | None:
        """Return the tables; nothing where no metric has a response, or the run did not look at it."""
        asked = [metric for metric in facts.metrics if any(facts.companions(metric=response_name(metric.name)))]
        if not asked:
            return None
        blocks = tuple(block for metric in asked for block in _blocks(facts, metric))
        blocks = (MUST_NOT_BE_USED, *blocks) if facts.withheld else blocks
        return SectionView(name=self.name, heading="Surveys: who answered, and what that leaves open", blocks=blocks)


def _blocks(facts: Facts, metric: PlannedMetric) -> Iterator[Block]:
    head: tuple[Sentence, ...] = (("With",), ("What",), ("Estimate",), ("Plausible range",), ("It assumes",))
    rows = tuple(line for arm in facts.treated_arms for line in _lines(facts, metric, arm))
    caption = ("“", facts.label(metric, clip=None), "”, against “", facts.arm(facts.control), "”")
    yield Table(caption=caption, name="surveys-table", head=head, rows=rows)
    for arm in facts.treated_arms:
        unsafe = unsafe_sentence(facts, metric, arm)
        if unsafe:
            yield Paragraph(words=("“", facts.arm(arm), "”:", *unsafe), tone="note")


def _lines(facts: Facts, metric: PlannedMetric, arm: str) -> Iterator[tuple[Cell, ...]]:
    rate = companion(facts, response_name(metric.name), arm)
    if rate is not None:
        yield _rates(facts, rate)
    for method, title in _TITLES.items():
        row = _plain(facts, metric, arm) if method == _PLAIN else companion(facts, metric.name, arm, method)
        if row is not None:
            told = _told(facts, row, scale_of(metric))
            assumed = (_ASSUMED[method], *_limits(facts, row))
            yield _cells((facts.arm(arm, clip=None),), (title,), *told, assumed)


def _plain(facts: Facts, metric: PlannedMetric, arm: str) -> Row | None:
    """Return the metric's own row without adjustment."""
    for index, row in enumerate(facts.result.effects):
        own = (row.metric, row.arm, row.control, row.population) == (metric.name, arm, facts.control, "all")
        if own and (row.scale, row.adjustment, row.companion) == ("absolute", "none", False):
            return Row(index=index, estimate=row)
    return None


def _limits(facts: Facts, row: Row) -> Sentence:
    """Return where the limits of a worst case come from, where they are those of the data."""
    if row.estimate.method != WORST_CASE or row.estimate.status != "ok" or row.estimate.reason is None:
        return ()
    return (" Here ", facts.quote(row.key("reason")), ".")


def _rates(facts: Facts, rate: Row) -> tuple[Cell, ...]:
    arm, title = (facts.arm(rate.estimate.arm, clip=None),), ("Share who answered",)
    if not rate.computed:
        return _cells(arm, title, *_not_computed(facts, rate), (MISSING,))
    both = (share(facts, rate, "mean_treated"), " with, ", share(facts, rate, "mean_control"), " without")
    style = Style(place=place_for(100 * rate.low, 100 * rate.high), references=(0.0,))
    low, high = (facts.number(derived("percent", rate.key(part)), style) for part in ("low", "high"))
    spread = (low, TO, high, " percentage points (", facts.level(rate), ")")
    return _cells(arm, title, both, spread, ("That chance alone decided the arms.",))


def _told(facts: Facts, row: Row, scale: Scale) -> tuple[Sentence, Sentence]:
    """Return the estimate, or the estimated set, and the interval."""
    effect = row.estimate
    if effect.status != "ok" or effect.low is None or effect.high is None:
        return _not_computed(facts, row)
    style = style_of(row, scale)
    low, high = (shown(facts, row.key(part), scale, style) for part in ("low", "high"))
    spread = (low, TO, high, scale.unit, " (", facts.level(row), ")")
    if effect.set_low is None:
        return (shown(facts, row.key("point"), scale, style), scale.unit), spread
    ends = [shown(facts, row.key(part), scale, style) for part in ("set_low", "set_high")]
    return (ends[0], TO, ends[1], scale.unit), spread


def _not_computed(facts: Facts, row: Row) -> tuple[Sentence, Sentence]:
    reason: Sentence = (facts.quote(row.key("reason")),) if row.estimate.reason else (MISSING,)
    return ("not computed, because:",), reason


def _cells(*words: Sentence) -> tuple[Cell, ...]:
    return tuple(Cell(words=one) for one in words)
