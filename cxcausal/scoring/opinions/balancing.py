"""Propensities refined on all units, so that weights balance covariates, and what that step adds to influence."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats

UNITS_PER_PARAMETER = 10
"""Units below which a parameter is not estimated: covariates are then left as the learned propensities have them."""
_PENALTY, _STEPS, _DONE, _SMALLEST = 1.0, 50, 1e-10, 1e-9


@dataclass(frozen=True, kw_only=True)
class Refined:
    """Propensities e ∝ learned · exp(β_c′x̃) with the maximum-likelihood β, x̃ being 1 and the covariates.

    Attributes:
        shares: of n units, shape (n, arms).
        x: the x̃ that β multiplies, shape (n, k).
        rest: what is left of the arms, 1{A = c} − e_c, weighted, shape (n, arms − 1).
        information: of β, shape ((arms − 1)·k, (arms − 1)·k).
    """

    shares: Floats
    x: Floats
    rest: Floats
    information: Floats

    def moved(self, slopes: Floats) -> Floats:
        """Return how every unit moves, through β, what has these slopes in β, times n, shape (n,).

        Args:
            slopes: shape ((arms − 1)·k,).
        """
        by = np.linalg.solve(self.information, slopes).reshape(self.rest.shape[1], -1)
        return np.asarray(len(self.x) * np.sum(self.rest * (self.x @ by.T), axis=1))


def refined(shares: Floats, filled: Floats, arm: npt.NDArray[np.int8], weight: Floats) -> Refined:
    """Return the learned propensities with what covariates still tell about the arm.

    Learned propensities are shrunk and out of fold, so that weights from them leave covariates a little apart. A
    logistic regression with the learned log odds as offset mends that: with two arms, overlap weights from it balance
    every covariate's mean exactly (Li, Morgan & Zaslavsky 2018, theorem 3), but for a penalty of one unit's weight.

    Args:
        shares: out of fold, shape (n, arms).
        filled: standardised covariates, shape (n, p).
        arm: place of each unit's arm, shape (n,).
        weight: of each unit, mean 1, shape (n,).
    """
    n, arms = shares.shape
    kept = filled if n >= UNITS_PER_PARAMETER * (filled.shape[1] + 1) * (arms - 1) else filled[:, :0]
    x = np.column_stack([np.ones(n), kept])
    offset = np.log(np.clip(shares, _SMALLEST, None))
    own = (arm[:, None] == np.arange(1, arms)).astype(np.float64)
    beta = np.zeros((arms - 1, x.shape[1]))
    for _ in range(_STEPS):
        found = _softmax(offset, x, beta)
        information = _information(found, x, weight)
        slope = ((own - found[:, 1:]) * weight[:, None]).T @ x - _PENALTY * beta
        step = np.linalg.solve(information, slope.ravel()).reshape(beta.shape)
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _DONE:
            break
    found = _softmax(offset, x, beta)
    rest = (own - found[:, 1:]) * weight[:, None]
    return Refined(shares=found, x=x, rest=rest, information=_information(found, x, weight))


def _softmax(offset: Floats, x: Floats, beta: Floats) -> Floats:
    logits = offset.copy()
    logits[:, 1:] += x @ beta.T
    logits -= logits.max(axis=1, keepdims=True)
    made = np.exp(logits)
    return np.asarray(made / made.sum(axis=1, keepdims=True))


def _information(shares: Floats, x: Floats, weight: Floats) -> Floats:
    """Return the penalised information of β, shape ((arms − 1)·k, (arms − 1)·k)."""
    told, k = shares[:, 1:], x.shape[1]
    blocks = [
        [x.T @ (x * (weight * told[:, one] * ((one == two) - told[:, two]))[:, None]) for two in range(told.shape[1])]
        for one in range(told.shape[1])
    ]
    return np.asarray(np.block(blocks) + _PENALTY * np.eye(k * told.shape[1]))
