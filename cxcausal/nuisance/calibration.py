"""Calibration: probabilities out of fold, shifted and stretched on the logit scale until they agree with the shares."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats

_SMALLEST = 1e-9


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """Calibrated probabilities of every class, shape (n, classes), and how they were made.

    Attributes:
        slope: 1 where they were calibrated before; below 1 they had been too extreme.
        intercepts: of every class, the first at 0.
    """

    shares: Floats
    slope: float
    intercepts: tuple[float, ...]


def calibrated(shares: Floats, codes: npt.NDArray[np.int8], weight: Floats | None = None) -> Calibrated:
    """Return probabilities ∝ exp(intercept + slope · log p), at the maximum of the likelihood.

    With two classes this is Platt's scaling of the logit (1999); with more the slope is shared (Guo et al. 2017,
    https://proceedings.mlr.press/v70/guo17a.html, with a bias per class).
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - heavy

    logs = np.log(np.clip(shares, _SMALLEST, None))
    n, classes = logs.shape
    own = np.zeros_like(logs)
    own[np.arange(n), codes] = 1.0
    mass = np.ones(n) if weight is None else weight / weight.mean()

    def loss(at: Floats) -> tuple[float, Floats]:
        scores = at[0] * logs + np.concatenate([[0.0], at[1:]])
        top = scores.max(axis=1, keepdims=True)
        norm = top[:, 0] + np.log(np.exp(scores - top).sum(axis=1))
        value = float((mass * (norm - (own * scores).sum(axis=1))).mean())
        gap = (np.exp(scores - norm[:, None]) - own) * mass[:, None]
        return value, np.concatenate([[(gap * logs).sum() / n], gap[:, 1:].sum(axis=0) / n])

    start = np.concatenate([[1.0], np.zeros(classes - 1)])
    bounds = [(0.0, None), *[(None, None)] * (classes - 1)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12, "gtol": 1e-9}).x
    scores = found[0] * logs + np.concatenate([[0.0], found[1:]])
    scores -= scores.max(axis=1, keepdims=True)
    made = np.exp(scores)
    made /= made.sum(axis=1, keepdims=True)
    return Calibrated(shares=made, slope=float(found[0]), intercepts=(0.0, *map(float, found[1:])))
