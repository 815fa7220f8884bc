"""How much memory scores need, told before a row is read: too much is refused with what can be done."""

import os
from typing import TYPE_CHECKING

from cxcausal.core.adjusting import adjusted_for
from cxcausal.core.errors import MachineError, Problem
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.rows import RowsWanted
from cxcausal.core.score_queries import TARGETS
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.memory import VARIABLE, in_words, machine_limit, memory_limit
from cxcausal.scoring.told import MOST_KEPT

if TYPE_CHECKING:
    from cxcausal.nuisance.crossfit import Recipe

_BASE = 320_000_000
"""Python, the engine and the learners' libraries before any row."""
_NUMBER, _TEXT, _ID = 24, 40, 130
"""Bytes per unit and column while rows are read: as Arrow, as sorted numbers, and as texts to be hashed."""
_VALUE, _CODE = 8, 4
_LEVELS = 3
"""Further columns of a covariate that is a text."""
_TREES = frozenset({"lightgbm", "lightgbm_tuned", "hist_gradient_boosting"})
"""Learners that take values as they are."""


def refuse_too_large(spec: ExperimentSpec, wanted: RowsWanted, recipe: "Recipe", units: int) -> None:
    """Refuse more than this process may use: `CXCAUSAL_MEMORY_LIMIT` where it is set, else 80 % of the machine's.

    The engine's own default is lower, as it can spill to the disk; what learners need can't.

    Raises:
        MachineError: scores need more memory than that.
    """
    needed = bytes_needed(spec, wanted, recipe, units)
    limit = memory_limit() if VARIABLE in os.environ else machine_limit()
    if needed > limit:
        raise MachineError(
            Problem(
                where=VARIABLE,
                code="E630",
                what=f"learning from {units:,} customers needs about {in_words(needed)} of memory, and "
                f"{in_words(limit)} may be used",
                mend=f"set {VARIABLE}={needed / 1e9 * 1.1:.1f}GB on a machine that has it, analyse a part of the "
                "customers with data.filter, or ask for fewer metrics or estimation.repeats",
            )
        )


def bytes_needed(spec: ExperimentSpec, wanted: RowsWanted, recipe: "Recipe", units: int) -> int:
    """Return the largest amount of memory that scores are expected to take, in bytes.

    Args:
        spec: the plan.
        wanted: the columns that are read.
        recipe: how nuisances are learned.
        units: how many.
    """
    numbers = len({*wanted.numbers, *wanted.covariates}) + 1
    ids = 1 + len(wanted.clusters)
    reading = numbers * _NUMBER + len(wanted.texts) * _TEXT + ids * _ID
    held = (numbers + ids) * _VALUE + len(wanted.texts) * _CODE
    working = held + _matrix(spec, recipe) + _scores(spec, recipe)
    return _BASE + max(units * reading, units * working + min(MOST_KEPT, units * _told(spec, recipe)))


def _matrix(spec: ExperimentSpec, recipe: "Recipe") -> int:
    """Return the bytes per unit of what learners see: values, their bins, and for linear ones filled copies."""
    covariates = adjusted_for(spec)
    columns = len(covariates) + _LEVELS * len({*covariates} & {*spec.segments})
    linear = {recipe.outcome, recipe.propensity} - _TREES
    return columns * (_VALUE + 2 + (3 * _VALUE if linear else 0))


def _scores(spec: ExperimentSpec, recipe: "Recipe") -> int:
    """Return the bytes per unit of what was learned, and of the columns that a score is made from."""
    arms = 1 + len(spec.treated_arms)
    learned = recipe.repeats * arms * _VALUE * (1 + _outcomes(spec))
    return learned + (arms + 2) * _VALUE * (recipe.repeats + 8)


def _told(spec: ExperimentSpec, recipe: "Recipe") -> int:
    """Return the bytes per unit of what is held for the next question about the same measure and target."""
    return _outcomes(spec) * len(TARGETS) * recipe.repeats * (3 + len(spec.treated_arms)) * _VALUE


def _outcomes(spec: ExperimentSpec) -> int:
    measured = (metric for _, metric in spec.metrics.with_roles() if why_not_measured(metric) is None)
    return len({measure_of(metric, spec.data.weight) for metric in measured})
