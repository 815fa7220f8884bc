"""The splits that a check of the sample ratio compares with their plan: one, or one per epoch of a ramp-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from cxcausal.core.answers import Counts, Key
from cxcausal.core.epochs import EPOCH
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import CountQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.stats.proportions import srm_p, strata_srm_p


@dataclass(frozen=True, kw_only=True)
class Split:
    """Randomisation units by arm, beside the planned shares.

    Attributes:
        epoch: the first day of the epoch; empty where shares never changed.
        counts: by arm, in the order of `shares`.
        shares: by arm.
    """

    epoch: str = ""
    counts: dict[str, int]
    shares: dict[str, float]

    @property
    def total(self) -> int:
        """The units of all arms."""
        return sum(self.counts.values())

    @property
    def pair(self) -> tuple[list[int], list[float]]:
        """Counts and shares as the test takes them."""
        return list(self.counts.values()), list(self.shares.values())

    @property
    def p(self) -> float:
        """The p-value of this split alone."""
        return srm_p(*self.pair)

    @property
    def place(self) -> str:
        """How a sentence goes on that names the epoch; empty without one."""
        return f" of the epoch from {self.epoch}" if self.epoch else ""


def count_query(spec: ExperimentSpec, *by: str) -> CountQuery | None:
    """Return the question for randomised units per arm, and per epoch where the plan has them; None without shares."""
    if spec.epochs:
        return CountQuery(of="randomization_unit", by=(*by, EPOCH))
    return CountQuery(of="randomization_unit", by=by) if spec.shares else None


def splits_of(spec: ExperimentSpec, answers: Answers, query: CountQuery, group: Key = ()) -> tuple[Split, ...]:
    """Return the splits of one group: those of the epochs that have units, or the only one.

    Args:
        spec: with shares, or epochs.
        answers: to the query.
        query: of `count_query`.
        group: values of the query's `by` without the epoch.
    """
    table = cast("Counts", answers[query])
    planned = [(epoch.begins, epoch.fractions) for epoch in spec.epochs] or [("", spec.shares or {})]
    splits = []
    for epoch, shares in planned:
        key = (*group, epoch) if epoch else group
        counts = {arm: table.get((arm, key), 0) for arm in shares}
        splits.append(Split(epoch=epoch, counts=counts, shares={arm: float(share) for arm, share in shares.items()}))
    return tuple(split for split in splits if split.total) if spec.epochs else tuple(splits)


def mixed_epochs(spec: ExperimentSpec) -> str:
    """Return what to add where whole arms differ whose shares changed during enrolment; nothing otherwise."""
    why = " The arms' shares changed during enrolment: they may differ by when their units came, and by nothing else."
    return why if spec.epochs else ""


def pooled_p(splits: Sequence[Split]) -> float:
    """Return the p-value of all splits together; their chi-squares add up."""
    return strata_srm_p([split.pair for split in splits])


def worst_of(splits: Sequence[Split]) -> Split:
    """Return the split that is farthest from its plan, by its own p-value."""
    return min(splits, key=lambda split: split.p)
