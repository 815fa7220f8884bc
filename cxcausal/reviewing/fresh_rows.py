"""The second pass over fresh customers: each one's arm, effect and reason, written in the order of their file."""

from dataclasses import dataclass
from itertools import chain
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.hashing import Keys
from cxcausal.core.model_facts import CHOOSING, ModelFacts
from cxcausal.core.progress import Progress
from cxcausal.core.rows import Flags, Floats
from cxcausal.reviewing.fresh_gains import NOT_ELIGIBLE, OUTSIDE, REASONS, Gathered, Given, Places
from cxcausal.tracking.predicting import signed

if TYPE_CHECKING:
    import pyarrow as pa

    from cxcausal.data.fresh import Fresh
    from cxcausal.data.treat_file import Treated
    from cxcausal.tracking.model_parts import EffectModel

ROW = "row"
"""Names the column of row numbers, where the plan has no ids."""
Ends = tuple[Floats, Floats, Floats]
"""Point, low and high."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is to be written.

    Attributes:
        facts, effects: of the model. found: of all customers. given: of those who may be contacted.
    """

    facts: ModelFacts
    effects: "EffectModel"
    found: Gathered
    given: Given

    def write(self, fresh: "Fresh", out: Path, progress: Progress) -> float:
        """Write the file whole or not at all, and return the sum of the expected gains.

        Raises:
            DataError: the rows came in another order than before.
            MachineError: the disk refuses.
        """
        from cxcausal.data.treat_file import writing

        rows, seen, kept, total = fresh.ids(), 0, 0, 0.0
        first = next(rows)
        words = (self.facts.arms, REASONS)
        with (
            progress.stage("writing", total=fresh.rows) as telling,
            writing(out, first[0].type, fresh.unit or ROW, words) as file,
        ):
            for ids, mark in chain([first], rows):
                self._refuse_moved(fresh.label, mark, seen)
                able = self.found.able[seen : seen + len(mark)]
                some = slice(kept, kept + int(able.sum()))
                gains = self._gains(some)
                file.write(self._treated(ids, able, seen, some, gains))
                total += float(gains[0].sum())
                seen, kept = seen + len(mark), some.stop
                telling.reach(seen)
        return total

    def _refuse_moved(self, label: str, mark: Keys, seen: int) -> None:
        """Refuse to write an arm beside another customer's id."""
        if not np.array_equal(mark, self.found.mark[seen : seen + len(mark)]):
            what, mend = "the rows came in another order the second time", "convert the file to Parquet, and try again"
            raise DataError(Problem(where=label, code="D645", what=what, mend=mend))

    def _gains(self, some: slice) -> Ends:
        """Return the expected gain of some of those who may be contacted, with its interval; of no contact it is 0."""
        arm, treated = self.given.arm[some].astype(np.intp), self.found.gains[some]
        averages = self.facts.average
        if not len(arm):
            return np.zeros(0), np.zeros(0), np.zeros(0)
        if self.facts.rule not in CHOOSING and averages:
            told = [averages.get(name) for name in self.facts.arms]
            ends = [(0.0,) * 3, *((nan,) * 3 if one is None else (one.point, one.low, one.high) for one in told[1:])]
            table = np.array(ends, dtype=np.float64)
            return table[arm, 0], table[arm, 1], table[arm, 2]
        gains = np.concatenate([np.zeros((len(arm), 1)), treated], axis=1)
        low, high = self.effects.intervals(gains, self.facts.level)
        rows = np.arange(len(arm))
        low, high = (self._ends(end[rows, arm], arm, some) for end in (low, high))
        return gains[rows, arm], low, high

    def _ends(self, end: Floats, arm: np.ndarray[tuple[int], np.dtype[np.intp]], some: slice) -> Floats:
        """Return an end of the intervals: none for strangers to the model, and of no contact 0."""
        return np.where(arm == 0, 0.0, np.where(self.found.strange[some], nan, end))

    def _treated(self, ids: "pa.Array", able: Flags, seen: int, some: slice, gains: Ends) -> "Treated":
        """Return what is written of some rows; of those who may not be contacted there are no numbers."""
        from cxcausal.data.treat_file import NUMBERS, Treated

        outside = self.found.outside[seen : seen + len(able)]
        arm = np.zeros(len(able), dtype=np.int8)
        reason: Places = np.where(outside, OUTSIDE, NOT_ELIGIBLE).astype(np.int8)
        arm[able], reason[able] = self.given.arm[some], self.given.reason[some]
        value = gains[0] if self.facts.money else np.full(len(gains[0]), nan)
        columns = (*signed(gains, self.facts.sign), value)
        known = np.ones(len(able), dtype=bool)
        known[able] = ~self.found.strange[some]
        return Treated(
            ids=ids,
            arm=arm,
            reason=reason,
            known=known,
            able=able,
            numbers={name: _spread(able, part) for name, part in zip(NUMBERS, columns, strict=True)},
        )


def _spread(able: Flags, values: Floats) -> Floats:
    """Return values at the places of those who may be contacted, NaN at all others."""
    found = np.full(len(able), nan)
    found[able] = values
    return found
