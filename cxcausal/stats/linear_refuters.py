"""Refuters of a linear regression from shared cross-products: draws by the hundred for the price of a few passes.

Each coefficient is that of the treatment in a least-squares regression of the outcome on a constant, the treatment and
the covariates, with something tampered with (Frisch, Waugh & Lovell).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Generator = np.random.Generator
BLOCKS = 1_000
_SHUFFLED_FOR = 25
_TOGETHER = 20
_SIDES = 65_535


@dataclass(frozen=True, kw_only=True)
class Partialled:
    """What is left of outcome and treatment beside a constant and the covariates.

    Attributes:
        base: an orthonormal basis of constant and covariates, shape (n, k).
        y, t: residuals, shape (n,).
        raw: the treatment as it was, shape (n,).
    """

    base: Array
    y: Array
    t: Array
    raw: Array

    @property
    def effect(self) -> float:
        """The treatment's coefficient."""
        return float(self.t @ self.y / (self.t @ self.t))


def partialled(y: Array, t: Array, covariates: Array) -> Partialled:
    """Return the residuals of outcome and treatment; y and t of shape (n,), covariates of shape (n, p)."""
    columns = np.column_stack([np.ones(len(y)), covariates])
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    base = columns @ (vectors[:, kept] / np.sqrt(values[kept]))
    left = np.column_stack([y, t])
    for _ in range(2):  # once more takes away what rounding left
        left = left - base @ (base.T @ left)
    return Partialled(base=base, y=left[:, 0].copy(), t=left[:, 1].copy(), raw=t)


def placebo_effects(found: Partialled, draws: int, rng: Generator) -> Array:
    """Return the coefficients of permuted treatments, shape (draws,)."""
    binary = bool(np.isin(found.raw, (0.0, 1.0)).all())
    effects = np.empty(draws)
    for start in range(0, draws, _TOGETHER):
        many = np.empty((min(_TOGETHER, draws - start), len(found.raw)))
        for row in many:
            row[:] = permuted_flags(len(row), int(found.raw.sum()), rng) if binary else rng.permutation(found.raw)
        effects[start : start + len(many)] = effects_of(found, many)
    return effects


def permuted_flags(n: int, ones: int, rng: Generator) -> npt.NDArray[np.bool_]:
    """Return a random permutation of so many ones among n, shape (n,).

    Coins are tossed, and the ones too many, or too few, are turned at random: whatever the number of heads, they are a
    random subset, and remain one. That takes a tenth of the time of a shuffle.
    """
    drawn = rng.integers(0, _SIDES, n, dtype=np.uint16) < round(_SIDES * ones / n)
    excess = int(drawn.sum()) - ones
    if excess:
        eligible = np.flatnonzero(drawn if excess > 0 else ~drawn)
        drawn[rng.choice(eligible, abs(excess), replace=False, shuffle=False)] = excess < 0
    return np.asarray(drawn)


def effects_of(found: Partialled, treatments: Array) -> Array:
    """Return the coefficients of other treatments in the place of the real one; treatments of shape (draws, n)."""
    inner = treatments @ found.base
    own = np.einsum("ij,ij->i", treatments, treatments) - np.einsum("ij,ij->i", inner, inner)
    return np.asarray((treatments @ found.y) / own)


def common_cause_effects(found: Partialled, draws: int, rng: Generator) -> Array:
    """Return the treatment's coefficients with a random normal covariate added, shape (draws,).

    Only the covariate's products with basis, outcome and treatment matter. Of a standard normal covariate these are
    normal, and what is left of its square is chi-square with n − (k + 2) degrees of freedom: they are drawn themselves.
    """
    products, squares = normal_products(np.column_stack([found.t, found.y]), draws, rng, spent=found.base.shape[1])
    return with_covariate(found, products, squares)


def normal_products(columns: Array, draws: int, rng: Generator, *, spent: int = 0) -> tuple[Array, Array]:
    """Return products Z′u of columns with standard normal u, and u′u, without drawing any u.

    Args:
        columns: Z, shape (n, k).
        draws: how many.
        rng: where they come from.
        spent: dimensions, orthogonal to Z, that u is freed of before.

    Returns:
        Shape (draws, k) and (draws,).
    """
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > max(values[-1], 0.0) * len(values) * np.finfo(np.float64).eps
    normal = rng.standard_normal((draws, int(kept.sum())))
    rest = rng.chisquare(len(columns) - spent - normal.shape[1], draws)
    return np.asarray((normal * np.sqrt(values[kept])) @ vectors[:, kept].T), (normal**2).sum(axis=1) + rest


def with_covariate(found: Partialled, products: Array, squares: Array) -> Array:
    """Return the treatment's coefficients beside one more covariate u, shape (draws,).

    Args:
        found: the residuals.
        products: of u with the treatment's and the outcome's residuals, shape (draws, 2).
        squares: of u, freed of constant and covariates, shape (draws,).
    """
    with_t, with_y = products.T
    top = (found.t @ found.y) * squares - with_t * with_y
    return np.asarray(top / ((found.t @ found.t) * squares - with_t**2))


def subset_effects(found: Partialled, share: float, draws: int, rng: Generator) -> Array:
    """Return the treatment's coefficients in random subsets, shape (draws,).

    Units are shuffled into `BLOCKS` blocks, and a subset is a draw of blocks: each is a random subset of all units, and
    blocks' cross-products are added instead of units'. Every few draws they are shuffled anew.
    """
    n = len(found.y)
    columns = np.column_stack([found.base * np.sqrt(n), found.t, found.y])
    blocks = min(BLOCKS, n)
    effects: list[Array] = []
    for start in range(0, draws, _SHUFFLED_FOR):
        products = block_products(columns[rng.permutation(n)], blocks)
        chosen = subsets_of(blocks, share, min(_SHUFFLED_FOR, draws - start), rng)
        sums = (chosen @ products.reshape(blocks, -1)).reshape(len(chosen), *products.shape[1:])
        effects.append(_coefficients(sums))
    return np.concatenate(effects)


def subsets_of(units: int, share: float, draws: int, rng: Generator) -> Array:
    """Return 1 for those of a random subset, else 0, shape (draws, units)."""
    chosen = np.zeros((draws, units))
    for row in chosen:
        row[rng.permutation(units)[: max(1, round(share * units))]] = 1.0
    return chosen


def block_products(columns: Array, blocks: int) -> Array:
    """Return the cross-products of consecutive blocks of about equal size, shape (blocks, k, k)."""
    n, k = columns.shape
    size = n // blocks
    even = columns[: size * blocks].reshape(blocks, size, k)
    products = np.asarray(even.transpose(0, 2, 1) @ even)
    rest = columns[size * blocks :]
    products[: len(rest)] += rest[:, :, None] * rest[:, None, :]
    return products


def _coefficients(sums: Array) -> Array:
    """Return the last but one column's coefficient in regressions of the last on all others, shape (draws,)."""
    return np.asarray([np.linalg.lstsq(each[:-1, :-1], each[:-1, -1], rcond=None)[0][-1] for each in sums])
