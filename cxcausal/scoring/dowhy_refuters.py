"""DoWhy's own refuters of a linear regression: a second opinion on request, guarded against what goes wrong in them."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from cxcausal.core.rows import Flags, Floats
from cxcausal.core.score_answers import Refuter
from cxcausal.stats.linear_refuters import (
    Partialled,
    common_cause_effects,
    partialled,
    placebo_effects,
    subset_effects,
)

SIMULATIONS = 100
"""Fewer make DoWhy's tests one-tailed."""
SUBSET = 0.8
MOST_UNITS = 20_000
"""Each simulation fits and copies everything again; units come in the order of a hash, so that the first are random."""
_ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "placebo_treatment": ("placebo_treatment_refuter", {"placebo_type": "permute"}),
    "random_common_cause": ("random_common_cause", {}),
    "subset": ("data_subset_refuter", {"subset_fraction": SUBSET}),
}


def dowhy_refuters(columns: Floats, treated: Flags, y: Floats, seed: int) -> tuple[Refuter, ...]:
    """Return what DoWhy's refuters make of a linear regression, beside its own effect.

    Its p-values are left out: they ask where zero lies among the draws, not whether the draws are as they should be.
    Distances are judged by the spread that the same draws have here, from shared cross-products.

    Args:
        columns: covariates, shape (n, p).
        treated: shape (n,).
        y: shape (n,).
        seed: of all draws.
    """
    first = slice(0, MOST_UNITS)
    found = partialled(y[first], treated[first].astype(np.float64), columns[first])
    rng = np.random.default_rng(seed)
    spreads = _spreads(found, rng)
    with _undisturbed():
        effects = _effects(columns[first], treated[first], y[first], seed)
    return tuple(
        Refuter(
            name=f"dowhy_{name}",
            expected=0.0 if name == "placebo_treatment" else found.effect,
            found=effect,
            se=spreads[name],
            draws=SIMULATIONS,
            refits=True,
        )
        for name, effect in effects.items()
    )


def _spreads(found: Partialled, rng: np.random.Generator) -> dict[str, float]:
    """Return the standard deviation of one draw's effect, by refuter."""
    return {
        "placebo_treatment": float(placebo_effects(found, SIMULATIONS, rng).std()),
        "random_common_cause": float(common_cause_effects(found, SIMULATIONS, rng).std()),
        "subset": float(subset_effects(found, SUBSET, SIMULATIONS, rng).std()),
    }


def _effects(columns: Floats, treated: Flags, y: Floats, seed: int) -> dict[str, float]:
    """Return the mean effect of every refuter's simulations.

    The frame is its own copy, with names of our own and the treatment as an integer, since refuters write to it and
    crash on flags; one job and `random_seed`, since `random_state` draws the same sample each time.
    """
    import pandas as pd  # noqa: PLC0415 - heavy
    from dowhy import CausalModel  # noqa: PLC0415 - seconds, and only where it is asked

    names = [f"x{place}" for place in range(columns.shape[1])]
    frame = pd.DataFrame(columns.copy(), columns=names).assign(treated=treated.astype(np.int64), outcome=y)
    model = CausalModel(data=frame, treatment="treated", outcome="outcome", common_causes=names or None)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression")
    return {
        name: float(
            model.refute_estimate(
                estimand,
                estimate,
                method_name=method,
                num_simulations=SIMULATIONS,
                random_seed=seed,
                n_jobs=1,
                **more,
            ).new_effect
        )
        for name, (method, more) in _ASKED.items()
    }


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep what DoWhy does to the process from anybody else: numpy's global draws, warnings and its talk."""
    state = np.random.get_state()  # noqa: NPY002 - DoWhy seeds it
    logger = logging.getLogger("dowhy")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        np.random.set_state(state)  # noqa: NPY002 - see above
