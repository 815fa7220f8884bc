"""Qini and uplift curves of observed outcomes, as practice draws them, with the influence of every unit on their areas.

Two arms; with randomisation at one share for all. Where shares differ, or for adjusted effects, use scores
(`cxcausal.stats.targeting`). Everything is per customer: shares of all n on the first axis and means over all n on the
second; times n, or for an area times n², it is what scikit-uplift prints.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cxcausal.core.whom import Told
from cxcausal.stats.ranks import Array, Ranked, ranked
from cxcausal.stats.targeting import rate_of_scores
from cxcausal.stats.told import Sample, told

Numbers = npt.ArrayLike
Scale = Literal["customer", "total", "perfect"]


@dataclass(frozen=True, kw_only=True, eq=False)
class UpliftCurve:
    """A curve: `value` after contacting the most promising `share`, from (0, 0) on, shape (K + 1,) each."""

    share: Array
    value: Array

    def area(self) -> float:
        """Return the area under it, by trapezoids."""
        return float(np.sum(np.diff(self.share) * (self.value[1:] + self.value[:-1]) / 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """A curve over K blocks and its derivative by a unit's weight.

    A unit of block l adds at[k] · outcome + plus[k] to every value[k] with k ≥ l; treated units by their own
    coefficients.

    Attributes:
        outcome, treated: of the n units. ranks: theirs.
        value: of the curve, shape (K,). at, plus: controls' and treated units' coefficients, shape (2, K).
    """

    outcome: Array
    treated: npt.NDArray[np.intp]
    ranks: Ranked
    value: Array
    at: Array
    plus: Array

    def curve(self) -> UpliftCurve:
        return UpliftCurve(share=self.ranks.edges, value=np.concatenate([[0.0], self.value]))

    def last(self) -> tuple[float, Array]:
        """Return the curve's end and its influence function."""
        end = float(self.value[-1])
        return end, self.at[self.treated, -1] * self.outcome + self.plus[self.treated, -1] - end

    def area(self) -> tuple[float, Array]:
        """Return the area under the curve and its influence function, by the infinitesimal jackknife."""
        curve, block = self.curve(), self.ranks.block
        widths, heights = np.diff(curve.share), (curve.value[1:] + curve.value[:-1]) / 2
        step = (widths + np.append(widths[1:], 0.0)) / 2
        at, plus = (np.cumsum((own * step)[:, ::-1], axis=1)[:, ::-1] for own in (self.at, self.plus))
        phi = at[self.treated, block] * self.outcome + plus[self.treated, block] + heights[block]
        return curve.area(), phi - 2 * curve.area()


def qini_curve(outcome: Numbers, treated: Numbers, predicted: Numbers) -> UpliftCurve:
    """Return the Qini curve: treated customers' outcomes so far, less the controls' scaled to as many treated.

    Q = Y_t − Y_c · N_t / N_c over the most promising share (Radcliffe 2007; Radcliffe & Surry 2011,
    https://stochasticsolutions.com/pdf/sig-based-up-trees.pdf; `qini_curve` of scikit-uplift,
    https://www.uplift-modeling.com/en/latest/api/metrics/qini_curve.html, whose counts these are, by n). Before the
    first control, the controls' part is 0. A tie is one step, so that no order of rows counts.

    Args:
        outcome: of each unit, shape (n,).
        treated: 1 for the treated, 0 for controls, shape (n,).
        predicted: gain, the larger the earlier, shape (n,).

    Raises:
        ValueError: where shapes differ, an arm is empty, or a value is missing.

    Example:
        >>> curve = qini_curve([1, 0, 0, 1], [1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1])
        >>> curve.share.tolist(), curve.value.tolist()
        ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.25, 0.25, 0.25, 0.0])
    """
    return _qini(*_checked(outcome, treated, predicted)).curve()


def uplift_curve(outcome: Numbers, treated: Numbers, predicted: Numbers) -> UpliftCurve:
    """Return the uplift curve: the difference of arms' means in the most promising share, times that share.

    (Y_t / N_t − Y_c / N_c) · (N_t + N_c) (`uplift_curve` of scikit-uplift; the cumulative gain of causalml,
    https://causalml.readthedocs.io/en/latest/validation.html; Gutierrez & Gérardy 2017,
    https://proceedings.mlr.press/v67/gutierrez17a.html), by n.

    Args:
        outcome: of each unit, shape (n,).
        treated: 1 for the treated, 0 for controls, shape (n,).
        predicted: gain, the larger the earlier, shape (n,).

    Raises:
        ValueError: where shapes differ, an arm is empty, or a value is missing.

    Example:
        >>> uplift_curve([1, 0, 0, 1], [1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]).value.tolist()
        [0.0, 0.25, 0.5, 0.375, 0.0]
    """
    return _uplift(*_checked(outcome, treated, predicted)).curve()


