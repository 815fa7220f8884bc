"""What became of the units of an earlier run, and the tables between then and now that differ by one cause each."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import ibis

from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.dataset import Dataset
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.engines import EMBEDDED, Session, start_engine
from cxcausal.data.kept import KEY, NTH, analysed_keys, kept_columns, kept_dataset, read_kept
from cxcausal.data.sources import Source

Cause = Literal["same", "erased", "restated", "late", "matured", "new"]
STEPS: tuple[Cause, ...] = ("same", "erased", "restated", "late", "matured", "new")
"""The tables between two runs in their order: each holds what the one before it holds, and one cause more."""
_IDENTITY = (KEY, NTH)
_CLOCKED = ("mature", "observed_until")
_THEN = "then_"


@dataclass(frozen=True, kw_only=True)
class UnitChanges:
    """How many units differ between two runs, by cause; a unit that was analysed before may be both late and restated.

    Attributes:
        new: not there before. erased: there before, and gone.
        matured: there before, and analysed by now for the first time (or no longer).
        late: analysed before, with a value by now that was missing; for outcomes also one that was zero.
        restated: analysed before, with another value than was recorded then.
        unchanged: all others that are there.
        now: rows by now. both: rows that are there before and now, and were analysed before.
    """

    new: int
    matured: int
    late: int
    restated: int
    erased: int
    unchanged: int
    now: int
    both: int

    def of(self, cause: Cause) -> int:
        """Return the units that one cause concerns."""
        counts: Mapping[Cause, int] = {
            "same": 0,
            "erased": self.erased,
            "restated": self.restated,
            "late": self.late,
            "matured": self.matured,
            "new": self.new,
        }
        return counts[cause]


@dataclass(frozen=True, kw_only=True)
class Between:
    """The kept units of two runs of one plan inside one engine.

    Attributes:
        spec: the plan that both were kept under.
        before, now: as kept. joined: rows that are in both, the values of `before` named with a prefix.
        columns: of the units.
    """

    engine: Engine
    spec: ExperimentSpec
    before: Table
    now: Table
    joined: Table
    columns: tuple[str, ...]

    def changes(self) -> UnitChanges:
        """Return how many units differ, by cause."""
        table, analysed = self.joined, self.joined[f"{_THEN}mature"]
        late, restated = (_any(how(name) for name in self._valued()) for how in (self._late, self._restated))
        matured = analysed != table.mature
        found = table.aggregate(
            n=table.count(),
            matured=matured.sum(),
            late=(analysed & late).sum(),
            restated=(analysed & restated).sum(),
            unchanged=(~matured & ~(analysed & (late | restated))).sum(),
            both=analysed.sum(),
        )
        both, *counts = (int(number or 0) for number in self.engine.fetch(found)[0])
        before, now = (self.engine.fetch(table.aggregate(n=table.count()))[0][0] for table in (self.before, self.now))
        return UnitChanges(
            new=now - both,
            erased=before - both,
            matured=counts[0],
            late=counts[1],
            restated=counts[2],
            unchanged=counts[3],
            now=now,
            both=counts[4],
        )

    def table(self, step: Cause) -> Table:
        """Return the units of one step."""
        if step == "same":
            return self.before.select(*self.columns)
        if step == "new":
            return self.now.select(*self.columns)
        return self.joined.select(**{name: self._value(name, step) for name in self.columns})

    def newly_analysed(self) -> Table:
        """Return the units that are analysed now and were not before."""
        known = self.before.filter(self.before.mature).select(*_IDENTITY)
        return self.now.filter(self.now.mature).anti_join(known, list(_IDENTITY)).select(*self.columns)

    def cuts(self, earlier: Sequence[Path]) -> Iterator[Table]:
        """Yield, run by run, the units of now that it was the first to analyse, and last those that none did before.

        Nobody is in two of them, whatever left the data and came back between the runs.

        Args:
            earlier: what the runs kept, oldest first, under the same key.

        Raises:
            DataError: a file is damaged.
        """
        analysed = self.now.filter(self.now.mature).select(*self.columns, *_IDENTITY)
        for at, path in enumerate(earlier):
            known = self.engine.backend.create_table(f"kept_cut_{at}", ibis.memtable(analysed_keys(path)), temp=True)
            yield analysed.semi_join(known, list(_IDENTITY)).select(*self.columns)
            analysed = analysed.anti_join(known, list(_IDENTITY))
        yield analysed.select(*self.columns)

    def dataset(self, table: Table, name: str) -> Dataset:
        """Return a table of units as data that answer queries; `forget` frees it."""
        return kept_dataset(self.engine, table, self.spec, f"step_{name}")

    def forget(self, name: str) -> None:
        """Free what `dataset` made."""
        self.engine.forget(f"step_{name}")

    def restated_shares(self) -> Mapping[str, float]:
        """Return, by column, which share of the units that were analysed before has another recorded value now."""
        analysed = self.joined.filter(self.joined[f"{_THEN}mature"])
        sums = {f"c{at}": self._restated(name).mean() for at, name in enumerate(self._valued())}
        found = self.engine.fetch(analysed.aggregate(**sums))[0]
        return {name: float(share or 0.0) for name, share in zip(self._valued(), found, strict=True)}

    def means(self, *, fewest: int = 30) -> Mapping[str, tuple[float, float]]:
        """Return, by column of numbers, the mean before and that of new units; none with too few of either."""
        new = self.now.anti_join(self.before, list(_IDENTITY))
        names = [name for name in self.columns if name.startswith("number:")]
        groups = []
        for table in (self.before, new):
            sums = {f"m{at}": table[name].abs().mean() for at, name in enumerate(names)}
            units, *found = self.engine.fetch(table.aggregate(n=table.count(), **sums))[0]
            groups.append(found if units >= fewest else [])
        pairs = zip(names, *groups, strict=False)
        return {name: (before, now) for name, before, now in pairs if before is not None and now is not None}

    def _valued(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if name not in _CLOCKED)

    def _value(self, name: str, step: Cause) -> Value:
        then, now = self.joined[f"{_THEN}{name}"], self.joined[name]
        if step == "matured":
            return now
        if step == "erased" or name in _CLOCKED:
            return then
        return now if step == "late" else ibis.ifelse(self._restated(name), now, then)

    def _changed(self, name: str) -> Value:
        return ~self.joined[f"{_THEN}{name}"].identical_to(self.joined[name])

    def _late(self, name: str) -> Value:
        """Tell where a value was wanting and is recorded now."""
        then, now = self.joined[f"{_THEN}{name}"], self.joined[name]
        wanting, recorded = then.isnull(), now.notnull()
        if name.startswith("text:"):
            wanting, recorded = wanting | (then == ""), recorded & (now != "")
        if name in _awaited(self.spec):
            wanting |= (then == 0).fill_null(False)
        return self._changed(name) & wanting & recorded

    def _restated(self, name: str) -> Value:
        return self._changed(name) & ~self._late(name)


@contextmanager
def between(before: Path, now: Path, spec: ExperimentSpec, root: Path, timezone: str = "UTC") -> Iterator[Between]:
    """Open the kept units of two runs side by side.

    Args:
        before: a file that `keep_units` wrote.
        now: a later one, with the same key and under the same plan.
        spec: that plan.
        root: the project's, where the engine may put what does not fit into memory.
        timezone: the project's.

    Raises:
        DataError: a file is damaged.
    """
    source = Source(kind="parquet", files=(), names=("kept units",))
    engine = start_engine(source, root=root.absolute(), session=Session(engine=EMBEDDED, timezone=timezone))
    try:
        with engine.translated():
            then, later = (
                read_kept(engine, name, path, spec) for name, path in (("kept_then", before), ("kept_now", now))
            )
        names = tuple(name for name in kept_columns(spec, later) if name in then.columns)
        earlier = then.select(*_IDENTITY, **{f"{_THEN}{name}": then[name] for name in names})
        joined = engine.keep("kept_joined", later.join(earlier, list(_IDENTITY)))
        yield Between(engine=engine, spec=spec, before=then, now=later, joined=joined, columns=names)
    finally:
        engine.close()


def changes(before: Path, now: Path, spec: ExperimentSpec) -> UnitChanges:
    """Return how many units differ between two kept files, by cause.

    Args:
        before: a file that `cxcausal.data.kept.keep_units` wrote.
        now: a later one, with the same key.
        spec: the plan that both were kept under.

    Raises:
        DataError: a file is damaged.
    """
    with between(before, now, spec, now.parent) as both:
        return both.changes()


def _any(conditions: Iterator[Value]) -> Value:
    found = ibis.literal(False)
    for condition in conditions:
        found |= condition
    return found


def _awaited(spec: ExperimentSpec) -> frozenset[str]:
    """Return the columns in which zero may mean that nothing has been recorded yet: outcomes, answers, deliveries."""
    metrics = [metric for _, metric in spec.metrics.with_roles()]
    names = {column for metric in metrics for column in (*metric.columns, metric.response)}
    names.add(spec.design.treatment.received)
    known = {*spec.covariates, *spec.effect_modifiers, *(metric.covariate for metric in metrics)}
    return frozenset(f"number:{name}" for name in names - known if name is not None)
