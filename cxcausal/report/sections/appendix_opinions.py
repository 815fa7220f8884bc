"""Appendix: the same effect by other methods, for other people, under other choices, and naively."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.score_facts import OpinionFact
from cxcausal.report.blocks import Block, Cell, Figure, Paragraph, SectionView, Table
from cxcausal.report.charts.forest import ForestRow, forest
from cxcausal.report.facts import Facts, PlannedMetric, Row
from cxcausal.report.keys import derived, path
from cxcausal.report.limits import bad, good
from cxcausal.report.rounding import Style
from cxcausal.report.scales import SHARE, Scale, scale_of, shown, style_of, without_currency
from cxcausal.report.sections.score_cells import dash, metric_of, quotient, unit_words
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.sentences.observed import NAIVE, check_text
from cxcausal.report.sentences.whom import ALL, OVERLAP, TREATED, target
from cxcausal.report.text import MISSING, Number, Sentence

METHODS: Mapping[str, str] = {
    "aipw": "The plan's own",
    NAIVE: "Naive difference",
    "overlap_weighting": "Overlap weighting",
    "matching": "Matching",
    "parametric_aipw": "Textbook AIPW",
    "linear_dml": "Linear DML",
    "dr_learner": "DR learner",
    "causal_forest": "Causal forest",
    "regression": "Regression",
    "ols": "OLS",
}
_WHOSE: Mapping[str, str] = {ALL: "everybody", TREATED: "those who got it", OVERLAP: "those with either chance"}
_ALPHA = path("plan", "analysis", "alpha")


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One effect to set beside the others: its words, and where its numbers are."""

    label: Sentence
    whose: str
    key: str
    point: float | None
    ends: tuple[str, str] | None
    state: str = "none"
    gap: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OpinionsSection:
    """Second opinions, metric by metric."""

    name: ClassVar[str] = "appendix_opinions"

    def build(self, facts: Facts) -> SectionView | None:
        """Return a picture and a table per success metric and arm; nothing where a coin decided."""
        if not facts.observational:
            return None
        blocks = tuple(_blocks(facts))
        warned = (MUST_NOT_BE_USED,) if facts.withheld else ()
        return SectionView(name=self.name, heading="Second opinions", blocks=(*warned, *blocks)) if blocks else None


def _blocks(facts: Facts) -> Iterator[Block]:
    for name in ("agreement", "specification"):
        said = check_text(facts, name, "pass", "info", "warn", "fail", "could_not_run")
        if said is not None:
            yield Paragraph(words=said)
    for metric in facts.by_role("success"):
        for arm in facts.treated_arms:
            lines = list(_lines(facts, metric, arm))
            drawn = [line for line in lines if line.ends is not None and line.point is not None]
            if len(drawn) > 1:
                yield _picture(facts, metric, arm, drawn)
            if lines:
                yield _table(facts, metric, arm, lines)


def _lines(facts: Facts, metric: PlannedMetric, arm: str) -> Iterator[_Line]:
    row = facts.row(metric.name, arm)
    if row is not None and row.computed:
        state = "good" if good(row, metric.sign) else "bad" if bad(row, metric.sign) else "none"
        yield _of_row(row, (METHODS["aipw"],), state)
    for beside in facts.companions(metric=metric.name):
        mine = beside.estimate
        if (mine.arm, mine.control, mine.population, mine.scale) != (arm, facts.control, "all", "absolute"):
            continue
        if mine.method == NAIVE:
            yield _of_row(beside, (METHODS[NAIVE],))
        elif mine.method == "aipw":
            yield _of_row(beside, ("The same method",))
    scores = facts.result.scores
    for group in ("opinions", "specification"):
        for index, found in enumerate(getattr(scores, group, ())):
            if (found.metric, found.arm, found.control) == (metric.name, arm, facts.control):
                yield _of_fact(facts, group, index, found)


def _of_row(row: Row, label: Sentence, state: str = "none") -> _Line:
    ends = (row.key("low"), row.key("high")) if row.computed else None
    whose = _WHOSE.get(row.estimate.estimand, "the arms as they are")
    return _Line(label=label, whose=whose, key=row.key("point"), point=row.estimate.point, ends=ends, state=state)


