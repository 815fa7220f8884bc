"""A combination of formulas that is asked row by row, over the raw columns of its modifiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.encoding import Encoding
from cxcausal.heterogeneity.formulas import Effect


@dataclass(frozen=True, kw_only=True, eq=False)
class Predicting:
    """What was learned of gains.

    Attributes:
        encoding: how modifiers become columns. effect: the formulas.
        constants: what every arm gains over the control beside that (its costs), shape (arms,).
    """

    encoding: Encoding
    effect: Effect
    constants: Floats

    def gains(self, columns: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """Return the expected gain of every arm over the control, shape (n, arms), the control's being 0."""
        found = self.effect.of(self.encoding.table(columns))
        return np.column_stack([np.zeros(len(found)), found]) + self.constants
