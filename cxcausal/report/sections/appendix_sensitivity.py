"""Appendix: what an unmeasured difference could do to the effects, as contours, landmarks and numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.score_facts import SensitivityFact
from cxcausal.report.blocks import Block, Cell, Figure, Paragraph, SectionView, Table
from cxcausal.report.charts.contour import Landmark, Surface, contour
from cxcausal.report.facts import Facts
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import Style, percent
from cxcausal.report.sections.score_cells import cell, dash, effect, metric_of, part, unit_words
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.sentences.observed import strength_sentence
from cxcausal.report.text import Sentence

_FEWEST = 2
_LEFT = (
    ": how much of the effect would be left if something unmeasured were as strong as this. A known column stands "
    "where something of its strength would"
)


@dataclass(frozen=True, kw_only=True)
class SensitivitySection:
    """How strong an unmeasured difference would have to be."""

    name: ClassVar[str] = "appendix_sensitivity"

    def build(self, facts: Facts) -> SectionView | None:
        """Return the sentence, a picture per effect, and the numbers; nothing where nobody looked."""
        if facts.result.scores is None or not facts.result.scores.sensitivity:
            return None
        warned: tuple[Block, ...] = (MUST_NOT_BE_USED,) if facts.withheld else ()
        blocks = (*warned, *_blocks(facts, facts.result.scores.sensitivity))
        return SectionView(name=self.name, heading="Sensitivity to what was not measured", blocks=blocks)


def _blocks(facts: Facts, found: tuple[SensitivityFact, ...]) -> Iterator[Block]:
    said = strength_sentence(facts)
    if said is not None:
        yield Paragraph(words=said)
    told = [(at, one) for at, one in enumerate(found) if metric_of(facts, one.metric) is not None]
    for at, one in told:
        if _drawable(one):
            yield _picture(facts, at, one)
    yield _values(facts, told)
    if any(one.benchmarks for _, one in told):
        yield _benchmarks(facts, told)
    if any(one.simulated for _, one in told):
        yield _simulated(facts, told)


def _drawable(one: SensitivityFact) -> bool:
    whole = all(None not in row and len(row) == len(one.grid) for row in one.bound)
    return bool(one.point) and len(one.grid) >= _FEWEST and len(one.bound) == len(one.grid) and whole


def _of(facts: Facts, one: SensitivityFact) -> Sentence:
    metric = metric_of(facts, one.metric)
    assert metric is not None  # noqa: S101 - only planned metrics are told
    return ("“", facts.label(metric), "”, “", facts.arm(one.arm), "” against “", facts.arm(one.control), "”")


def _picture(facts: Facts, at: int, one: SensitivityFact) -> Figure:
    key, last = path("scores", "sensitivity", at), len(one.grid) - 1
    places = tuple(dict.fromkeys((0, last // 2, last)))
    surface = Surface(
        grid=[value or 0.0 for value in one.grid],
        bound=[[value or 0.0 for value in row] for row in one.bound],
        point=one.point or 0.0,
        ticks=[(place, facts.number(derived("percent", f"{key}.grid.{place}"), percent())) for place in places],
    )
    landmarks = [
        Landmark(
            label=facts.quote(f"{key}.benchmarks.{index}.column", clip=24),
            treatment=mark.treatment,
            outcome=mark.outcome,
        )
        for index, mark in enumerate(one.benchmarks)
        if mark.treatment is not None and mark.outcome is not None
    ]
    caption: Sentence = (
        *_of(facts, one),
        _LEFT,
    )
    return Figure(name="contour", caption=caption, picture=contour(surface, landmarks, _of(facts, one)))


def _values(facts: Facts, told: list[tuple[int, SensitivityFact]]) -> Table:
    head = ("Robustness value", "of the range", "E-value", "of the range")
    rows: list[tuple[Cell, ...]] = []
    for at, one in told:
        key = path("scores", "sensitivity", at)
        if one.reason is not None:
            rows.append(
                (Cell(words=_of(facts, one)), Cell(words=(facts.quote(f"{key}.reason"),)), dash(), dash(), dash())
            )
            continue
        strengths = (part(facts, f"{key}.{name}", -1) for name in ("robustness", "robustness_interval"))
        ratios = (cell(facts, f"{key}.{name}") for name in ("e_value", "e_value_limit"))
        rows.append((Cell(words=_of(facts, one)), *strengths, *ratios))
    caption = (
        "From which strength on, equal with the outcome and with who got what, an unmeasured difference explains the "
        "whole effect, or as much as its range needs to include none"
    )
    return Table(
        caption=(caption,),
        name="sensitivity-table",
        head=(("Effect",), *((title,) for title in head)),
        rows=tuple(rows),
    )


def _benchmarks(facts: Facts, told: list[tuple[int, SensitivityFact]]) -> Table:
    rows = []
    for at, one in told:
        for index in range(len(one.benchmarks)):
            key = path("scores", "sensitivity", at, "benchmarks", index)
            strengths = (part(facts, f"{key}.{name}", -1) for name in ("outcome", "treatment"))
            rows.append((Cell(words=(facts.quote(f"{key}.column"),)), Cell(words=_of(facts, one)), *strengths))
    return Table(
        caption=("How strong something unmeasured would be if it were as strong as a known column",),
        name="benchmarks-table",
        head=(("Column",), ("Effect",), ("With the outcome",), ("With who got what",)),
        rows=tuple(rows),
    )


def _simulated(facts: Facts, told: list[tuple[int, SensitivityFact]]) -> Table:
    rows = []
    for at, one in told:
        metric = metric_of(facts, one.metric)
        assert metric is not None  # noqa: S101 - only planned metrics are told
        for index in range(len(one.simulated)):
            key = path("scores", "sensitivity", at, "simulated", index)
            times = facts.number(f"{key}.0", Style(place=-1))
            name = Cell(words=(*_of(facts, one), *unit_words(facts, metric)))
            rows.append((name, Cell(words=(times,), state="number"), effect(facts, metric, f"{key}.1", one.arm)))
    return Table(
        caption=("The effect with a made-up cause added, as many times as strong as the strongest known column",),
        name="simulated-table",
        head=(("Effect",), ("Times as strong",), ("Effect left",)),
        rows=tuple(rows),
    )
