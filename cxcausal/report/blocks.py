"""What a section is made of: paragraphs, lists, tables, figures, lights; the templates print nothing else."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from cxcausal.report.facts import Facts
from cxcausal.report.text import Html, Sentence

MANY = 7
"""Columns beyond which a table scrolls inside its region instead of being squeezed."""


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """One paragraph; `tone` is a class of the stylesheet (`lead`, `note`, `warning` or nothing)."""

    words: Sentence
    tone: str = ""
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """A list of sentences."""

    items: tuple[Sentence, ...]
    kind: ClassVar[str] = "bullets"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: words, a state that gives it its tint, an icon to tell it without colour, and how many columns wide."""

    words: Sentence
    state: Literal["", "good", "bad", "none", "number"] = ""
    icon: Html | None = None
    span: int = 1


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with a caption; the first cell of every row is its heading.

    `wide` tables scroll inside a labelled region that the keyboard reaches; others become cards on a narrow screen.
    `bases` are the paths of the rows' records: written once per row, and left out of the keys of its cells.
    """

    caption: Sentence
    name: str
    head: tuple[Sentence, ...]
    rows: tuple[tuple[Cell, ...], ...]
    wide: bool = False
    bases: tuple[str, ...] = ()
    kind: ClassVar[str] = "table"


@dataclass(frozen=True, kw_only=True)
class Legend:
    """One entry of a picture's legend: its swatch's class and its words."""

    swatch: str
    words: Sentence


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture with its caption and legend; `name` becomes a class."""

    name: str
    caption: Sentence
    picture: Html
    legend: tuple[Legend, ...] = ()
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Blocks that stand beside one another where there is room."""

    blocks: tuple["Block", ...]
    kind: ClassVar[str] = "group"


@dataclass(frozen=True, kw_only=True)
class Light:
    """One light: what is asked, the state in a word and a shape, and why."""

    name: str
    state: str
    word: str
    icon: Html
    reasons: tuple[Sentence, ...]


@dataclass(frozen=True, kw_only=True)
class Lights:
    """The lights of trust."""

    lights: tuple[Light, ...]
    kind: ClassVar[str] = "lights"


@dataclass(frozen=True, kw_only=True)
class Hero:
    """The verdict bar: the verdict in a word and a shape, for which arm and why, and four facts about the evidence."""

    title: Sentence
    verdict: str
    word: str
    icon: Html
    arm: Sentence
    reason: Sentence
    facts: tuple[tuple[str, Sentence], ...]
    arms: tuple[tuple[Html, str, str, Sentence], ...]
    kind: ClassVar[str] = "hero"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The question, the result and the recommendation, set large."""

    question: Sentence
    result: Sentence
    recommendation: Sentence
    kind: ClassVar[str] = "answer"


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Lines of text with their depth, as in YAML."""

    lines: tuple[tuple[int, Sentence], ...]
    kind: ClassVar[str] = "outline"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Names and what stands behind them."""

    items: tuple[tuple[Sentence, Sentence], ...]
    kind: ClassVar[str] = "terms"


Block = Hero | Answer | Paragraph | Bullets | Table | Figure | Group | Lights | Outline | Terms


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """One section as the page prints it: its heading and its blocks."""

    name: str
    heading: str
    blocks: tuple[Block, ...]


class Section(Protocol):
    """A registered section: `build` returns what to print, or None where there is nothing to say."""

    name: ClassVar[str]

    def build(self, facts: Facts) -> SectionView | None:
        """Return the section's view."""
