"""Appendix: why some were treated and others not, what is allowed for, and whom the effect is of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cxcausal.report.blocks import Block, Cell, Paragraph, SectionView, Table, Terms
from cxcausal.report.facts import Facts
from cxcausal.report.keys import lookup, path
from cxcausal.report.sections.score_cells import cell
from cxcausal.report.sentences.observed import check_text
from cxcausal.report.sentences.whom import OVERLAP, TARGETS, TREATED, target, whom
from cxcausal.report.text import Piece, Sentence

_NOTHING = "nothing"
_BY_DEGREE = (
    ". The closer to even somebody's chances were, the more they count; who was all but certain to get one arm hardly "
    "does. No number of heads can be given, so nothing is summed over them."
)
_VERDICTS = ("pass", "info", "warn", "fail", "could_not_run")
_LISTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Never allowed for, as it comes after", ("design", "never_adjust")),
    ("Outcomes that cannot have changed", ("design", "negative_controls", "outcomes")),
    ("Causes that cannot have mattered", ("design", "negative_controls", "exposures")),
)


@dataclass(frozen=True, kw_only=True)
class DesignSection:
    """Design and identification of a run that no coin stands behind."""

    name: ClassVar[str] = "appendix_design"

    def build(self, facts: Facts) -> SectionView | None:
        """Return what was compared, for what it was allowed and for whom it holds; nothing where a coin decided."""
        if not facts.observational:
            return None
        return SectionView(name=self.name, heading="Design and identification", blocks=tuple(_blocks(facts)))


def _blocks(facts: Facts) -> Iterator[Block]:
    yield Paragraph(words=_compared(facts))
    yield Terms(items=tuple(_terms(facts)))
    identified = check_text(facts, "identification", *_VERDICTS)
    if identified is not None:
        yield Paragraph(words=identified)
    late = check_text(facts, "time_zero", *_VERDICTS)
    if late is not None:
        yield Paragraph(words=late)
    if facts.result.scores is not None and facts.result.scores.time_zero:
        yield _time_zero(facts)


def _compared(facts: Facts) -> Sentence:
    column = facts.quote(path("plan", "design", "treatment", "column"))
    words = f"Nobody tossed a coin: {facts.people.many} got one arm or another by what happened to them, as “"
    return (words, column, "” says. Like is compared with like, by what is below.")


def _terms(facts: Facts) -> Iterator[tuple[Sentence, Sentence]]:
    yield ("Effect on",), _effect_on(facts)
    yield ("Allowed for",), _adjusted(facts)
    graph = path("plan", "design", "graph")
    yield ("Why these",), _why(facts, graph)
    for title, place in _LISTS:
        names = _listed(facts, path("plan", *place))
        if names:
            yield (title,), names


def _effect_on(facts: Facts) -> Sentence:
    """Return the target population in plain words, and who is in it."""
    wanted = target(facts)
    words: Sentence = (TARGETS[wanted],)
    if wanted == OVERLAP:
        return (
            *words,
            _BY_DEGREE,
        )
    if wanted == TREATED:
        people = (f". The {facts.people.many}", *whom(facts))
        return (*words, *people, " count fully, the others as far as they are like them.")
    return (*words, ", whether they got the arm or not. It asks most of the overlap.")


def _adjusted(facts: Facts) -> Sentence:
    key = path("scores", "adjusted_for") if facts.result.scores is not None else path("plan", "design", "confounders")
    return _listed(facts, key) or (_NOTHING,)


def _why(facts: Facts, graph: str) -> Sentence:
    if facts.has(graph):
        return ("by the graph “", facts.quote(graph), "” and the roles that the plan declares")
    return ("by the roles that the plan declares; it draws no graph",)


def _listed(facts: Facts, key: str) -> Sentence:
    pieces: list[Piece] = []
    for index in range(len(lookup(facts.tree, key) or ())):
        pieces += ["“" if index == 0 else ", “", facts.quote(f"{key}.{index}"), "”"]
    return tuple(pieces)


def _time_zero(facts: Facts) -> Table:
    scores = facts.result.scores
    rows = []
    for index, gap in enumerate(scores.time_zero if scores is not None else ()):
        key = path("scores", "time_zero", index)
        numbers = (cell(facts, f"{key}.{name}", 2) for name in ("days", "se", "standardised"))
        rows.append((Cell(words=(facts.arm(gap.arm),)), *numbers))
    return Table(
        caption=("How much later time zero lies than with “", facts.arm(facts.control), "”, once like is with like"),
        name="time-zero-table",
        head=(("With",), ("Days",), ("SE",), ("In standard deviations",)),
        rows=tuple(rows),
    )
