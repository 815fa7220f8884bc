"""Whether fresh customers are like those that a model was learned of: the population stability index per modifier."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cxcausal.core.model_facts import Baseline
from cxcausal.core.rows import Floats, Text

Counts = npt.NDArray[np.int64]
Moved = Literal["no", "somewhat", "much"]
SOMEWHAT, MUCH = 0.1, 0.25
"""The usual thresholds of the index (Siddiqi 2006, Credit Risk Scorecards)."""
FEWEST = 10
"""A level of fewer customers is told of nobody; it counts among all others."""
_BINS = 10
_DIGITS = 4
_HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far a modifier's values have moved.

    Attributes:
        index: Σ (q − p) ln(q / p) over the bins or levels, and the customers without a value.
        chance: what the index is on average where nothing moved, from the numbers of customers alone.
        moved: by `index` less `chance`.
        missing_before, missing: shares of customers without a value.
        unknown: customers with a text that the model has no level for, or had too few customers of.
    """

    modifier: str
    index: float
    chance: float
    moved: Moved
    missing_before: float
    missing: float
    unknown: int = 0


def baseline_of_number(name: str, values: Floats) -> Baseline:
    """Return how numbers are spread, by their deciles; edges are rounded to four digits, so that none is anybody's.

    Args:
        name: of the modifier.
        values: shape (n,), NaN where missing.

    Example:
        >>> baseline_of_number("age", np.array([1.0, 1.0, 2.0, np.nan])).shares
        (0.6666666666666666, 0.3333333333333333, 0.0)
    """
    known = values[~np.isnan(values)]
    edges: tuple[float, ...] = ()
    if len(known):
        tenths = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1], method="inverted_cdf")
        edges = tuple(sorted({float(f"{edge:.{_DIGITS}g}") for edge in tenths}))
        edges = edges if len(edges) > 1 else (*(float(np.nextafter(edge, -np.inf)) for edge in edges), *edges)
    baseline = Baseline(modifier=name, kind="number", edges=edges, shares=(0.0,) * (len(edges) + 1))
    return _shared(baseline, counts_of_number(baseline, values))


def baseline_of_text(name: str, text: Text) -> Baseline:
    """Return how texts are spread; levels of fewer than ten customers are not named.

    Args:
        name: of the modifier.
        text: a value of each of n customers; the empty text where it is missing.
    """
    counts = np.bincount(text.codes, minlength=len(text.levels))
    levels = tuple(level for level, n in zip(text.levels, counts, strict=True) if n >= FEWEST and level)
    baseline = Baseline(modifier=name, kind="text", levels=levels, shares=(0.0,) * (len(levels) + 1))
    return _shared(baseline, counts_of_text(baseline, text.codes, text.levels))


def counts_of_number(baseline: Baseline, values: Floats) -> Counts:
    """Return how many values fall into each bin, and last how many are missing, shape (bins + 1,)."""
    missing = int(np.count_nonzero(np.isnan(values)))
    # Values above each edge, counted edge by edge: twenty times as fast as a search per value.
    above = [int(np.count_nonzero(values > edge)) for edge in baseline.edges]
    steps = np.array([len(values) - missing, *above, 0], dtype=np.int64)
    return np.append(steps[:-1] - steps[1:], missing)


def counts_of_text(baseline: Baseline, codes: npt.NDArray[np.integer], levels: tuple[str, ...]) -> Counts:
    """Return how many values are of each level, then of all others, and last how many are missing.

    Args:
        baseline: names the levels.
        codes: place of each customer's value among `levels`, shape (n,).
        levels: whatever these customers have; the empty text where a value is missing.
    """
    known = {level: place for place, level in enumerate(baseline.levels)}
    others = len(baseline.levels)
    places = np.array([known.get(level, others) if level else others + 1 for level in levels], dtype=np.intp)
    if not len(codes):
        return np.zeros(others + 2, dtype=np.int64)
    return np.bincount(places[codes], minlength=others + 2).astype(np.int64)


def drift_of(baseline: Baseline, counts: Counts) -> Drift:
    """Return how far the values have moved, from the counts of fresh customers.

    Half a customer is added to every bin on either side, so that an empty one is no infinity.

    Args:
        baseline: of those that the model was learned of.
        counts: as `counts_of_number` or `counts_of_text`, added up over all fresh customers.

    Example:
        >>> before = baseline_of_number("age", np.arange(1000.0))
        >>> drift_of(before, counts_of_number(before, np.arange(1000.0))).moved
        'no'
        >>> drift_of(before, counts_of_number(before, np.arange(1000.0) + 400)).moved
        'much'
    """
    before = np.append(np.array(baseline.shares) * (1 - baseline.missing), baseline.missing) * baseline.n
    n, fresh = baseline.n, int(counts.sum())
    if n == 0 or fresh == 0:
        return Drift(
            modifier=baseline.modifier, index=0.0, chance=0.0, moved="no", missing_before=baseline.missing, missing=0.0
        )
    present = (before > 0) | (counts > 0)
    p, q = _smooth(before[present]), _smooth(counts[present].astype(np.float64))
    index = float(np.sum((q - p) * np.log(q / p)))
    chance = float((present.sum() - 1) * (1 / n + 1 / fresh))
    beyond = index - chance
    return Drift(
        modifier=baseline.modifier,
        index=index,
        chance=chance,
        moved="much" if beyond > MUCH else "somewhat" if beyond > SOMEWHAT else "no",
        missing_before=baseline.missing,
        missing=float(counts[-1] / fresh),
        unknown=int(counts[-2]) if baseline.kind == "text" else 0,
    )


def _smooth(counts: Floats) -> Floats:
    padded = counts + _HALF
    return np.asarray(padded / padded.sum())


def _shared(baseline: Baseline, counts: Counts) -> Baseline:
    """Return the baseline with the shares that were counted."""
    n, missing = int(counts.sum()), int(counts[-1])
    present = max(n - missing, 1)
    return Baseline(
        modifier=baseline.modifier,
        kind=baseline.kind,
        edges=baseline.edges,
        levels=baseline.levels,
        shares=tuple(float(count) / present for count in counts[:-1]),
        missing=missing / max(n, 1),
        n=n,
    )
