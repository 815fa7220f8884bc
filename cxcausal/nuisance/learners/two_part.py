"""A two-part model for outcomes that are mostly zero: the chance of one that is not, times its mean where it is not."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Flags, Floats
from cxcausal.nuisance.features import Features
from cxcausal.nuisance.learners.stacked import Stacked
from cxcausal.nuisance.learning import Split, is_binary

FEWEST_NONZERO = 50
"""Units with a value other than zero below which one model learns both parts at once."""


@dataclass(frozen=True, kw_only=True)
class TwoPart:
    """Stacked models of both parts (a hurdle model); where hardly any value is zero, or not, a single stack."""

    name: ClassVar[str] = "two_part"

    def mean(self, features: Features, y: Floats, use: Flags, split: Split) -> Floats:
        """Return probabilities where y is 0 or 1, else means, shape (n,)."""
        nonzero = use & (np.where(use, y, 0.0) != 0)
        zeros = int(use.sum()) - int(nonzero.sum())
        if is_binary(y, use) or nonzero.sum() < FEWEST_NONZERO or zeros < FEWEST_NONZERO:
            return Stacked().mean(features, y, use, split)
        beside = np.zeros(len(y), dtype=bool) if split.beside is None else split.beside
        some = (use | beside) & (np.where(use | beside, y, 0.0) != 0)
        chance = Stacked().mean(features, some.astype(np.float64), use, split)
        paying = replace(split, beside=beside & some)
        return np.asarray(chance * Stacked().mean(features, y, nonzero, paying))

    def shares(self, features: Features, codes: npt.NDArray[np.int8], classes: int, split: Split) -> Floats:
        """Return the shares that the stack gives, shape (n, classes)."""
        return Stacked().shares(features, codes, classes, split)