def qini_coefficient(
    outcome: Numbers,
    treated: Numbers,
    predicted: Numbers,
    *,
    scale: Scale = "customer",
    clusters: Numbers | None = None,
    alpha: float = 0.05,
) -> Told:
    """Return the area between the Qini curve and its diagonal, with interval and p-value.

    The diagonal is what contacting as many by lot gains on average. On the scale `total` it is divided by the curve's
    end (causalml's `qini_score`, but for its rule of summation, with ties shared alike); on the scale `perfect` by the
    same area of an ordering that knows all outcomes (`qini_auc_score` of scikit-uplift with negative effects,
    https://www.uplift-modeling.com/en/latest/api/metrics/qini_auc_score.html).

    Predictions must come from a model that did not see these units.

    Args:
        outcome: of each unit, shape (n,); 0 or 1 for the scale `perfect`.
        treated: 1 for the treated, 0 for controls, shape (n,).
        predicted: gain, the larger the earlier, shape (n,).
        scale: per customer, or a share of the curve's end or of what is attainable.
        clusters: a key per unit, equal where units depend on one another, shape (n,).
        alpha: 1 less the level of the interval.

    Raises:
        ValueError: where shapes differ, an arm is empty, a value is missing, or `perfect` is asked of other outcomes.

    Example:
        >>> found = qini_coefficient([1, 0, 0, 1], [1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1])
        >>> found.point
        0.1875
    """
    y, t, ranks = _checked(outcome, treated, predicted)
    above = _above(_qini(y, t, ranks))
    by = {"perfect": lambda: _above(_qini(y, t, _perfect_qini(y, t))), "total": lambda: _qini(y, t, ranks).last()}
    return _told(above if scale == "customer" else _quotient(above, by[scale]()), t, clusters, alpha)


def auuc(
    outcome: Numbers,
    treated: Numbers,
    predicted: Numbers,
    *,
    scale: Scale = "customer",
    clusters: Numbers | None = None,
    alpha: float = 0.05,
) -> Told:
    """Return the area under the uplift curve, with interval and p-value.

    On the scale `customer` it is what contacting the most promising share gains per customer, on average over all
    shares; on the scale `total` divided by what contacting everybody gains (causalml's `auuc_score`, normalised, but
    for its rule of summation: ½ tells nothing). On the scale `perfect` the diagonal is taken off, and it is divided by
    the same of an ordering that knows all outcomes (`uplift_auc_score` of scikit-uplift,
    https://www.uplift-modeling.com/en/latest/api/metrics/uplift_auc_score.html).

    Args:
        outcome: of each unit, shape (n,); 0 or 1 for the scale `perfect`.
        treated: 1 for the treated, 0 for controls, shape (n,).
        predicted: gain, the larger the earlier, shape (n,).
        scale: per customer, or a share of everybody's gain or of what is attainable.
        clusters: a key per unit, equal where units depend on one another, shape (n,).
        alpha: 1 less the level of the interval.

    Raises:
        ValueError: where shapes differ, an arm is empty, a value is missing, or `perfect` is asked of other outcomes.

    Example:
        >>> auuc([1, 0, 0, 1], [1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]).point
        0.28125
    """
    y, t, ranks = _checked(outcome, treated, predicted)
    drawn = _uplift(y, t, ranks)
    if scale == "perfect":
        found = _quotient(_above(drawn), _above(_uplift(y, t, _perfect_uplift(y, t))))
    else:
        found = drawn.area() if scale == "customer" else _quotient(drawn.area(), drawn.last())
    return _told(found, t, clusters, alpha)


def rate(
    gain: Numbers,
    predicted: Numbers,
    *,
    kind: Literal["autoc", "qini"] = "autoc",
    weight: Numbers | None = None,
    clusters: Numbers | None = None,
    alpha: float = 0.05,
) -> Told:
    """Return a rank-weighted average treatment effect of scores, with interval and p-value.

    Scores may come from any design (doubly robust, with unequal shares, weighted); predictions must come from a model
    that did not see these units. `autoc` finds few who gain much, `qini` many who gain a little more (Yadlowsky et al.
    2025, https://arxiv.org/abs/2111.07966).

    Args:
        gain: score of the effect on each unit, shape (n,).
        predicted: gain, the larger the earlier, shape (n,).
        kind: of weights.
        weight: of each unit in the population, shape (n,).
        clusters: a key per unit, equal where units depend on one another, shape (n,).
        alpha: 1 less the level of the interval.

    Raises:
        ValueError: where shapes differ or a value is missing.

    Example:
        >>> rate([4.0, 2.0, 1.0, 1.0], [0.9, 0.8, 0.2, 0.1], kind="qini").point
        0.3125
    """
    own = np.asarray(gain, dtype=np.float64)
    counts = np.ones(len(own)) if weight is None else np.asarray(weight, dtype=np.float64)
    score = np.asarray(predicted, dtype=np.float64)
    _whole(own, score, counts)
    found = rate_of_scores(ranked(score, counts), own, kind)
    return _told(found, np.zeros(len(own), dtype=np.intp), clusters, alpha)


