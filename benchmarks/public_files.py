"""Public files in which every unit's effect is known: IHDP and ACIC 2016, read where they lie, one replication each."""

import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DATA = Path(__file__).resolve().parents[2] / "shared/data"
REPLICATIONS = 5
"""Replications in either file."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Replication:
    """One replication of n units.

    Attributes:
        x: covariates, letters as indicators, shape (n, p). arm: 0 or 1, shape (n,). y: what happened, shape (n,).
        effect: every unit's true effect, shape (n,).
    """

    x: Floats
    arm: npt.NDArray[np.int64]
    y: Floats
    effect: Floats


def ihdp(replication: int) -> Replication:
    """Return a replication of IHDP, counted from 0."""
    own = [row for row in _table("ihdp_reps_1to5") if row["rep"] == str(replication + 1)]
    arm, y, without, with_it = _numbers(own, ["treatment", "y_factual", "mu0", "mu1"]).T
    x = _numbers(own, [f"x{place}" for place in range(1, 26)])
    return Replication(x=x, arm=arm.astype(np.int64), y=y, effect=with_it - without)


def acic(replication: int) -> Replication:
    """Return a data-generating process of ACIC 2016 (one draw of each is in the file), counted from 0."""
    own = [row for row in _table("acic2016_dgps_1to5") if row["dgp"] == str(replication + 1)]
    place, arm, y0, y1, without, with_it = _numbers(own, ["row", "z", "y0", "y1", "mu0", "mu1"]).T
    x = _encoded(_table("acic2016_x"))[place.astype(np.int64)]
    y = np.where(arm == 1, y1, y0)
    return Replication(x=x, arm=arm.astype(np.int64), y=y, effect=with_it - without)


def files() -> Iterator[tuple[str, Callable[[int], Replication]]]:
    """Yield name and reader of every public file that is there."""
    if (DATA / "ihdp_reps_1to5.csv.gz").exists():
        yield "IHDP", ihdp
    if (DATA / "acic2016_x.csv.gz").exists():
        yield "ACIC 2016", acic


@cache
def _table(name: str) -> list[dict[str, str]]:
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _numbers(rows: list[dict[str, str]], names: list[str]) -> Floats:
    return np.array([[float(row[name]) for name in names] for row in rows])


def _encoded(rows: list[dict[str, str]]) -> Floats:
    """Return numbers as they are and letters as indicators."""
    made: list[Floats] = []
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        letters = sorted({value for value in values.tolist() if value.isalpha()})
        if letters:
            made += [(values == letter).astype(np.float64) for letter in letters[1:]]
        else:
            made.append(values.astype(np.float64))
    return np.column_stack(made)
