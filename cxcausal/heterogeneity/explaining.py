"""What predictions look at: how much of what they tell apart is lost where a modifier's values are shuffled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import HeldOut, Places, Predicts, Side
from cxcausal.core.rows import Floats, Rows
from cxcausal.core.whom import Driver
from cxcausal.heterogeneity.surrogate import leaves_of, lines_of
from cxcausal.nuisance.beside import Step, nothing, side_by_side

Columns = Mapping[str, npt.NDArray[Any]]
SHUFFLES = (2, 5)
MOST_SHOWN = 20_000
"""Units of a turn that are shuffled: more tell shares no better than they are read."""
_SHOWN_IN_ALL = 40_000
"""By all shuffles together: few units are shuffled often, and many seldom, as what they scored is the larger noise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """Units that a model did not learn from, as it is shown them.

    Attributes:
        model: what predicts.
        side: m judged units, of which the scores are taken.
        columns: name → raw values of the modifiers of the m units, shape (m,).
    """

    model: Predicts
    side: Side
    columns: Columns


def drivers_of(turns: Sequence[Shown], *, seed: int) -> tuple[Driver, ...]:
    """Return every modifier with its importance, the largest first.

    The doubly robust loss mean((Γ_a − Γ_0 − τ̂_a)²) of judged units rises where a modifier's values change hands among
    them (Breiman 2001, https://doi.org/10.1023/A:1010933404324; Hines et al. 2022, https://arxiv.org/abs/2204.06030).
    Half of that rise, over what predictions save against one effect for everybody, is the modifier's share: of a right
    model its total Sobol index (Jansen 1999, https://doi.org/10.1016/S0010-4655(98)00154-4), so that shares of separate
    drivers sum to 1, and those of interacting ones to more. No share is told where predictions save nothing.

    Args:
        turns: judged units of each turn, with the model that did not see them.
        seed: of the plan; each modifier is shuffled by its own name.
    """
    seen = [_some(shown) for shown in turns]
    told = [np.asarray(shown.model.gains(shown.columns)[:, 1:]) for shown in seen]
    saved = float(sum(np.sum(_saved(shown, before)) for shown, before in zip(seen, told, strict=True)))

    def lost(name: str, _: Step) -> float:
        pairs = enumerate(zip(seen, told, strict=True))
        return sum(_lost(shown, before, name, (seed, turn)) for turn, (shown, before) in pairs)

    names = tuple(turns[0].columns)
    rises = side_by_side([partial(lost, name) for name in names], nothing, rows=MOST_SHOWN)
    drivers = (
        Driver(modifier=name, importance=min(1.0, max(0.0, rise / (2 * saved))) if saved > 0 else None)
        for name, rise in zip(names, rises, strict=True)
    )
    return tuple(sorted(drivers, key=lambda driver: (-(driver.importance or 0.0), driver.modifier)))


def explained(held: HeldOut, modifiers: Sequence[str], *, seed: int) -> tuple[tuple[Driver, ...], tuple[str, ...]]:
    """Return what the model of the first half looks at, and in a few lines what it says; both on the second half.

    Args:
        held: with the model of its half.
        modifiers: the columns that it looks at.
        seed: of the plan.
    """
    if held.model is None:
        return (), ()
    side = held.half.judged
    columns = {name: raw_of(held.rows, name, side.units) for name in modifiers}
    leaves, _ = leaves_of(columns, side.gains[:, 1:])
    drivers = drivers_of([Shown(model=held.model, side=side, columns=columns)], seed=seed)
    return drivers, lines_of(leaves, held.arms[1:], {}) if len(leaves) > 1 else ()


def raw_of(rows: Rows, name: str, units: Places) -> npt.NDArray[Any]:
    """Return a modifier's values as a model is shown them, shape (m,)."""
    if name in rows.numbers:
        return rows.numbers[name][units]
    text = rows.texts[name]
    return np.array(text.levels, dtype=object)[text.codes[units]]


def _some(shown: Shown) -> Shown:
    """Return as many units as are shown, evenly from all."""
    step = -(-len(shown.side.units) // MOST_SHOWN)
    if step <= 1:
        return shown
    chosen = np.arange(0, len(shown.side.units), step)
    columns = {name: values[chosen] for name, values in shown.columns.items()}
    return Shown(model=shown.model, side=shown.side.of(chosen), columns=columns)


def _scores(shown: Shown) -> Floats:
    return np.asarray(shown.side.scores[:, 1:] - shown.side.scores[:, :1])


def _saved(shown: Shown, predicted: Floats) -> Floats:
    """Return by how much predictions lower each unit's loss against the mean prediction for everybody."""
    away = predicted - predicted.mean(axis=0)
    score = _scores(shown)
    return np.asarray(away * (2 * (score - score.mean(axis=0)) - away))


def _lost(shown: Shown, before: Floats, name: str, seeds: tuple[int, int]) -> float:
    """Return by how much the loss rises where one modifier is shuffled, on average over shuffles."""
    score, rises = _scores(shown), []
    for columns in _shuffled(shown.columns, name, seeds):
        after = shown.model.gains(columns)[:, 1:]
        rises.append(float(np.sum((after - before) * (after + before - 2 * score))))
    return float(np.mean(rises))


def _shuffled(columns: Columns, name: str, seeds: tuple[int, int]) -> Iterator[Columns]:
    rng = np.random.default_rng([*seeds, crc32(name.encode())])
    fewest, most = SHUFFLES
    for _ in range(min(max(_SHOWN_IN_ALL // max(len(columns[name]), 1), fewest), most)):
        yield {**columns, name: rng.permutation(columns[name])}
