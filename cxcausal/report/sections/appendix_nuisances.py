"""Appendix: how chances and outcomes were learned, how well, and how much the splits matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.core.score_facts import LearnerFact, ScoreFacts
from cxcausal.report.blocks import Block, Cell, Paragraph, SectionView, Table
from cxcausal.report.facts import Facts, Row
from cxcausal.report.keys import derived, path
from cxcausal.report.rounding import percent
from cxcausal.report.sections.score_cells import cell, dash, effect, metric_of, unit_words
from cxcausal.report.sections.withheld import MUST_NOT_BE_USED
from cxcausal.report.text import MISSING, Piece, Quote, Sentence

_LEAST = 0.005
"""Weight of a member below which it reads as 0 %."""


@dataclass(frozen=True, kw_only=True)
class NuisancesSection:
    """The models behind the scores."""

    name: ClassVar[str] = "appendix_nuisances"

    def build(self, facts: Facts) -> SectionView | None:
        """Return one table of learners and one of splits; nothing where nothing was learned."""
        scores = facts.result.scores
        if scores is None or not scores.nuisances:
            return None
        return SectionView(
            name=self.name, heading="What was learned, and how well", blocks=tuple(_blocks(facts, scores))
        )


def _blocks(facts: Facts, scores: ScoreFacts) -> Iterator[Block]:
    splits = facts.number("scores.repeats")
    yield Paragraph(
        words=(
            f"Every {facts.people.one} was predicted by models that had not seen it: the data were split into ",
            *(facts.number("scores.folds"), " parts, ", splits, " time" if splits.value == 1 else " times"),
            ", by the key of each, so that the order of the data does not matter.",
        )
    )
    yield _learners(facts, scores)
    spreads = list(_spreads(facts))
    if spreads:
        yield from ((MUST_NOT_BE_USED,) if facts.withheld else ())
        yield _splits(facts, spreads)


def _learners(facts: Facts, scores: ScoreFacts) -> Table:
    head = ("Learned", "Learner", "Made of", "Loss", "Of a constant", "Left of it", "Calibration slope")
    return Table(
        caption=("What was learned, how far predictions lie off, and how far a constant would",),
        name="learners-table",
        head=tuple((title,) for title in head),
        rows=tuple(_row(facts, at, one) for at, one in enumerate(scores.nuisances)),
        wide=True,
    )


def _row(facts: Facts, at: int, one: LearnerFact) -> tuple[Cell, ...]:
    key = path("scores", "nuisances", at)
    left = dash()
    if one.loss is not None and one.baseline:
        left = Cell(
            words=(facts.number(derived("percent_ratio", f"{key}.loss", f"{key}.baseline"), percent()),), state="number"
        )
    return (
        Cell(words=_what(facts, one)),
        Cell(words=(facts.quote(f"{key}.learner"),)),
        Cell(words=_made_of(facts, key, one)),
        *(cell(facts, f"{key}.{name}", 4) for name in ("loss", "baseline")),
        left,
        cell(facts, f"{key}.slope"),
    )


def _what(facts: Facts, one: LearnerFact) -> Sentence:
    metric = metric_of(facts, one.metric)
    if metric is None:
        return ("who got which arm",)
    return ("“", facts.label(metric), "” with “", facts.arm(one.arm), "”")


def _made_of(facts: Facts, key: str, one: LearnerFact) -> Sentence:
    """Return the members of a stack with their weights; those that would read as 0 % are left out."""
    pieces: list[Piece] = []
    for name in (name for name, weight in one.weights.items() if weight >= _LEAST):
        place = f"{key}.{path('weights', name)}"
        pieces += [
            ", " if pieces else "",
            facts.number(derived("percent", place), percent()),
            " ",
            Quote(path=place, text=name),
        ]
    return tuple(piece for piece in pieces if piece != "") or (MISSING,)


def _spreads(facts: Facts) -> Iterator[Row]:
    for metric in facts.metrics:
        for arm in facts.treated_arms:
            row = facts.row(metric.name, arm)
            if row is not None and row.computed and row.estimate.spread is not None:
                yield row


def _splits(facts: Facts, rows: list[Row]) -> Table:
    return Table(
        caption=("How far the effect of any split lies from the one that is told, their median",),
        name="splits-table",
        head=(("Metric",), ("With",), ("Estimate",), ("Furthest split",), ("In standard errors",)),
        rows=tuple(_split(facts, row) for row in rows),
    )


def _split(facts: Facts, row: Row) -> tuple[Cell, ...]:
    metric, arm = metric_of(facts, row.estimate.metric), row.estimate.arm
    assert metric is not None  # noqa: S101 - rows are of planned metrics
    share = derived("percent_ratio", row.key("spread"), row.key("se"))
    return (
        Cell(words=(facts.label(metric), *unit_words(facts, metric))),
        Cell(words=(facts.arm(arm),)),
        effect(facts, metric, row.key("point"), arm),
        _fine(facts, row),
        Cell(words=(facts.number(share, percent()), " of one"), state="number") if row.estimate.se else dash(),
    )


def _fine(facts: Facts, row: Row) -> Cell:
    """Return the spread with digits of its own, as it may be far smaller than the effect."""
    metric = metric_of(facts, row.estimate.metric)
    if metric is not None and metric.type in {"proportion", "top_box"}:
        return cell(facts, derived("per_thousand", row.key("spread")), 2)
    return cell(facts, row.key("spread"), 2)
