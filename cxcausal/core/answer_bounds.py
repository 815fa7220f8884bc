"""Ends of the set of effects where some did not answer: how the larger arm is trimmed, and a value for every unit.

An end is told as a difference of two means over all analysed units. Each unit's value is a linear form of whether it
answered, its answer, and the part of its answer beyond a cut; to first order the variance of that difference is the
variance of the end, with the estimated trimming share and cut in it.
"""

from dataclasses import dataclass
from typing import Literal

Side = Literal["low", "high"]


@dataclass(frozen=True, kw_only=True)
class ArmAnswers:
    """One arm: `units` analysed, `answers` among them (at least one), and their mean."""

    units: int
    answers: int
    mean: float

    @property
    def share(self) -> float:
        """The share of units that answered."""
        return self.answers / self.units


@dataclass(frozen=True, kw_only=True)
class Tail:
    """The answers of the trimmed arm beyond a cut.

    Attributes:
        kept: the side that stays: `low` keeps the smallest answers.
        cut: the largest (or smallest) answer of which any part is kept.
        mean: over all answers of the arm, of min(y − cut, 0) where the low side is kept, else of max(y − cut, 0).
    """

    kept: Side
    cut: float
    mean: float


@dataclass(frozen=True, kw_only=True)
class Form:
    """A unit's value: base + answered · (each + slope · y + bend · beyond), with `beyond` as `Tail` has it.

    `kept` and `cut` are those of the tail; they play no part where `bend` is 0.
    """

    base: float
    each: float = 0.0
    slope: float = 0.0
    bend: float = 0.0
    kept: Side = "low"
    cut: float = 0.0

    def largest(self, answer: float) -> float:
        """Return a bound of the value's size, where no answer is larger than `answer` in size."""
        beyond = abs(self.bend) * (answer + abs(self.cut))
        return abs(self.base) + abs(self.each) + abs(self.slope) * answer + beyond


def answers_more(treated: ArmAnswers, control: ArmAnswers) -> bool:
    """Tell whether the treated arm is the one to trim: compared as fractions, exactly.

    Example:
        >>> answers_more(ArmAnswers(units=10, answers=5, mean=0.0), ArmAnswers(units=10, answers=4, mean=0.0))
        True
    """
    return treated.answers * control.units > control.answers * treated.units


def kept_rank(trimmed: ArmAnswers, other: ArmAnswers) -> int:
    """Return the rank of the last answer of which any part is kept, counted from the side that is kept.

    As many answers are kept as the arm would have at the other arm's share, a fraction of the last among them.

    Example:
        >>> kept_rank(ArmAnswers(units=10, answers=8, mean=0.0), ArmAnswers(units=20, answers=9, mean=0.0))  # 4.5 kept
        5
    """
    return -(-trimmed.units * other.answers // other.units)


def trimmed_forms(trimmed: ArmAnswers, other: ArmAnswers, tail: Tail) -> tuple[Form, Form]:
    """Return the forms of the trimmed and of the other arm, for one end of Lee's set.

    The kept answers have the mean θ = cut + share · mean(beyond) / q, where q is the other arm's share of answers:
    ties at the cut are kept in part, so that discrete answers are exact. It is a minimum (maximum) over the cut, which
    therefore adds nothing to first order; q adds (cut − θ)/q for each unit of the other arm. For continuous answers
    that is the variance of Lee (2009, https://doi.org/10.1111/j.1467-937X.2009.00536.x, proposition 3).

    Example:
        >>> both, half = (ArmAnswers(units=4, answers=n, mean=2.5) for n in (4, 2))
        >>> lowest = Tail(kept="low", cut=2.0, mean=-0.25)  # of the answers 1, 2, 3, 4
        >>> [round(form.base + share * (form.each + form.slope * 2.5 + form.bend * beyond), 9)
        ...  for form, share, beyond in zip(trimmed_forms(both, half, lowest), (1.0, 0.5), (-0.25, 0.0))]
        [1.5, 2.5]
    """
    q = other.share
    lost = -trimmed.share * tail.mean / q  # cut − θ
    mine = Form(base=tail.cut, bend=1 / q, kept=tail.kept, cut=tail.cut)
    return mine, Form(base=other.mean + lost, each=-(other.mean + lost) / q, slope=1 / q)


def filled_form(fill: float) -> Form:
    """Return the form of an arm in which everybody who did not answer has the value `fill`.

    Example:
        >>> form = filled_form(100.0)
        >>> form.base, form.base + form.each + form.slope * 7.0  # without an answer, and with the answer 7
        (100.0, 7.0)
    """
    return Form(base=fill, each=-fill, slope=1.0)
