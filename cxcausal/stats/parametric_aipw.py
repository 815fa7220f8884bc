"""Doubly robust means with parametric nuisances on the same units: the textbook's AIPW, its variance stacked."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_ndtr, ndtr

Array = npt.NDArray[np.float64]
Link = Literal["logit", "probit"]
_STEPS, _CLOSE = 100, 1e-12


@dataclass(frozen=True, kw_only=True)
class ParametricAipw:
    """Both arms' means over everybody, with influence functions that carry the estimation of every parameter.

    Attributes:
        mean: control and treated, shape (2,). phi: shape (n, 2), each column of mean zero.
    """

    mean: Array
    phi: Array

    @property
    def effect(self) -> float:
        """Treated minus control."""
        return float(self.mean[1] - self.mean[0])

    @property
    def se(self) -> float:
        """The robust standard error of the effect, of independent units."""
        difference = self.phi[:, 1] - self.phi[:, 0]
        return float(np.sqrt(np.sum(difference**2)) / len(difference))


def parametric_aipw(
    y: Array, treated: npt.NDArray[np.bool_], outcome: Array, treatment: Array, link: Link = "logit"
) -> ParametricAipw:
    """Return AIPW with linear outcome models per arm and a binary regression of the treatment, nothing cross-fitted.

    The variance is that of the stacked estimating equations, as in Stata's `teffects aipw`
    (https://www.stata.com/manuals/causalteffectsaipw.pdf).

    Args:
        y: outcomes, shape (n,).
        treated: shape (n,).
        outcome: columns of the outcome models, the constant among them, shape (n, p).
        treatment: columns of the treatment model, the constant among them, shape (n, q).
        link: of the treatment model.

    Raises:
        numpy.linalg.LinAlgError: columns are collinear.
    """
    share, slope, about_share = _treatment(treated, treatment, link)
    means, phis = [], []
    for own, chance, turn in ((~treated, 1 - share, -slope), (treated, share, slope)):
        bread = np.linalg.inv(outcome[own].T @ outcome[own] / len(y))
        beta = bread @ (outcome[own].T @ y[own]) / len(y)
        residual = np.where(own, y - outcome @ beta, 0.0)
        told = outcome @ beta + residual / chance
        by_beta = ((1 - own / chance)[:, None] * outcome).mean(axis=0)
        by_gamma = (-(residual / chance**2 * turn)[:, None] * treatment).mean(axis=0)
        mean = float(told.mean())
        means.append(mean)
        phis.append(told - mean + (outcome * residual[:, None]) @ bread @ by_beta + about_share @ by_gamma)
    return ParametricAipw(mean=np.array(means), phi=np.column_stack(phis))


def _treatment(treated: npt.NDArray[np.bool_], columns: Array, link: Link) -> tuple[Array, Array, Array]:
    """Return the chance of treatment, its slope in the linear predictor, and the parameters' influence functions.

    They are of shapes (n,), (n,) and (n, q), at the maximum of the likelihood by Newton's method.
    """
    sign = np.where(treated, 1.0, -1.0)
    gamma = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        score, curvature, *_ = _parts(sign, columns @ gamma, link)
        bread = np.linalg.inv((columns * curvature[:, None]).T @ columns)
        step = bread @ (columns.T @ score)
        gamma = gamma + step
        if float(np.max(np.abs(step))) < _CLOSE:
            break
    score, curvature, share, slope = _parts(sign, columns @ gamma, link)
    bread = np.linalg.inv((columns * curvature[:, None]).T @ columns)
    return share, slope, (columns * score[:, None]) @ bread * len(sign)


def _parts(sign: Array, linear: Array, link: Link) -> tuple[Array, Array, Array, Array]:
    """Return the likelihood's score and minus its curvature in the linear predictor, the chance, and its slope."""
    if link == "logit":
        share = np.asarray(expit(linear))
        slope = share * (1 - share)
        return (sign > 0) - share, slope, share, slope
    density = np.exp(-(linear**2) / 2) / np.sqrt(2 * np.pi)
    score = sign * np.exp(-(linear**2) / 2 - np.asarray(log_ndtr(sign * linear))) / np.sqrt(2 * np.pi)
    return score, score * (score + linear), np.asarray(ndtr(linear)), density
