"""Units with covariates of every awkward kind, drawn with known chances and known means."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxcausal.core.hashing import mixed
from cxcausal.core.rows import Floats, Rows, Text


@dataclass(frozen=True, kw_only=True)
class Units:
    """What a test knows of drawn units: the rows, and the covariates' names."""

    rows: Rows
    covariates: tuple[str, ...]


def text_of(values: npt.NDArray[np.str_]) -> Text:
    """Return a text column."""
    levels, codes = np.unique(values, return_inverse=True)
    return Text(codes=codes.astype(np.int32), levels=tuple(str(level) for level in levels))


def rows_of(
    arm: npt.NDArray[np.integer],
    numbers: Mapping[str, Floats],
    texts: Mapping[str, Text] | None = None,
    clusters: Mapping[str, npt.NDArray[np.uint64]] | None = None,
) -> Rows:
    """Return rows with keys hashed from their places."""
    return Rows(
        arms=tuple(["none", "call", "mail", "visit"][: int(arm.max()) + 1]),
        arm=arm.astype(np.int8),
        key=mixed(np.arange(len(arm), dtype=np.uint64), 5),
        numbers={name: np.asarray(values, dtype=np.float64) for name, values in numbers.items()},
        texts=dict(texts or {}),
        clusters=dict(clusters or {}),
    )


def drawn(n: int, *, seed: int = 1, arms: int = 2) -> Units:
    """Return n units with two confounders and outcomes `y`, `bought` and `paid`; the first arm adds 1 to y."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    scores = np.column_stack([0.5 * place * x for place in range(arms)]) + rng.gumbel(size=(n, arms))
    arm = scores.argmax(axis=1)
    y = 1.0 * (arm == 1) + x + z + rng.normal(size=n)
    bought = (rng.random(n) < 0.3 + 0.2 * (x > 0)).astype(np.float64)
    return Units(
        rows=rows_of(arm, {"x": x, "z": z, "y": y, "bought": bought, "paid": bought * np.exp(rng.normal(size=n))}),
        covariates=("x", "z"),
    )


def awkward(n: int, kind: str, *, seed: int = 1) -> Units:  # noqa: C901 - one branch a kind
    """Return units whose covariates are of one awkward kind; the outcome is y, and x and z are what it follows."""
    units, rng = drawn(n, seed=seed), np.random.default_rng(seed + 1)
    texts: dict[str, Text] = {}
    numbers: dict[str, Floats] = dict(units.rows.numbers)
    x, z = numbers["x"].copy(), numbers["z"].copy()
    names = ["x", "z"]
    if kind == "missing":
        x[rng.random(n) < 0.3] = np.nan
        texts["tier"] = text_of(np.where(rng.random(n) < 0.2, "", rng.choice(["gold", "plus"], n)))
        names.append("tier")
    elif kind == "all_missing":
        z[:] = np.nan
    elif kind == "constant":
        z[:] = 3.0
        texts["tier"] = text_of(np.full(n, "gold"))
        names.append("tier")
    elif kind == "one":
        names = ["x"]
    elif kind == "none":
        names = []
    elif kind == "collinear":
        numbers |= {"twice": 2 * x, "sum": x + z}
        texts |= {"side": text_of(np.where(x > 0, "up", "down")), "other": text_of(np.where(x > 0, "a", "b"))}
        names += ["twice", "sum", "side", "other"]
    elif kind == "huge":
        x, z = 1e9 + 1e9 * x, 1e9 * z
    elif kind == "tiny":
        x, z = 1e-9 * x, 1e-9 * z
    elif kind == "wide":
        numbers |= {f"n{place}": rng.normal(size=n) for place in range(80)}
        names += [f"n{place}" for place in range(80)]
    elif kind == "separating":
        numbers["told"] = np.where(units.rows.arm > 0, 10.0, 0.0)
        names.append("told")
    numbers |= {"x": np.asarray(x, np.float64), "z": np.asarray(z, np.float64)}
    return Units(rows=rows_of(units.rows.arm, numbers, texts), covariates=tuple(names))


KINDS = (
    "missing", "all_missing", "constant", "one", "none", "collinear", "huge", "tiny", "wide", "separating",
)  # fmt: skip
