"""What a model for fresh customers is made of: the two parts that are learned elsewhere, and how they are read back."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from cxcausal.core.hashing import Keys
from cxcausal.core.rows import Floats

EFFECT_MODEL = "cxcausal.heterogeneity.effect_model:EffectModel"
POLICY_MODEL = "cxcausal.policy.rule:PolicyModel"
"""Read by name: a plan that scores nobody pays nothing for them."""
Columns = Mapping[str, npt.NDArray[Any]]
"""Modifier → one value per customer: floats with NaN where missing, or texts, the empty one where missing."""


class Modifier(Protocol):
    """A column that the model looks at; `kind` is `number` or `text`, `levels` are texts with a column of their own."""

    @property
    def name(self) -> str:
        """The column."""

    @property
    def kind(self) -> str:
        """How it is read."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The texts that the model tells apart."""

    @property
    def base(self) -> str:
        """The text that all others are told apart from; empty for a number."""


class EffectModel(Protocol):
    """Predicts every arm's gain, one customer at a time: no answer depends on who else is asked about."""

    @property
    def modifiers(self) -> Sequence[Modifier]:
        """What it looks at."""

    def gains(self, columns: Columns) -> Floats:
        """Return each arm's gain against the control, shape (n, arms), the control's being 0; more is better."""

    def intervals(self, gains: Floats, level: float) -> tuple[Floats, Floats]:
        """Return the ends of the mean gain of customers predicted alike, each shape (n, arms)."""

    def write(self, folder: Path) -> None:
        """Write it without a pickle."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return what was written; it predicts the same bits."""


class PolicyModel(Protocol):
    """Assigns customers one at a time, by the prices or the tree that were learned."""

    def assign(
        self, gains: Floats, keys: Keys | None = None, columns: Columns | None = None
    ) -> npt.NDArray[np.integer]:
        """Return the place of each customer's arm, shape (n,); equals are told apart by keys."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return what was written."""


def effect_model_in(folder: Path) -> EffectModel:
    """Return the effect model that was written to a folder."""
    found: EffectModel = _named(EFFECT_MODEL).read(folder)
    return found


def policy_model_of(content: Mapping[str, Any]) -> PolicyModel:
    """Return the policy that was written as `content`."""
    found: PolicyModel = _named(POLICY_MODEL).from_dict(content)
    return found


def _named(place: str) -> Any:  # noqa: ANN401 - a class
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
