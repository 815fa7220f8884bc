"""An independent reader of the page: it finds every marked number and quote, and what is left when they are gone."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "img", "input", "hr", "wbr"})


@dataclass
class Mark:
    """One marked element: its tag, its attributes and its text."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    """What the reader found."""

    marks: list[Mark] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    page_one: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> list[Mark]:
        """Every number: `<data>` in words, `<tspan data-value>` in pictures, right-set cells in long tables."""
        return [
            mark
            for mark in self.marks
            if {"value", "data-value"} & set(mark.attributes) or mark.attributes.get("class") == "n"
        ]

    @property
    def quotes(self) -> list[Mark]:
        """Every quote of the plan or of the result."""
        numbers = {id(mark) for mark in self.numbers}
        return [mark for mark in self.marks if id(mark) not in numbers]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[tuple[str, Mark | None]] = []
        self.appendix = False
        self.row = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.page.tags.append((tag, attributes))
        self.appendix = self.appendix or attributes.get("class") == "appendix"
        if tag in VOID:
            return
        self.row = attributes.get("data-row", "") if tag == "tr" else self.row
        if "data-key" in attributes:
            attributes["data-key"] = re.sub(r"^\.|(?<=[(,])\.", f"{self.row}.", attributes["data-key"])
        marked = "data-key" in attributes or "data-plan" in attributes
        mark = Mark(tag=tag, attributes=attributes) if marked else None
        if mark:
            self.page.marks.append(mark)
        self.open.append((tag, mark))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self.open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def handle_data(self, data: str) -> None:
        if any(tag == "style" for tag, _ in self.open):
            return
        if not self.appendix:
            self.page.page_one.append(data)
        for _, mark in reversed(self.open):
            if mark is not None:
                mark.text += data
                return
        self.page.rest.append(data)


def read(html: str) -> Page:
    """Return what stands on a page; fails where elements are not nested."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, "elements are left open"
    return reader.page


def without_styles(html: str) -> str:
    """Return the page without its stylesheet."""
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
