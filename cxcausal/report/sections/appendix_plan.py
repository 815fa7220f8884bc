"""Appendix: the plan as it was resolved, line by line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cxcausal.report.blocks import Outline, SectionView
from cxcausal.report.facts import Facts
from cxcausal.report.keys import path
from cxcausal.report.text import Quote, Sentence

Line = tuple[int, Sentence]


@dataclass(frozen=True, kw_only=True)
class PlanSection:
    """Everything the plan says, defaults included."""

    name: ClassVar[str] = "appendix_plan"

    def build(self, facts: Facts) -> SectionView:
        """Return the plan as an outline."""
        lines = tuple(_lines(facts.tree["plan"], ("plan",), 0))
        return SectionView(name=self.name, heading="The plan, with every default", blocks=(Outline(lines=lines),))


def _lines(value: Any, place: tuple[str | int, ...], depth: int) -> Iterator[Line]:  # noqa: ANN401 - any JSON value
    """Yield the lines of a mapping or list; what is empty is left out."""
    named = isinstance(value, Mapping)
    for name, item in value.items() if named else enumerate(value):
        if item is None or item in ({}, [], (), ""):
            continue
        here = (*place, name)
        mark: Sentence = (Quote(path=path(*here), text=str(name)), ":") if named else ("-",)
        if isinstance(item, Mapping | list | tuple):
            yield depth, mark
            yield from _lines(item, here, depth + 1)
        else:
            yield depth, (*mark, " ", Quote(path=path(*here), text=_spelled(item)))


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