def _qini(y: Array, t: npt.NDArray[np.intp], ranks: Ranked) -> _Drawn:
    outcome, units = _so_far(y, t, ranks)
    by, mean = _ratio(units[1], units[0]), _ratio(outcome[0], units[0])
    return _Drawn(
        outcome=y,
        treated=t,
        ranks=ranks,
        value=outcome[1] - mean * units[1],
        at=np.stack([-by, np.ones_like(by)]),
        plus=np.stack([by * mean, -mean]),
    )


def _uplift(y: Array, t: npt.NDArray[np.intp], ranks: Ranked) -> _Drawn:
    outcome, units = _so_far(y, t, ranks)
    share, means = ranks.edges[1:], _ratio(outcome, units)
    apart, by = means[1] - means[0], _ratio(np.stack([-share, share]), units)
    return _Drawn(outcome=y, treated=t, ranks=ranks, value=apart * share, at=by, plus=apart - by * means)


def _so_far(y: Array, t: npt.NDArray[np.intp], ranks: Ranked) -> tuple[Array, Array]:
    """Return sums of outcomes and of units after each block, by n: controls' and treated ones', shape (2, K) each."""
    size, n = 2 * (len(ranks.edges) - 1), len(y)
    cell = 2 * ranks.block + t
    outcome = np.bincount(cell, weights=y, minlength=size).reshape(-1, 2).T
    units = np.bincount(cell, minlength=size).reshape(-1, 2).T
    return np.cumsum(outcome, axis=1) / n, np.cumsum(units, axis=1) / n


def _above(drawn: _Drawn) -> tuple[float, Array]:
    """Return the area between a curve and its diagonal, and its influence function."""
    (area, of_area), (end, of_end) = drawn.area(), drawn.last()
    return area - end / 2, of_area - of_end / 2


def _perfect_qini(y: Array, t: npt.NDArray[np.intp]) -> Ranked:
    _binary(y)
    return ranked(y * t - y * (1 - t))


def _perfect_uplift(y: Array, t: npt.NDArray[np.intp]) -> Ranked:
    _binary(y)
    first = y if np.sum((y == 1) & (t == 0)) > np.sum((y == 0) & (t == 1)) else t
    return ranked(2.0 * (y == t) + first)


def _quotient(above: tuple[float, Array], below: tuple[float, Array]) -> tuple[float, Array]:
    """Return a ratio and its influence function by the delta method; 0 where there is nothing to divide by."""
    if below[0] == 0:
        return 0.0, np.zeros_like(above[1])
    point = above[0] / below[0]
    return point, (above[1] - point * below[1]) / below[0]


def _told(found: tuple[float, Array], arm: npt.NDArray[np.intp], clusters: Numbers | None, alpha: float) -> Told:
    point, phi = found
    keys = {} if clusters is None else {"clusters": _keys(clusters, len(phi))}
    sample = Sample(arm=arm.astype(np.int8), weight=np.ones(len(phi)), clusters=keys, alpha=alpha)
    return told(np.array([point]), phi[:, None], sample)[0]


def _keys(clusters: Numbers, n: int) -> npt.NDArray[np.uint64]:
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    if codes.shape != (n,):
        raise ValueError(f"clusters must hold one key for each of {n} units")
    return codes.astype(np.uint64)


def _checked(outcome: Numbers, treated: Numbers, predicted: Numbers) -> tuple[Array, npt.NDArray[np.intp], Ranked]:
    y, t, score = (np.asarray(values, dtype=np.float64) for values in (outcome, treated, predicted))
    _whole(y, t, score)
    if set(np.unique(t).tolist()) != {0.0, 1.0}:
        raise ValueError("treated must be 0 or 1, and some of each")
    return y, t.astype(np.intp), ranked(score)


def _whole(*columns: Array) -> None:
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1 or not len(columns[0]):
        raise ValueError("all columns must have one dimension and the same length")
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError("no value may be missing or infinite")


def _binary(y: Array) -> None:
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("scale='perfect' needs outcomes of 0 and 1: what is perfect is not defined otherwise")


def _ratio(above: Array, below: Array) -> Array:
    return np.asarray(np.divide(above, below, out=np.zeros(below.shape), where=below > 0))
