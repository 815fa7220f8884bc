"""What a model predicts for fresh customers, gathered in one pass: gains, who may be contacted, and what has moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.hashing import Keys
from cxcausal.core.model_facts import BY_GAIN, EVERYBODY, TREE, Baseline, ModelFacts
from cxcausal.core.progress import Progress
from cxcausal.core.rows import Flags, Floats, Text
from cxcausal.stats.allotting import Arms, Limits, allotted
from cxcausal.stats.drift import Counts, Drift, counts_of_number, counts_of_text, drift_of

if TYPE_CHECKING:
    from cxcausal.data.fresh import Batch, Fresh
    from cxcausal.tracking.model_folder import Looked, SavedModel
    from cxcausal.tracking.model_parts import EffectModel

Places = npt.NDArray[np.int8]
REASONS = (
    "best_gain",
    "next_best",
    "tree",
    "everybody",
    "no_gain",
    "not_enough_for_all",
    "nobody",
    "not_eligible",
    "outside_population",
)
"""What stands in the column `reason`; docs/scoring.md says what each means."""
BEST, NEXT, BY_TREE, EVERY, NO_GAIN, NOT_ENOUGH, NONE, NOT_ELIGIBLE, OUTSIDE = range(9)
_CHUNK = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Given:
    """What those who may be contacted are given: the place of the arm, and of the reason, each shape (eligible,)."""

    arm: Arms
    reason: Places


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """All customers of a file, in its order.

    Attributes:
        key, mark: hashes of each id, shape (n,), as of `Batch`. able: who may be contacted, shape (n,).
        outside: who is of another population, shape (n,).
        gains: of the treated arms, of those who may be contacted, shape (eligible, arms − 1).
        named: the place of the arm that the tree gives each of them, shape (eligible,); None without a tree.
        strange: who has a text that the model does not know, of those who may be contacted, shape (eligible,).
        missing, unknown: modifier → customers, among those who may be contacted.
        drift: of the modifiers that have a baseline.
    """

    key: Keys
    mark: Keys
    able: Flags
    outside: Flags
    gains: Floats
    named: Arms | None
    strange: Flags
    missing: dict[str, int]
    unknown: dict[str, int]
    drift: tuple[Drift, ...]

    @property
    def eligible(self) -> int:
        """How many may be contacted."""
        return len(self.gains)

    def given(self, facts: ModelFacts, limits: Limits) -> Given:
        """Return who gets what by the model's rule; limits are of the treated arms."""
        key, n = self.key[self.able], self.eligible
        if facts.rule in BY_GAIN:
            arm = allotted(self.gains, limits, key)
            return Given(arm=arm, reason=_reasons(self.gains, arm))
        if self.named is not None:
            return _by_tree(self.named, limits, key)
        name = facts.rule.removeprefix(f"{EVERYBODY}:")
        if name not in facts.arms[1:]:
            return Given(arm=np.zeros(n, dtype=np.int8), reason=np.full(n, NONE, dtype=np.int8))
        at = facts.arms.index(name) - 1
        alone = Limits(cost=limits.cost[at : at + 1], budget=limits.budget, places=limits.places[at : at + 1])
        some = allotted(np.ones((n, 1)), alone, key) > 0
        reason = np.where(some, EVERY, NOT_ENOUGH).astype(np.int8)
        return Given(arm=np.where(some, at + 1, 0).astype(np.int8), reason=reason)


def gathered(fresh: "Fresh", effects: "EffectModel", saved: "SavedModel", progress: Progress) -> Gathered:
    """Predict every arm's gain for every customer who may be contacted.

    Raises:
        DataError: an id stands in several rows, or a text has no value that the model knows.
    """
    arms = len(saved.facts.arms) - 1
    key, mark = (np.empty(fresh.rows, dtype=np.uint64) for _ in range(2))
    gains = np.empty((fresh.rows, arms))
    able, outside = np.zeros(fresh.rows, dtype=bool), np.zeros(fresh.rows, dtype=bool)
    tree = saved.policy() if saved.facts.rule == TREE else None
    named = None if tree is None else np.zeros(fresh.rows, dtype=np.int8)
    tally, seen, kept = _Tally(saved), 0, 0
    strange = np.zeros(fresh.rows, dtype=bool)
    with progress.stage("predicting", total=fresh.rows) as predicting:
        for batch in fresh.batches():
            some, end = batch.eligible & batch.inside, seen + batch.n
            key[seen:end], mark[seen:end] = batch.key, batch.mark
            able[seen:end], outside[seen:end] = some, ~batch.inside
            asked = batch.of(some)
            tally.add(asked)
            more = kept + asked.n
            strange[kept:more] = _strangers(asked, saved.known)
            if more > kept:
                columns = _columns(asked, saved.modifiers)
                found = effects.gains(columns)
                gains[kept:more] = found[:, 1:]
                if tree is not None and named is not None:
                    named[kept:more] = tree.assign(found, asked.key, columns)
            seen, kept = end, more
            predicting.reach(seen)
    _refuse_repeated(fresh, key)
    tally.refuse_strangers(fresh.label)
    return Gathered(
        key=key,
        mark=mark,
        able=able,
        outside=outside,
        gains=gains[:kept],
        named=None if named is None else named[:kept],
        strange=strange[:kept],
        missing=tally.missing,
        unknown=tally.unknown,
        drift=tuple(tally.drifts()),
    )


