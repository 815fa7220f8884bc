"""Predictions in a few readable lines: a shallow tree that says almost what they say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats

DEPTH = 3
LEAST_SHARE, LEAST_UNITS = 0.05, 20
"""Of a line: fewer customers are no group, and a cut between few would tell their values."""
LEAST_GAIN = 0.01
CUTS = tuple(step / 16 for step in range(1, 16))


@dataclass(frozen=True, kw_only=True)
class Split:
    """A question about one modifier: at most a number, or one text."""

    modifier: str
    most: float | None = None
    text: str | None = None

    def of(self, values: npt.NDArray[Any]) -> Flags:
        """Return for which values the answer is yes, shape (n,); a missing number is no."""
        if self.most is not None:
            return np.asarray(values.astype(np.float64) <= self.most)
        return np.asarray(values == self.text)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """Customers with like predictions: what was asked of them and answered, their share, and their mean predictions."""

    answers: tuple[tuple[Split, bool], ...]
    share: float
    gains: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Grown:
    columns: Mapping[str, npt.NDArray[Any]]
    gains: Floats
    total: float
    leaves: list[Leaf] = field(default_factory=list)


def leaves_of(columns: Mapping[str, npt.NDArray[Any]], gains: Floats) -> tuple[tuple[Leaf, ...], float]:
    """Return groups that tell predictions apart, the most promising first, and which share of their variance they tell.

    A greedy regression tree of three questions at most (CART; Breiman et al. 1984) on what a model predicts of all
    arms. It explains the model, not the customers: its lines are no estimates.

    Args:
        columns: name → raw values of modifiers, numbers with NaN where missing or texts, shape (n,).
        gains: predicted gain of every arm but the control, shape (n, arms − 1).

    Example:
        >>> tenure = np.repeat([3.0, 30.0], 50)
        >>> leaves, told = leaves_of({"tenure": tenure}, np.where(tenure < 12, 0.2, 0.0)[:, None])
        >>> [(leaf.share, round(leaf.gains[0], 6)) for leaf in leaves], told
        ([(0.5, 0.2), (0.5, 0.0)], 1.0)
    """
    total = _square(gains)
    tree = _Grown(columns=columns, gains=gains, total=total)
    if total <= len(gains) * 1e-24 * max(1.0, float(np.max(np.abs(gains), initial=0.0))) ** 2:
        return (), 0.0
    left = _grow(tree, np.arange(len(gains)), ())
    return tuple(sorted(tree.leaves, key=lambda leaf: -max(leaf.gains))), round(1 - left / total, 12)


def lines_of(leaves: tuple[Leaf, ...], arms: tuple[str, ...], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return one sentence per group in the plan's labels.

    Args:
        leaves: of the tree.
        arms: labels of the arms, without the control.
        labels: modifier → its label; a modifier without one keeps its name.

    Example:
        >>> asked = (Split(modifier="tenure", most=12.0), True)
        >>> lines_of((Leaf(answers=(asked,), share=0.5, gains=(0.2,)),), ("call",), {"tenure": "Months with us"})
        ('Months with us at most 12: call +0.2 (50 % of customers)',)
    """
    return tuple(_line(leaf, arms, labels) for leaf in leaves)


def _grow(tree: _Grown, units: npt.NDArray[np.intp], answers: tuple[tuple[Split, bool], ...]) -> float:
    """Grow the tree below some units and return the variance that it leaves."""
    split = _best(tree, units) if len(answers) < DEPTH else None
    if split is None:
        own = tree.gains[units]
        gains = tuple(float(mean) for mean in own.mean(axis=0))
        tree.leaves.append(Leaf(answers=answers, share=len(units) / len(tree.gains), gains=gains))
        return _square(own)
    yes = split.of(tree.columns[split.modifier][units])
    parts = ((units[yes], True), (units[~yes], False))
    return sum(_grow(tree, part, (*answers, (split, answer))) for part, answer in parts)


def _best(tree: _Grown, units: npt.NDArray[np.intp]) -> Split | None:
    """Return the question that tells predictions apart best; None where none tells a hundredth of all there is."""
    least = max(LEAST_UNITS, LEAST_SHARE * len(tree.gains))
    own, best, found = tree.gains[units], LEAST_GAIN * tree.total, None
    for split in _questions(tree, units):
        yes = split.of(tree.columns[split.modifier][units])
        if least <= yes.sum() <= len(units) - least:
            saved = _square(own) - _square(own[yes]) - _square(own[~yes])
            if saved > best:
                best, found = saved, split
    return found


def _questions(tree: _Grown, units: npt.NDArray[np.intp]) -> Iterator[Split]:
    for name in sorted(tree.columns):
        values = tree.columns[name][units]
        if values.dtype.kind in "fiub":
            known = values[np.isfinite(values)].astype(np.float64)
            cuts = np.quantile(known, CUTS, method="lower") if len(known) else ()
            yield from (Split(modifier=name, most=cut) for cut in sorted({_short(float(cut)) for cut in cuts}))
        else:
            texts = {text for text in values.tolist() if isinstance(text, str)}
            yield from (Split(modifier=name, text=text) for text in sorted(texts))


def _short(number: float) -> float:
    """Return a number of three digits, so that a cut is nobody's value."""
    return float(f"{number:.3g}")


def _square(gains: Floats) -> float:
    return float(np.sum((gains - gains.mean(axis=0)) ** 2)) if len(gains) else 0.0


def _line(leaf: Leaf, arms: tuple[str, ...], labels: Mapping[str, str]) -> str:
    told = ", ".join(f"{arm} {gain:+.3g}" for arm, gain in zip(arms, leaf.gains, strict=True))
    return f"{_condition(leaf, labels)}: {told} ({100 * leaf.share:.0f} % of customers)"


def _condition(leaf: Leaf, labels: Mapping[str, str]) -> str:
    """Return what was answered; of two bounds on one number, or a text and what it isn't, the tighter."""
    kept: dict[tuple[str, bool, str | None], str] = {}
    named = {split.modifier for split, answer in leaf.answers if answer and split.text is not None}
    for split, answer in leaf.answers:
        if split.text is not None and not answer and split.modifier in named:
            continue
        kept[split.modifier, answer, split.text] = _words(
            split, labels.get(split.modifier, split.modifier), answer=answer
        )
    return " and ".join(kept.values()) or "Everybody"


def _words(split: Split, label: str, *, answer: bool) -> str:
    if split.most is not None:
        return f"{label} at most {split.most:g}" if answer else f"{label} above {split.most:g} or unknown"
    text = split.text or "unknown"
    return f"{label} is {text}" if answer else f"{label} is not {text}"
