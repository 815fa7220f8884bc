"""A strict reader of causal graphs in DOT: what it does not understand it refuses, with its line and column."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from cxcausal.core.causal_graph import KEYWORDS, Arrow, CausalGraph, cycle_of, graph_of
from cxcausal.core.dot_tokens import Spot, Token, refuse, refuse_unreadable, tokens_of
from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.signs import likeness

MAX_SIGNS = 200_000
MAX_NODES = 500
MAX_ARROWS = 5_000
MAX_PROBLEMS = 20

# fmt: off
_LOOKS = frozenset((
    "arrowhead", "arrowsize", "arrowtail", "bgcolor", "center", "class", "color", "comment", "constraint",
    "fillcolor", "fixedsize", "fontcolor", "fontname", "fontsize", "group", "height", "id", "label", "labelloc",
    "margin", "minlen", "nodesep", "ordering", "pad", "penwidth", "pos", "rank", "rankdir", "ranksep", "ratio",
    "shape", "size", "splines", "style", "tooltip", "weight", "width", "xlabel",
))
# fmt: on
"""Attributes that only change how a graph looks."""
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_RECORDED = "observed=no, latent"


def read_dot(text: str, file: str = "graph") -> CausalGraph:
    """Return the graph that a DOT text draws.

    It reads `digraph { … }` with arrows (`a -> b -> c`, `{a b} -> c`), names, comments, attributes of looks,
    `[observed=no]` or `[latent]` for a cause that was never recorded, and `a -> b [dir=both]` for a common cause of
    both that nobody named. All else is refused, never skipped.

    Args:
        text: the DOT text.
        file: the file as the user knows it, for messages.

    Raises:
        PlanError: with what is wrong and where; of wrong grammar only the first place is told.

    Example:
        >>> read_dot("digraph { tier -> {call churned}; call -> churned }").arrows
        (('call', 'churned'), ('tier', 'call'), ('tier', 'churned'))
    """
    start = Spot(file=file, line=1, column=1)
    if len(text) > MAX_SIGNS:
        refuse(start, "P365", f"the graph has more than {MAX_SIGNS:,} signs", "draw what matters for this question")
    drawn = _Reader(tuple(tokens_of(text.removeprefix("\ufeff"), file))).read()
    problems = tuple(_problems(drawn))
    if problems:
        raise PlanError(problems[:MAX_PROBLEMS])
    return graph_of(
        arrows=list(drawn.arrows),
        hidden=list(drawn.hidden),
        unobserved=[name for name, (observed, _) in drawn.said.items() if not observed],
        others=list(drawn.names),
    )


@dataclass(kw_only=True)
class _Drawn:
    """What was read: where every name and arrow stands first, and what is wrong with others."""

    names: dict[str, Spot] = field(default_factory=dict)
    arrows: dict[Arrow, Spot] = field(default_factory=dict)
    hidden: dict[Arrow, Spot] = field(default_factory=dict)
    said: dict[str, tuple[bool, Spot]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def note(self, spot: Spot, code: str, what: str, mend: str) -> None:
        self.problems.append(Problem(where=str(spot), code=code, what=what, mend=mend))

    def arrow(self, pair: Arrow, spot: Spot, *, both: bool) -> None:
        kept, key = (self.hidden, (min(pair), max(pair))) if both else (self.arrows, pair)
        if key in kept:
            what = f"the arrow from '{pair[0]}' to '{pair[1]}' stands already in line {kept[key].line}"
            self.note(spot, "P363", what, "remove one, or name what was meant")
        elif pair[0] == pair[1] and both:
            self.note(spot, "P363", f"'{pair[0]}' is linked with itself", "name two different causes or effects")
        kept.setdefault(key, spot)

    def recorded(self, name: str, spot: Spot, *, observed: bool) -> None:
        before = self.said.setdefault(name, (observed, spot))
        if before[0] != observed:
            what = f"'{name}' is said to be recorded and not to be, here and in line {before[1].line}"
            self.note(spot, "P363", what, "say it once")


class _Reader:
    """One pass over the tokens."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self.at = 0
        self.drawn = _Drawn()

    def read(self) -> _Drawn:
        if self.next.keyword == "strict":
            self.at += 1
        head = self.take()
        if head.keyword != "digraph":
            told = "an undirected graph can't say what causes what" if head.keyword == "graph" else "this is no graph"
            refuse(head.spot, "P362" if head.keyword == "graph" else "P361", told, "begin with `digraph {`")
        if self.next.is_name:
            self.at += 1
        self.sign("{", "after `digraph`")
        while not self.sees("}"):
            self.statement()
        self.at += 1
        rest = self.take()
        if rest.kind != "end":
            refuse(rest.spot, "P361", f"{rest.shown} follows the graph's end", "draw one graph per file")
        return self.drawn

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += token.kind != "end"
        return token

    def sees(self, sign: str) -> bool:
        return self.next.kind == "sign" and self.next.text == sign

    def sign(self, sign: str, place: str) -> None:
        if not self.sees(sign):
            refuse(self.next.spot, "P361", f"'{sign}' is wanted {place}, and {self.next.shown} stands here", "write it")
        self.at += 1

    def statement(self) -> None:
        """Read one statement; too many names or arrows end the reading."""
        if self.sees(";"):
            self.at += 1
            return
        word = self.next
        if word.keyword in ("node", "edge", "graph"):
            self.at += 1
            self.looks_only(word)
            return
        ends = [self.end()]
        if self.sees("="):
            self.setting(word)
            return
        while self.next.kind in ("->", "--"):
            self.arrow_sign()
            ends.append(self.end())
        attributes = tuple(self.attributes())
        if len(ends) > 1:
            self.link(ends, word, attributes)
        else:
            self.declare(ends[0], attributes)
        self.not_too_large(word.spot)

    def arrow_sign(self) -> None:
        token = self.take()
        if token.kind == "--":
            what = "a line without an arrow can't say what causes what"
            refuse(token.spot, "P362", what, "write -> from cause to effect, and [dir=both] for a hidden common cause")

    def end(self) -> list[Token]:
        """Read what an arrow begins or ends at: a name, or names in braces."""
        if not self.sees("{"):
            return [self.name()]
        opened = self.take()
        names = []
        while not self.sees("}"):
            names.append(self.name())
            while self.sees(";") or self.sees(","):
                self.at += 1
        self.at += 1
        if not names:
            refuse(opened.spot, "P361", "nothing stands between the braces", "name something, such as {tier region}")
        return names

    def name(self) -> Token:
        token = self.take()
        if token.keyword in KEYWORDS:
            what = "a subgraph" if token.keyword == "subgraph" else f"the word '{token.text}'"
            mend = "name several in plain braces, {tier region} -> churned; put a column of that name in quotes"
            refuse(token.spot, "P362", f"{what} is not understood here", mend)
        if token.text == "<" and token.kind == "sign":
            refuse(token.spot, "P362", "labels in HTML are not read", "write the text in quotes")
        if not token.is_name:
            refuse(token.spot, "P361", f"a name is wanted here, and {token.shown} stands here", "write a column's name")
        for sign, told in ((":", "ports"), ("+", "joined names")):
            if self.sees(sign):
                refuse(self.next.spot, "P362", f"{told} are not read", f"remove the '{sign}', or put it in quotes")
        refuse_unreadable(token)
        self.drawn.names.setdefault(token.text, token.spot)
        return token

    def setting(self, word: Token) -> None:
        """Read a setting of the whole graph, such as rankdir=LR."""
        self.at += 1
        value = self.value()
        if self.drawn.names[word.text] == word.spot:
            del self.drawn.names[word.text]
        if word.text.lower() not in _LOOKS:
            told = f"the graph's '{word.text}={value}' is not understood"
            self.drawn.note(word.spot, "P362", told, "remove it; only settings of looks are skipped, such as rankdir")

    def value(self) -> str:
        token = self.take()
        if token.text == "<" and token.kind == "sign":
            refuse(token.spot, "P362", "labels in HTML are not read", "write the text in quotes")
        if not token.is_name:
            refuse(token.spot, "P361", f"a value is wanted after '=', and {token.shown} stands here", "write one")
        if self.sees("+"):
            refuse(self.next.spot, "P362", "joined texts are not read", "write one text")
        return token.text

    def attributes(self) -> Iterator[tuple[Token, str | None]]:
        """Yield the attributes in square brackets, each with its value, or None where it has none."""
        while self.sees("["):
            self.at += 1
            while not self.sees("]"):
                word = self.take()
                if not word.is_name:
                    what = f"an attribute is wanted here, and {word.shown} stands here"
                    refuse(word.spot, "P361", what, "write [observed=no], or end with ]")
                self.at += (told := self.sees("="))
                yield word, self.value() if told else None
                while self.sees(",") or self.sees(";"):
                    self.at += 1
            self.at += 1

    def looks_only(self, word: Token) -> None:
        """Read defaults of all names or arrows: they may change looks, and nothing else."""
        if not self.sees("["):
            mend = "put a column of that name in quotes"
            refuse(word.spot, "P362", f"the word '{word.text}' is not understood here", mend)
        for attribute, _ in self.attributes():
            if attribute.text.lower() not in _LOOKS:
                what = f"'{attribute.text}' can't be said of every {word.keyword}"
                self.drawn.note(attribute.spot, "P362", what, "say it at each name or arrow that it is true of")

    def declare(self, names: list[Token], attributes: tuple[tuple[Token, str | None], ...]) -> None:
        for word, value in attributes:
            observed = self.observed(word, value)
            for name in names if observed is not None else ():
                self.drawn.recorded(name.text, word.spot, observed=bool(observed))

    def observed(self, word: Token, value: str | None) -> bool | None:
        """Return what an attribute says about a name being recorded; None for one of looks."""
        attribute = word.text.lower()
        truth = _YES_NO.get((value or "yes").lower())
        if attribute == "observed" and value is not None and truth is not None:
            return truth
        if attribute in ("latent", "unobserved") and truth is not None:
            return not truth
        if attribute not in _LOOKS or value is None:
            shown = word.text if value is None else f"{word.text}={value}"
            mend = f"write one of: {_RECORDED}; looks such as shape=box are skipped"
            self.drawn.note(word.spot, "P362", f"'{shown}' of a name is not understood", mend)
        return None

    def link(self, ends: list[list[Token]], word: Token, attributes: tuple[tuple[Token, str | None], ...]) -> None:
        both = False
        for attribute, value in attributes:
            if attribute.text.lower() == "dir" and value in ("both", "forward"):
                both = both or value == "both"
            elif attribute.text.lower() not in _LOOKS or value is None:
                shown = attribute.text if value is None else f"{attribute.text}={value}"
                mend = "write the arrow from cause to effect, or dir=both for a hidden common cause; looks are skipped"
                self.drawn.note(attribute.spot, "P362", f"'{shown}' of an arrow is not understood", mend)
        if sum(len(one) * len(other) for one, other in pairwise(ends)) > MAX_ARROWS:
            self.too_large(word.spot)
        for causes, effects in pairwise(ends):
            for cause in causes:
                for effect in effects:
                    self.drawn.arrow((cause.text, effect.text), cause.spot, both=both)

    def not_too_large(self, spot: Spot) -> None:
        if len(self.drawn.names) > MAX_NODES or len(self.drawn.arrows) + len(self.drawn.hidden) > MAX_ARROWS:
            self.too_large(spot)

    def too_large(self, spot: Spot) -> None:
        what = f"the graph has more than {MAX_NODES} names or {MAX_ARROWS:,} arrows"
        refuse(spot, "P365", what, "draw what matters for this question, one name for several columns")


def _problems(drawn: _Drawn) -> Iterator[Problem]:
    """Yield what is wrong with a graph whose grammar is right."""
    yield from drawn.problems
    seen: dict[str, str] = {}
    for name, spot in drawn.names.items():
        other = seen.setdefault(likeness(name), name)
        if other != name:
            what = f"'{name}' and '{other}' differ in case, blanks or look-alike signs only"
            yield Problem(where=str(spot), code="P363", what=what, mend="give one column one spelling")
    cycle = cycle_of(list(drawn.arrows))
    if cycle:
        spot = drawn.arrows[cycle[-2], cycle[-1]]
        what = f"the arrows go round: {' → '.join(cycle)}"
        mend = "a cause comes before its effect: remove an arrow, or name what came earlier on its own"
        yield Problem(where=str(spot), code="P364", what=what, mend=mend)
