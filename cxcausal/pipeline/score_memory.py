"""How much memory scores need, told before a row is read: too much is refused with what can be done."""

import os
from typing import TYPE_CHECKING

from cxcausal.core.adjusting import adjusted_for
from cxcausal.core.errors import MachineError, Problem
from cxcausal.core.measures import measure_of, why_not_measured
from cxcausal.core.rows import RowsWanted
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.memory import VARIABLE, in_words, machine_limit, memory_limit

if TYPE_CHECKING:
    from cxcausal.nuisance.crossfit import Recipe

_BASE = 320_000_000
"""Python, the engine and the learners' libraries before any row."""
_NUMBER, _TEXT, _ID = 24, 40, 130
"""Bytes per unit and column while rows are read: as Arrow, as sorted numbers, and as texts to be hashed."""
_VALUE = 8


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
    arms = 1 + len(spec.treated_arms)
    ids = 1 + len(wanted.clusters)
    numbers = len({*wanted.numbers, *wanted.covariates}) + 1
    reading = numbers * _NUMBER + len(wanted.texts) * _TEXT + ids * _ID
    held = (numbers + ids) * _VALUE + len(wanted.texts) * 4
    columns = len(adjusted_for(spec))
    linear = {recipe.outcome, recipe.propensity} - {"lightgbm", "lightgbm_tuned", "hist_gradient_boosting"}
    matrix = columns * (_VALUE + 2 + (3 * _VALUE if linear else 0))
    outcomes = len(
        {measure_of(m, spec.data.weight) for _, m in spec.metrics.with_roles() if why_not_measured(m) is None}
    )
    kept = recipe.repeats * arms * _VALUE * (1 + outcomes)
    scoring = (arms + 2) * _VALUE * (recipe.repeats + 8)
    return _BASE + units * max(reading, held + matrix + kept + scoring)