def _of_fact(facts: Facts, group: str, index: int, found: OpinionFact) -> _Line:
    key = path("scores", group, index)
    known = METHODS.get(found.name)
    label: Sentence = (known,) if known and group == "opinions" else (facts.quote(f"{key}.name"),)
    told = found.reason is None and found.point is not None and found.se is not None
    per = "_per_thousand" if scale_of_fact(facts, found) is SHARE else ""
    ends = tuple(derived(f"normal_{end}{per}", f"{key}.point", f"{key}.se", _ALPHA) for end in ("low", "high"))
    return _Line(
        label=label,
        whose=_WHOSE.get(found.target, _WHOSE.get(target(facts), "")),
        key=f"{key}.point",
        point=found.point,
        ends=(ends[0], ends[1]) if told else None,
        gap=key if told else "",
        reason=f"{key}.reason" if found.reason is not None else "",
    )


def scale_of_fact(facts: Facts, found: OpinionFact) -> Scale:
    """Return the scale on which an opinion is told."""
    metric = metric_of(facts, found.metric)
    return SHARE if metric is None else scale_of(metric)


def _end(facts: Facts, key: str, scale: Scale, style: Style) -> Number:
    """Return one end of a range; those that a formula gives are on the page's scale already."""
    return facts.number(key, style) if key.startswith("derived:") else shown(facts, key, scale, style)


def _style(facts: Facts, metric: PlannedMetric, arm: str) -> Style:
    row, scale = facts.row(metric.name, arm), scale_of(metric)
    return style_of(row, scale) if row is not None and row.computed else Style(place=0 if scale is SHARE else -2)


def _picture(facts: Facts, metric: PlannedMetric, arm: str, lines: Sequence[_Line]) -> Figure:
    scale, style = scale_of(metric), without_currency(_style(facts, metric, arm))
    rows = []
    for line in lines:
        assert line.ends is not None  # noqa: S101 - only such are drawn
        low, high = (_end(facts, end, scale, style) for end in line.ends)
        factor = [1.0 if end.startswith("derived:") else scale.factor for end in line.ends]
        low_at, high_at = (facts.number(end).value * by for end, by in zip(line.ends, factor, strict=True))
        rows.append(
            ForestRow(
                label=(*line.label, f": {line.whose}"),
                value=(low, " to ", high),
                low=low_at,
                point=(line.point or 0.0) * scale.factor,
                high=high_at,
                state=line.state,
            )
        )
    caption: Sentence = (
        *(facts.label(metric), ": “", facts.arm(arm), "” against “", facts.arm(facts.control), "”"),
        *unit_words(facts, metric),
    )
    better = "right" if metric.sign > 0 else "left"
    return Figure(name="forest", caption=caption, picture=forest(rows, better))


def _table(facts: Facts, metric: PlannedMetric, arm: str, lines: Sequence[_Line]) -> Table:
    rows = tuple(_cells(facts, metric, arm, line) for line in lines)
    caption: Sentence = (
        *("“", facts.label(metric), "”: “", facts.arm(arm), "” against “", facts.arm(facts.control), "”"),
        *(
            *unit_words(facts, metric),
            "; distances from our effect on the same people, in standard errors of the distance",
        ),
    )
    return Table(
        caption=caption,
        name=f"opinions-table-{facts.metrics.index(metric)}-{facts.treated_arms.index(arm)}",
        head=(("Method or choice",), ("Of whom",), ("Estimate",), ("Range",), ("Distance",)),
        rows=rows,
    )


def _cells(facts: Facts, metric: PlannedMetric, arm: str, line: _Line) -> tuple[Cell, ...]:
    named = (Cell(words=line.label), Cell(words=(line.whose,)))
    if line.ends is None:
        why: Sentence = (facts.quote(line.reason),) if line.reason else (MISSING,)
        return (*named, Cell(words=("not computed",)), Cell(words=why), dash())
    scale, style = scale_of(metric), _style(facts, metric, arm)
    low, high = (_end(facts, end, scale, without_currency(style)) for end in line.ends)
    return (
        *named,
        Cell(words=(shown(facts, line.key, scale, style),), state="number"),
        Cell(words=(low, " to ", high), state="number"),
        quotient(facts, f"{line.gap}.gap", f"{line.gap}.gap_se") if line.gap else dash(),
    )
