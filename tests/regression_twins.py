"""Twins of the regressions: whole design matrices, n × n hat matrices, and no shortcut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.answers import UNITS_PER_COLUMN, ArmFit, Regression

Values = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Least squares with HC2."""

    beta: Values
    covariance: Values
    leverage: Values


def least_squares(design: Values, outcome: Values) -> Fit:
    """Return coefficients, their HC2 covariance matrix, and the diagonal of the hat matrix."""
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ outcome
    leverage = np.diag(design @ bread @ design.T)
    weights = (outcome - design @ beta) ** 2 / (1 - leverage)
    return Fit(beta=beta, covariance=bread @ (design.T * weights) @ design @ bread, leverage=leverage)


def interacted(outcome: Values, arm: Values, covariates: Values, arms: list[str]) -> Fit:
    """Return one regression on every arm's indicator and its products with the centred covariates.

    The first coefficients are the arms' adjusted means, then come each arm's slopes.
    """
    centred = covariates - covariates.mean(axis=0)
    own = [(arm == name).astype(float) for name in arms]
    return least_squares(np.column_stack([*own, *(one[:, None] * centred for one in own)]), outcome)


def same_slopes(outcome: Values, treated: Values, covariates: Values) -> Fit:
    """Return the regression on an intercept, treatment and covariates; treatment is the second coefficient."""
    return least_squares(np.column_stack([np.ones(len(outcome)), treated, covariates]), outcome)


def crossed(design: Values, outcomes: Values, at: int = 0) -> Values:
    """Return the HC2 covariance matrix of one coefficient of several outcomes, (n, m), on the same design."""
    bread = np.linalg.inv(design.T @ design)
    maker = np.eye(len(design)) - design @ bread @ design.T
    residuals, weights = maker @ outcomes, design @ bread[:, at]
    found: Values = (residuals.T * (weights**2 / np.diag(maker))) @ residuals
    return found


def fits_of(
    outcome: Values, arm: Values, covariates: Values, names: tuple[str, ...], *, contrast: tuple[str, str] | None = None
) -> Regression:
    """Return what the engine would answer, for covariates of which none has to be dropped; one outcome or several."""
    outcome = outcome[:, None] if outcome.ndim == 1 else outcome
    k, arms = covariates.shape[1], sorted(set(arm.tolist()))
    large = [name for name in arms if np.sum(arm == name) >= UNITS_PER_COLUMN * k]
    fits = (_by_arm if contrast is None else _common)(outcome, arm, covariates, large) if len(large) > 1 else {}
    spread = np.atleast_2d(np.cov(covariates, rowvar=False))
    return Regression(n=len(outcome), columns=names, dropped=(), spread=spread, arms=fits)


def _by_arm(outcome: Values, arm: Values, covariates: Values, large: list[str]) -> dict[str, ArmFit]:
    centred = covariates - covariates.mean(axis=0)
    found = {}
    for name in large:
        own = arm == name
        design = np.column_stack([np.ones(own.sum()), centred[own]])
        beta = np.linalg.lstsq(design, outcome[own], rcond=None)[0]
        found[name] = ArmFit(
            n=int(own.sum()),
            mean=outcome[own].mean(axis=0),
            adjusted=beta[0],
            covariance=crossed(design, outcome[own]),
            slopes=beta[1:],
            leverage=float(least_squares(design, outcome[own][:, 0]).leverage.max()),
        )
    return found


def _common(outcome: Values, arm: Values, covariates: Values, large: list[str]) -> dict[str, ArmFit]:
    centred = covariates - covariates.mean(axis=0)
    one = (arm == large[0]).astype(float)
    design = np.column_stack([one, 1 - one, centred])
    fit = least_squares(design, outcome[:, 0])
    contrast = np.zeros(design.shape[1])
    contrast[:2] = 1, -1
    weights = design @ np.linalg.inv(design.T @ design) @ contrast
    parts = weights**2 * (outcome[:, 0] - design @ fit.beta) ** 2 / (1 - fit.leverage)
    return {
        name: ArmFit(
            n=int(np.sum(arm == name)),
            mean=outcome[arm == name].mean(axis=0),
            adjusted=fit.beta[place : place + 1],
            covariance=parts[arm == name].sum().reshape(1, 1),
            slopes=fit.beta[2:, None],
            leverage=float(fit.leverage[arm == name].max()),
        )
        for place, name in enumerate(large)
    }
