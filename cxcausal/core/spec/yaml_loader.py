"""Strict YAML: maps, lists and scalars with their places; no types are guessed, no tag or alias is followed.

Unquoted scalars come out as `Plain` text (or None for an empty value, `~` or `null`), quoted ones as plain `str`:
the field that wants a number reads it, so `NO`, `010`, `1e-3` and `12:30:00` never change on the way in. The parser's
event stream is read without recursion, and stops at limits, so that no document can exhaust the machine.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cxcausal.core.errors import Problem
from cxcausal.core.signs import misleading, unseen
from cxcausal.core.spec.nodes import Node, Place
from cxcausal.core.spec.scalars import Plain

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 20

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ODD_BLANK = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\uff1a]")
_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NULLS = frozenset({"", "~", "null"})
_SYNTAX: tuple[tuple[str, str, str], ...] = (
    ("mapping values are not allowed", "a colon stands where no key can be", "put text that holds ': ' in quotes"),
    ("did not find expected ',' or", "a bracket is not closed", "close it, or put a comma between the entries"),
    ("expected ',' or", "a bracket is not closed", "close it, or put a comma between the entries"),
    ("unexpected end of stream", "a quote is not closed", "close the quote"),
    ("cannot start any token", "this sign can't begin a value", "put the text in quotes; indent with blanks"),
    (
        "could not find expected ':'",
        "a key has no colon",
        "write key: value with a blank behind the colon, and align lines of one map",
    ),
    ("did not find expected key", "this line is not a key of the map above", "align it with the other keys"),
    ("expected <block end>", "this line does not fit the lines above", "align it with the other entries"),
    ("did not find expected '-'", "a list and a map are mixed", "begin every entry of a list with '- '"),
    ("unknown escape", "this backslash means nothing in double quotes", "use single quotes, or double the backslash"),
    ("node content", "a value is missing", "write a value, or close the bracket"),
    ("block sequence entries", "a list can't begin here", "put each '- ' on a line of its own"),
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a file holds, as far as it could be read, and everything that is wrong with its YAML.

    `complete` says that the whole file was read, so that what is missing from `node` is missing from the file.
    """

    node: Node | None
    problems: tuple[Problem, ...]
    complete: bool = False


class _Stop(Exception):  # noqa: N818 - it ends a walk and never leaves this module
    """Reading can't go on; the problem has been noted."""


def read_yaml(path: Path, shown: str) -> Reading:
    """Read one YAML file whose top is a map.

    Args:
        path: where the file is.
        shown: how problems name it.
    """
    place = Place(file=shown)
    try:
        if not path.is_file():
            mend = "give the path of a YAML file" if path.exists() else _no_file(path)
            what = "this is not a file" if path.exists() else "there is no such file"
            return _refused(place, "P100", what, mend)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _refused(place, "P100", f"the file can't be read: {error.strerror}", "check its permissions")
    return parse_yaml(data, shown)


def _no_file(path: Path) -> str:
    """Return what may help whoever named a file that is not there; a word without an ending may be an id."""
    return "check the path" if path.suffix else "give a plan's path, such as experiments/callback.yaml, not its id"


