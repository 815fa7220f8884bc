"""LightGBM on features that are binned once: every model of one matrix learns from the same histograms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.threads import threads_for, threads_to_boost

Places = npt.NDArray[np.intp]
_BINNED: "WeakKeyDictionary[Features, Any]" = WeakKeyDictionary()
"""The binned matrix of features that are in use; it goes when they go."""
_BINNING = Lock()


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large trees are, how many, and how much each counts."""

    trees: int = 100
    rate: float = 0.1
    leaves: int = 8
    fewest_in_leaf: int = 20
    ridge: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is predicted: a probability, a mean, or one probability per class."""

    kind: Literal["binary", "regression", "multiclass"]
    classes: int = 1


@dataclass(frozen=True, kw_only=True)
class Boost:
    """One outcome to be learned from n units.

    Attributes:
        features: of the units. y: shape (n,). weight: shape (n,) or None. goal: what y is. seed: for ties.
        start: what trees are added to, a mean or a logit, shape (n,); None for a constant.
    """

    features: Features
    y: Floats
    weight: Floats | None
    goal: Goal
    seed: int
    start: Floats | None = None
    _fixed: Mapping[str, Any] = field(default_factory=lambda: {"deterministic": True, "force_row_wise": True})

    def fitted(self, train: Places, sizes: Sizes, trees: int) -> Callable[[Places], Floats]:
        """Learn from some units; return what predicts others, shape (units, classes), without the start."""
        model = self.model(train, sizes, trees)
        return lambda units: self._predicted(model, units)

    def model(self, train: Places, sizes: Sizes, trees: int) -> Any:  # noqa: ANN401 - a booster, which has no types
        """Return the booster learned from some units, with these: to drop them takes a fifth of a small one's time."""
        import lightgbm  # noqa: PLC0415 - heavy

        part, parameters = self._part(train, sizes), self._parameters(sizes, len(train))
        return lightgbm.train(parameters, part, num_boost_round=trees, keep_training_booster=True)

    def stopped(self, train: Places, held: Places, sizes: Sizes, patience: int) -> tuple[float, int]:
        """Return the smallest loss on units held out, and with how many trees it was reached."""
        import lightgbm  # noqa: PLC0415 - heavy

        heard: dict[str, dict[str, list[float]]] = {}
        model = lightgbm.train(
            self._parameters(sizes, len(train)),
            self._part(train, sizes),
            num_boost_round=sizes.trees,
            valid_sets=[self._part(held, sizes)],
            valid_names=["held"],
            callbacks=[lightgbm.early_stopping(patience, verbose=False), lightgbm.record_evaluation(heard)],
        )
        losses = next(iter(heard["held"].values()))
        best = int(model.best_iteration or len(losses))
        return losses[best - 1], best

    def _predicted(self, model: Any, units: Places) -> Floats:  # noqa: ANN401 - a booster, which has no types
        found = model.predict(
            self.features.matrix[units], raw_score=self.start is not None, num_threads=threads_for(len(units))
        )
        return np.reshape(np.asarray(found, dtype=np.float64), (-1, self.goal.classes))

    def _part(self, units: Places, sizes: Sizes) -> Any:  # noqa: ANN401 - a data set, which has no types
        parameters = self._parameters(sizes, len(units))
        part = _binned(self.features, parameters).subset(units, params=parameters)
        part.construct()
        part.set_label(self.y[units])
        if self.weight is not None:
            part.set_weight(self.weight[units])
        if self.start is not None:
            part.set_init_score(self.start[units])
        return part

    def _parameters(self, sizes: Sizes, rows: int) -> dict[str, Any]:
        several = {"num_class": self.goal.classes} if self.goal.kind == "multiclass" else {}
        return {
            **self._fixed,
            **several,
            "objective": self.goal.kind,
            "learning_rate": sizes.rate,
            "num_leaves": sizes.leaves,
            "min_data_in_leaf": sizes.fewest_in_leaf,
            "lambda_l2": sizes.ridge,
            "feature_pre_filter": False,  # else leaves of another size would need other bins
            "num_threads": threads_to_boost(rows),
            "seed": self.seed % 2**31,
            "verbosity": -1,
        }


def _binned(features: Features, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a data set, which has no types
    import lightgbm  # noqa: PLC0415 - heavy

    with _BINNING:
        if features not in _BINNED:
            kept = {
                name: parameters[name]
                for name in ("deterministic", "force_row_wise", "feature_pre_filter", "verbosity")
            }
            label = np.zeros(len(features.matrix))
            made = lightgbm.Dataset(features.matrix, label=label, params=kept)
            _BINNED[features] = made.construct()
        return _BINNED[features]
