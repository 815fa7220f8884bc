"""The eligible units of one aim, put into an order that their content alone decides."""

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.hashing import Keys, mixed
from cxcausal.core.held_out import Aim, Places
from cxcausal.core.rows import Flags, Floats, Rows, Text
from cxcausal.heterogeneity.fences import fenced
from cxcausal.heterogeneity.known import Subject, signed_values
from cxcausal.nuisance.crossfit import Nuisances
from cxcausal.nuisance.features import features_of

FEWEST = 40
"""Units with a value below which no effect of an arm is learned by customer."""


class TooFewError(DataError):
    """There is too little to learn who responds from; the average effects don't hang on it."""

    def __init__(self, problem: Problem, reason: str) -> None:
        """Keep the reason as part of a sentence."""
        super().__init__(problem)
        self.reason = reason


def why_not(rows: Rows, aim: Aim, eligible: Flags) -> str | None:
    """Return why effects of an aim cannot be learned by customer, or None where they can.

    Example:
        >>> from cxcausal.core.measure import Measure
        >>> rows = Rows(arms=("a", "b"), arm=np.zeros(3, np.int8), key=np.arange(3, dtype=np.uint64),
        ...             numbers={"y": np.ones(3)}, texts={}, clusters={})
        >>> aim = Aim(name="y", label="y", unit="", measure=Measure(name="y", terms=(("y", 1.0),)), sign=1)
        >>> why_not(rows, aim, np.ones(3, bool))
        'fewer than 40 eligible customers of b have a value'
    """
    if aim.measure.denominator is not None:
        return "a ratio has no gain per customer"
    seen = signed_values(rows, aim).seen & eligible
    counts = np.bincount(rows.arm[seen], minlength=len(rows.arms))
    short = [name for name, n in zip(rows.arms, counts, strict=True) if n < FEWEST]
    return f"fewer than {FEWEST} eligible customers of {short[-1]} have a value" if short else None


def refuse(aim: str, reason: str) -> NoReturn:
    """Say why there is nothing to learn.

    Raises:
        TooFewError: always.
    """
    what = f"who responds cannot be learned, because {reason}"
    mend = "leave out effect_modifiers and policy, or bring more data"
    raise TooFewError(Problem(where=f"metric {aim}", code="D620", what=what, mend=mend), reason)


def places_of(rows: Rows, eligible: Flags, covariates: Sequence[str]) -> Places:
    """Return the places of eligible units, by their keys and, where those are equal, by what they hold.

    Covariates come first, so that the outcomes of some units never move the covariates of others.
    """
    units = np.flatnonzero(eligible)
    own, whole = content_of(rows, covariates), content_of(rows)
    return np.asarray(units[np.lexsort((whole[units], own[units], rows.key[units]))])


def content_of(rows: Rows, columns: Sequence[str] | None = None) -> Keys:
    """Return a hash of what each row holds in some columns, or in all that it has, shape (n,)."""
    content = mixed(rows.key, 0)
    held: list[npt.NDArray[Any]] = [
        *(values for name, values in rows.numbers.items() if columns is None or name in columns),
        *(text.codes for name, text in rows.texts.items() if columns is None or name in columns),
    ]
    if columns is None:
        held += [rows.arm, *rows.clusters.values()]
    for place, column in enumerate(held):
        content = mixed(content ^ _bits(column), place + 1)
    return content


def _bits(column: npt.NDArray[Any]) -> Keys:
    if column.dtype == np.float64:
        return np.ascontiguousarray(column).view(np.uint64)
    return column.astype(np.uint64)


def rows_at(rows: Rows, units: Places) -> Rows:
    """Return some units."""
    return Rows(
        arms=rows.arms,
        arm=rows.arm[units],
        key=rows.key[units],
        numbers={name: values[units] for name, values in rows.numbers.items()},
        texts={name: Text(codes=text.codes[units], levels=text.levels) for name, text in rows.texts.items()},
        clusters={name: keys[units] for name, keys in rows.clusters.items()},
        cluster_keys={name: keys[units] for name, keys in rows.cluster_keys.items()},
    )


def subject_of(rows: Rows, aim: Aim, nuisances: Nuisances, weight: Floats) -> Subject:
    """Return the subject of rows that are all eligible and in their order; weights get mean 1."""
    return Subject(
        rows=rows,
        values=signed_values(rows, aim),
        nuisances=nuisances,
        features=fenced(features_of(rows, nuisances.covariates)),
        weight=weight / weight.mean(),
        name=aim.name,
    )