def _by_tree(named: Arms, limits: Limits, key: Keys) -> Given:
    """Return the arms that a tree names, as far as there is enough; whom it names one gains the same."""
    wanted = np.where(np.arange(1, len(limits.cost) + 1) == named[:, None], 1.0, -np.inf)
    arm = allotted(wanted, limits, key)
    short = (arm == 0) & (named > 0)
    return Given(arm=arm, reason=np.where(short, NOT_ENOUGH, BY_TREE).astype(np.int8))


def _columns(batch: "Batch", modifiers: "tuple[Looked, ...]") -> dict[str, npt.NDArray[Any]]:
    """Return what the model looks at."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for one in modifiers:
        if one.kind == "number":
            columns[one.name] = batch.numbers[one.name]
        else:
            text = batch.texts[one.name]
            levels = np.empty(len(text.levels), dtype=object)
            levels[:] = text.levels
            columns[one.name] = levels[text.codes]
    return columns


def _strangers(batch: "Batch", known: Mapping[str, frozenset[str]]) -> Flags:
    """Return who of a batch has a text that the model does not know; found once per text."""
    found = np.zeros(batch.n, dtype=bool)
    for name, texts in known.items():
        text = batch.texts[name]
        odd = np.array([bool(level) and level not in texts for level in text.levels], dtype=bool)
        found |= odd[text.codes]
    return found


class _Tally:
    """Counts of values, batch by batch."""

    def __init__(self, saved: "SavedModel") -> None:
        self._modifiers, self._known = saved.modifiers, saved.known
        self._baselines = {one.modifier: one for one in saved.facts.baselines}
        self._counts: dict[str, Counts] = {}
        self.missing = {one.name: 0 for one in saved.modifiers}
        self.unknown = {one.name: 0 for one in saved.modifiers if one.kind == "text"}
        self._present = dict(self.unknown)

    def add(self, batch: "Batch") -> None:
        """Count the values of customers who may be contacted."""
        for one in self._modifiers:
            baseline = self._baselines.get(one.name)
            if one.kind == "number":
                values = batch.numbers[one.name]
                self.missing[one.name] += int(np.isnan(values).sum())
                if baseline is not None:
                    self._count(one.name, counts_of_number(baseline, values))
            else:
                text = batch.texts[one.name]
                self._texts(one.name, self._known[one.name], text)
                if baseline is not None:
                    self._count(one.name, counts_of_text(baseline, text.codes, text.levels))

    def _texts(self, name: str, known: frozenset[str], text: Text) -> None:
        counts = np.bincount(text.codes, minlength=len(text.levels))
        for level, n in zip(text.levels, counts, strict=True):
            self.missing[name] += 0 if level else int(n)
            self._present[name] += int(n) if level else 0
            self.unknown[name] += int(n) if level and level not in known else 0

    def _count(self, name: str, counts: Counts) -> None:
        self._counts[name] = counts + self._counts.get(name, 0)

    def refuse_strangers(self, label: str) -> None:
        """Raise where no value of a text is one that the model knows: it is another column, or coded otherwise."""
        problems = [
            Problem(
                where=f"{label} column {name}",
                code="D643",
                what=f"none of the {present:,} values is one that the model was learned with",
                mend="store it as in the data of the run: the same words, the same codes",
            )
            for name, present in self._present.items()
            if present and present == self.unknown[name]
        ]
        if problems:
            raise DataError(problems)

    def drifts(self) -> Iterator[Drift]:
        """Yield how far each modifier has moved."""
        for name, counts in self._counts.items():
            yield drift_of(self._baseline(name), counts)

    def _baseline(self, name: str) -> Baseline:
        return self._baselines[name]


def _reasons(gains: Floats, arm: Arms) -> Places:
    """Return why each customer is given an arm, or none."""
    found = np.empty(len(gains), dtype=np.int8)
    for start in range(0, len(gains), _CHUNK):
        part, given = gains[start : start + _CHUNK], arm[start : start + _CHUNK]
        best = part.max(axis=1)
        own = part[np.arange(len(part)), np.maximum(given - 1, 0)]
        contacted = np.where(own >= best, BEST, NEXT)
        found[start : start + _CHUNK] = np.where(given > 0, contacted, np.where(best > 0, NOT_ENOUGH, NO_GAIN))
    return found


def _refuse_repeated(fresh: "Fresh", key: Keys) -> None:
    """Refuse ids that stand in several rows: such a customer would be contacted several times."""
    ordered = np.sort(key)
    if fresh.unit is None or not bool((ordered[1:] == ordered[:-1]).any()):
        return
    repeated = fresh.repeated()
    if repeated:
        what = f"{repeated:,} id{'' if repeated == 1 else 's'} stand{'s' if repeated == 1 else ''} in several rows"
        mend = "give every customer one row, or they would be contacted more than once"
        raise DataError(Problem(where=f"{fresh.label} column {fresh.unit}", code="D644", what=what, mend=mend))