def parse_yaml(data: bytes, shown: str) -> Reading:
    """Read YAML from bytes, as `read_yaml` does from a file.

    Example:
        >>> reading = parse_yaml(b"a: NO", "x.yaml")
        >>> reading.node.items["a"].value, str(reading.node.items["a"].place)
        ('NO', 'x.yaml:1:4')
    """
    place = Place(file=shown)
    if len(data) > MAX_BYTES:
        return _refused(place, "P102", f"the file is larger than {MAX_BYTES:,} bytes", "a plan needs a few kilobytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _refused(Place(file=shown, line=line), "P101", "the file is not UTF-8", "save it as UTF-8")
    if not text.strip():
        return _refused(place, "P103", "the file is empty", "write a plan: `cxcausal new ID` makes a first one")
    return _Builder(shown).read(text)


def _refused(place: Place, code: str, what: str, mend: str) -> Reading:
    return Reading(node=None, problems=(Problem(where=str(place), code=code, what=what, mend=mend),))


@dataclass
class _Frame:
    """A map or list that is still being filled; `key` waits for its value."""

    node: Node
    flow: bool
    key: str | None = None
    key_place: Place | None = None
    skipping: bool = False


class _Builder:
    """Turns the parser's events into nodes and notes what a plan must not hold."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._problems: list[Problem] = []
        self._frames: list[_Frame] = []
        self._root: Node | None = None
        self._nodes = 0
        self._documents = 0
        self._lines: list[str] = []

    def read(self, text: str) -> Reading:
        text = self._without_odd_signs(text)
        self._lines = _BREAKS.split(text)
        odd, complete = bool(self._problems), False
        try:
            self._events(yaml.parse(text, Loader=_LOADER))
        except yaml.YAMLError as error:
            if not odd:
                self._syntax(error)
        except _Stop:
            pass
        else:
            complete = self._top()
        return Reading(node=self._root, problems=tuple(self._problems), complete=complete)

    def _without_odd_signs(self, text: str) -> str:
        """Refuse tabs and control characters, and read on with blanks in their stead."""
        for number, line in enumerate(_BREAKS.split(text), start=1):
            found = _CONTROL.search(line)
            hidden = None if line.isascii() else unseen(line)
            if found is not None:
                place = Place(file=self._shown, line=number, column=found.start() + 1)
                what = f"a control character (U+{ord(found[0]):04X}) stands here"
                self._note(place, "P106", what, "remove it")
            elif hidden is not None:
                place = Place(file=self._shown, line=number, column=line.index(hidden) + 1)
                mend = f'remove it; where the data have it, write "\\u{ord(hidden):04x}" in double quotes'
                self._note(place, "P106", f"an invisible sign (U+{ord(hidden):04X}) stands here", mend)
            if "\t" in line:
                place = Place(file=self._shown, line=number, column=line.index("\t") + 1)
                self._note(place, "P105", "a tab stands here", 'use blanks; in text, write "\\t" in double quotes')
        return _CONTROL.sub(" ", text.replace("\t", " ")) if self._problems else text

    def _note(self, place: Place, code: str, what: str, mend: str) -> None:
        self._problems.append(Problem(where=str(place), code=code, what=what, mend=mend))

    def _place(self, mark: Any) -> Place:  # noqa: ANN401 - a mark of either parser
        return Place(file=self._shown, line=mark.line + 1, column=mark.column + 1)

    def _events(self, events: Iterable[Any]) -> None:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._document(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()

    def _document(self, event: Any) -> None:  # noqa: ANN401 - PyYAML's events are untyped
        self._documents += 1
        if self._documents > 1:
            self._note(self._place(event.start_mark), "P112", "a second document begins", "put it in its own file")
            raise _Stop

    def _alias(self, event: Any) -> None:  # noqa: ANN401 - see _document
        self._no_anchor(self._place(event.start_mark))
        self._put(Node(value=Plain("*"), place=self._place(event.start_mark)))

    def _no_anchor(self, place: Place) -> None:
        self._note(place, "P110", "anchors (&) and aliases (*) are refused", "write the value out, or put it in quotes")

    def _guard(self, event: Any) -> Place:  # noqa: ANN401 - see _document
        """Count a node; refuse tags, anchors and too large documents."""
        place = self._place(event.start_mark)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._note(place, "P114", f"the file has more than {MAX_NODES:,} values", "a plan needs a few hundred")
            raise _Stop
        if event.tag is not None:
            self._note(place, "P109", "a tag (!) is not allowed", "remove it, or put the text in quotes")
        if event.anchor is not None:
            self._no_anchor(place)
        return place

    def _scalar(self, event: Any) -> None:  # noqa: ANN401 - see _document
        place = self._guard(event)
        plain = event.implicit[0] and event.tag is None
        control = misleading(event.value)
        if control is not None:
            what = f"the text holds a sign that controls a screen or turns text round (U+{ord(control):04X})"
            self._note(place, "P106", what, "remove its escape, such as \\e or \\0")
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.node.value, dict) and frame.key is None:
            self._key(frame, event.value, place, plain=plain)
            return
        if frame is not None and frame.flow and plain and not event.value and isinstance(frame.node.value, dict):
            self._no_value(frame)
        null = plain and event.value in _NULLS
        value = None if null else Plain(event.value) if plain else str(event.value)
        self._put(Node(value=value, place=frame.key_place if not event.value and frame and frame.key_place else place))

    def _no_value(self, frame: _Frame) -> None:
        place = frame.key_place or frame.node.place
        mend = "put text that holds a comma in quotes, or write a value (null for none)"
        if frame.key is not None and frame.key.isdigit():
            mend = "write decimals with a point, such as 0.5; put text that holds a comma in quotes"
        self._note(place, "P116", f"'{frame.key}' has no value between the braces", mend)
        frame.skipping = True

    def _key(self, frame: _Frame, text: str, place: Place, *, plain: bool) -> None:
        frame.key, frame.key_place, frame.skipping = text, place, True
        if plain and text in _NULLS:
            self._note(place, "P108", "a key is empty", "write a key, put it in quotes, or remove the entry")
        elif plain and text == "<<":
            self._note(place, "P111", "merge keys (<<) are not allowed", "write the values out")
        elif text in frame.node.value:
            first = frame.node.value[text].key
            self._note(place, "P107", f"the key '{text}' stands here again", f"remove one; the first is at {first}")
        else:
            frame.skipping = False

    def _open(self, event: Any) -> None:  # noqa: ANN401 - see _document
        place = self._guard(event)
        if len(self._frames) >= MAX_DEPTH:
            self._note(place, "P113", f"values are nested deeper than {MAX_DEPTH} levels", "a plan needs about six")
            raise _Stop
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.node.value, dict) and frame.key is None:
            self._note(
                place,
                "P108",
                "a key is a list or a map",
                "write a text, put text with braces in quotes, or remove the entry",
            )
            raise _Stop
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        node = Node(value=value, place=place, key=frame.key_place if frame is not None else None)
        self._put(node)
        self._frames.append(_Frame(node=node, flow=bool(event.flow_style)))

    def _close(self) -> None:
        self._frames.pop()

    def _put(self, node: Node) -> None:
        """Hang a finished or opened node into the innermost map or list."""
        if not self._frames:
            self._root = node
            return
        frame = self._frames[-1]
        if isinstance(frame.node.value, list):
            frame.node.value.append(node)
        elif frame.key is None:
            frame.key, frame.key_place, frame.skipping = "", node.place, True
        else:
            if not frame.skipping:
                frame.node.value[frame.key] = Node(value=node.value, place=node.place, key=frame.key_place)
            frame.key, frame.key_place, frame.skipping = None, None, False

    def _syntax(self, error: yaml.YAMLError) -> None:
        """Tell a parser's complaint in our words, at the bracket or quote that was opened where that is known."""
        problem = str(getattr(error, "problem", None) or error).splitlines()[0]
        known = ((what, mend) for sign, what, mend in _SYNTAX if sign in problem)
        what, mend = next(known, (f"this is not YAML ({problem})", "check brackets, quotes and indentation"))
        context, mark = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
        if context is not None and "close" in mend and (mark is None or mark.line != context.line or "quote" in what):
            mark = context
        elif "bracket" in what:
            what, mend = "a comma or the closing bracket is wanted here", "put text that holds brackets in quotes"
        elif "no colon" in what and context is not None:
            mark = context
        place = self._odd_blank(mark, context)
        if place is not None:
            what, mend = (
                "a blank or colon stands here that only looks like one",
                "type a plain blank or colon in its place",
            )
        self._note(place or (self._place(mark) if mark else Place(file=self._shown)), "P104", what, mend)

    def _odd_blank(self, *marks: Any) -> Place | None:  # noqa: ANN401 - see _place
        """Return where a blank or colon stands that YAML doesn't know, on one of the lines that are blamed."""
        blamed = {mark.line for mark in marks if mark is not None}
        for number in sorted(blamed | {line - 1 for line in blamed if line}):
            line = self._lines[number] if number < len(self._lines) else ""
            found = _ODD_BLANK.search(line)
            if found is not None and (number in blamed or not line[: found.start()].strip()):
                return Place(file=self._shown, line=number + 1, column=found.start() + 1)
        return None

    def _top(self) -> bool:
        """Refuse a document that is not a map; return whether it is one."""
        if self._root is None or self._root.value is None:
            self._note(Place(file=self._shown), "P103", "the file is empty", "`cxcausal new ID` makes a first plan")
        elif not isinstance(self._root.value, dict):
            self._note(self._root.place, "P115", "the top of the file is not a map", "begin with schema_version: 1")
            self._root = None
        else:
            return True
        return False
