"""What the data say of a causal graph: the pairs that it calls unrelated, and those that are related."""

from dataclasses import dataclass

from cxcausal.core.wording import count, counted, how_often, listed, number


@dataclass(frozen=True, kw_only=True)
class Independence:
    """Two names that the graph separates, given others.

    Attributes:
        one, other: the names, in the order of the alphabet.
        given: what is held fixed, of which no name can be spared.
    """

    one: str
    other: str
    given: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Relation:
    """One implied independence beside the data.

    Attributes:
        implied: what the graph says.
        correlation: of what is left of both names once what is held fixed has explained its part.
        p: of no relation.
        p_adjusted: by Holm over all that were tested.
        violated: the data contradict the graph here.
    """

    implied: Independence
    correlation: float
    p: float
    p_adjusted: float
    violated: bool


@dataclass(frozen=True, kw_only=True)
class Falsified:
    """What the data say of a graph.

    Attributes:
        tested: every independence that could be tested, the least likely first.
        untested: how many could not: a column that doesn't vary, or too few rows for what is held fixed.
        rows: of the sample.
    """

    tested: tuple[Relation, ...]
    untested: int
    rows: int

    @property
    def violated(self) -> tuple[Relation, ...]:
        """What the data contradict."""
        return tuple(item for item in self.tested if item.violated)

    def sentence(self, people: str = "customers") -> str:
        """Return what was found, in one sentence; `people` is what the plan's units are called."""
        if not self.tested:
            return (
                "The graph calls no two recorded columns unrelated that could be tested, so no data can contradict it."
            )
        if not self.violated:
            what = counted(len(self.tested), "pair")
            return f"The data of {count(self.rows)} {people} contradict none of {what} that the graph calls unrelated."
        worst = self.violated[0]
        fixed = [f"'{name}'" for name in worst.implied.given]
        alike = f" among {people} alike in {listed(fixed)}" if fixed else ""
        return (
            f"The data contradict the graph in {len(self.violated)} of {counted(len(self.tested), 'pair')}: it calls "
            f"'{worst.implied.one}' and '{worst.implied.other}' unrelated{alike}, and their correlation is "
            f"{number(worst.correlation)}, which chance alone brings about {how_often(worst.p_adjusted)}."
        )
