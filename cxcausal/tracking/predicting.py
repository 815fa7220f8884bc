"""Predictions one customer at a time, as MLflow asks for them: the same numbers as where the model was learned."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.model_facts import CHOOSING, EVERYBODY, GAIN, ModelFacts
from cxcausal.core.rows import Flags, Floats
from cxcausal.tracking.model_folder import SavedModel
from cxcausal.tracking.model_parts import Columns, EffectModel, PolicyModel


class Predictor:
    """A saved model in memory.

    Attributes:
        facts: what stands beside it.
        kinds: its modifiers in its own order, each `number` or `text`.
    """

    def __init__(self, saved: SavedModel) -> None:
        """Read both parts."""
        self.facts: ModelFacts = saved.facts
        self.kinds: Mapping[str, str] = {one.name: one.kind for one in saved.modifiers}
        self._known = saved.known
        self._effects: EffectModel = saved.effects()
        self._policy: PolicyModel = saved.policy()

    def predict(self, columns: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Return arm, its effect with an interval, and every arm's gain; no budget is looked at: that takes all rows.

        Who has a text that the model does not know gets no interval: nothing that was learned says how far off it is.

        Args:
            columns: modifier → values of shape (n,); NaN, None or the empty text where missing.
        """
        read = {
            name: _texts(columns[name]) if kind == "text" else _floats(columns[name])
            for name, kind in self.kinds.items()
        }
        gains, strange = self._effects.gains(read), strangers(read, self._known)
        low, high = self._effects.intervals(gains, self.facts.level)
        place = self._assigned(gains, read)
        rows = np.arange(len(gains))
        ends = (gains[rows, place], low[rows, place], high[rows, place])
        effect, least, most = signed(ends, self.facts.sign)
        least[strange & (place > 0)], most[strange & (place > 0)] = np.nan, np.nan
        told = {f"{GAIN}{arm}": gains[:, at] for at, arm in enumerate(self.facts.arms) if at}
        return {
            "arm": np.array(self.facts.arms, dtype=object)[place],
            "expected_effect": effect,
            "low": least,
            "high": most,
            **told,
        }

    def _assigned(self, gains: Floats, read: Columns) -> npt.NDArray[np.intp]:
        """Return the place of each customer's arm by the model's rule."""
        if self.facts.rule in CHOOSING:
            return np.asarray(self._policy.assign(gains, columns=read), dtype=np.intp)
        arm = self.facts.rule.removeprefix(f"{EVERYBODY}:")
        place = self.facts.arms.index(arm) if arm in self.facts.arms else 0
        return np.full(len(gains), place, dtype=np.intp)


def strangers(read: Columns, known: Mapping[str, frozenset[str]]) -> Flags:
    """Return who has a text that a model does not know; a missing one is none, shape (n,).

    Args:
        read: modifier → values of shape (n,), texts the empty one where missing.
        known: modifier → its texts.

    Example:
        >>> tiers = np.array(["gold", "platinum", ""], dtype=object)
        >>> strangers({"tier": tiers, "age": np.array([1.0, 2.0, 3.0])}, {"tier": frozenset({"gold"})}).tolist()
        [False, True, False]
    """
    found = np.zeros(len(next(iter(read.values()))), dtype=bool)
    for name, texts in known.items():
        found |= np.array([bool(text) and text not in texts for text in read[name].tolist()], dtype=bool)
    return found


def signed(ends: tuple[Floats, Floats, Floats], sign: int) -> tuple[Floats, Floats, Floats]:
    """Return point, low and high of a gain in the metric's own direction.

    Example:
        >>> [float(end[0]) for end in signed((np.array([2.0]), np.array([1.0]), np.array([4.0])), -1)]
        [-2.0, -4.0, -1.0]
    """
    point, low, high = ends
    return (point, low, high) if sign > 0 else (0.0 - point, 0.0 - high, 0.0 - low)


def _floats(values: npt.NDArray[Any]) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _texts(values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """Return texts, the empty one where a value is missing."""
    found = np.empty(len(values), dtype=object)
    found[:] = [value if isinstance(value, str) else "" for value in values]
    return found
