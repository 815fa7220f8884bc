"""An open dataset: it answers queries with aggregates, and hands out units only to what learns from them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from types import TracebackType
from typing import Any, Self

import numpy as np

from cxcausal.core.answers import Answer, Duplicates
from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.queries import (
    CapQuery,
    ClusterQuery,
    ClusterRegressionQuery,
    CorrelationQuery,
    CountQuery,
    CovariateQuery,
    DuplicateQuery,
    FlowQuery,
    MaturedQuery,
    MissingQuery,
    MixedQuery,
    MomentQuery,
    NonresponseQuery,
    QuantileQuery,
    Query,
    RegressionQuery,
)
from cxcausal.core.rows import Rows, RowsWanted
from cxcausal.data.cells import Answered, Wish, tally, wish_for
from cxcausal.data.cluster_regressions import cluster_regressions
from cxcausal.data.clusters import patterns
from cxcausal.data.counts import (
    distinct,
    distinct_counts,
    duplicates,
    flow,
    identity_of,
    is_unique,
    matured,
    mixed,
    repeated_rows,
)
from cxcausal.data.engine import Engine, Opened
from cxcausal.data.nonresponse import nonresponse
from cxcausal.data.quantiles import quantiles
from cxcausal.data.regressions import regressions
from cxcausal.data.rows import rows_of
from cxcausal.data.steady import Stamp, Unchanged
from cxcausal.data.subjects import columns_of
from cxcausal.data.tallies import moments_of
from cxcausal.data.units import Units
from cxcausal.data.winsorized import caps

_ALL = Wish(subject=None, by=(), population="enrolled")
_DONE = Wish(subject=None, by=(), population="analysed")
_Tables = Mapping[Wish, Answered]
_APART: Mapping[type[Any], Callable[[Engine, Units, Sequence[Any]], Mapping[Any, Answer]]] = {
    ClusterQuery: patterns,
    RegressionQuery: regressions,
    ClusterRegressionQuery: cluster_regressions,
    NonresponseQuery: nonresponse,
    QuantileQuery: quantiles,
    CapQuery: caps,
    MaturedQuery: matured,
}
"""The queries that are more than sums over arms and groups, each with what answers all of its kind at once."""
_PURPOSES: Mapping[type[Any], str] = {
    ClusterQuery: "sums within clusters, collapsed by their sizes",
    RegressionQuery: "regressions: cross-products, then squared residuals",
    ClusterRegressionQuery: "regressions in clusters: cross-products within each, without its name",
    NonresponseQuery: "bounds where some did not answer",
    QuantileQuery: "values around quantiles",
    CapQuery: "where extreme values are cut",
    MaturedQuery: "how many were observed for long enough by some dates",
}
_REGRESSED = RegressionQuery | ClusterRegressionQuery
_MEASURED = MissingQuery | MomentQuery | ClusterQuery | CorrelationQuery | _REGRESSED | NonresponseQuery | QuantileQuery


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The data of one plan; close it, or use it as a context manager.

    Attributes:
        inputs: (name, SHA-256 of the bytes) of every input file.
        fingerprint: one hash over them.
        data_cut: the latest end of observation, an ISO date in the project's time zone; None where not declared.
        levels: the values of each segment among enrolled units, sorted; the empty text where some are missing.
        stamps: the files that are still read from, as they were when they were hashed.
    """

    inputs: tuple[tuple[str, str], ...]
    fingerprint: str
    data_cut: str | None
    levels: Mapping[str, tuple[str, ...]]
    engine: Engine
    opened: Opened
    units: Units
    stamps: tuple[Stamp, ...] = ()

    def answer(self, queries: Sequence[Query]) -> Mapping[Query, Answer]:
        """Return one answer per query, in as few passes over the data as possible.

        Counts and tables without `by` name every arm of the plan, with zeros for an arm without units.

        Raises:
            PlanError: a query names a column that the plan did not declare in that role.
            DataError: a file changed since it was hashed.
            MachineError: the data need more memory than the engine may use.
        """
        with Unchanged(self.stamps):
            return self._answered(queries)

    def _answered(self, queries: Sequence[Query]) -> Mapping[Query, Answer]:
        asked = tuple(dict.fromkeys(queries))
        self._refuse_unknown(asked)
        apart = [kind for kind in _APART if any(isinstance(query, kind) for query in asked)]
        with self.engine.progress.stage("asking the data", total=len(apart) + 2) as asking:
            with self.engine.doing("identities: how many, and whether one is repeated"):
                unique = self._unique_identities(asked)
            with self.engine.doing("counts, sums and products per arm and group"):
                tables = tally(self.engine, self.units, [wish for one in asked for wish in self._wishes(one, unique)])
            answers: dict[Query, Answer] = {}
            for kind in apart:
                asking.advance()
                with self.engine.doing(_PURPOSES[kind]):
                    alike = [query for query in asked if isinstance(query, kind)]
                    answers |= _APART[kind](self.engine, self.units, alike)
            asking.advance()
            with self.engine.doing("identities by arm and group"):
                answers |= {query: self._answer(query, tables, unique) for query in asked if query not in answers}
            asking.advance()
        return answers

    def rows(self, wanted: RowsWanted) -> Rows:
        """Return the analysed units as columns, in an order that does not depend on that of the data.

        Raises:
            DataError: a file changed since it was hashed.
            MachineError: the units need more memory than there is.
        """
        purpose = "the units themselves, for what sums can't tell"
        with Unchanged(self.stamps), self.engine.progress.stage("reading the units"), self.engine.doing(purpose):
            return rows_of(self.engine, self.units, wanted)

    def repeated_rows(self) -> tuple[str, tuple[int, ...]]:
        """Return the file and up to five row numbers of units that stood before in the same arm; never an id."""
        return repeated_rows(self.engine, self.units, self.opened)

    def close(self) -> None:
        """Free the engine; nothing can be answered afterwards."""
        self.engine.close()

    def __enter__(self) -> Self:
        """Return the dataset itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _unique_identities(self, queries: tuple[Query, ...]) -> frozenset[str]:
        """Return the identities of which counting rows is as good as counting distinct values."""
        counted = (CountQuery, FlowQuery, DuplicateQuery, MixedQuery)
        if not any(isinstance(query, counted) for query in queries):
            return frozenset()
        columns = dict.fromkeys(identity_of(self.units, of) for of in ("unit", "randomization_unit"))
        return frozenset(name for name in columns if name is not None and is_unique(self.engine, self.units, name))

    def _wishes(self, query: Query, unique: frozenset[str]) -> Iterator[Wish]:
        if isinstance(query, CountQuery) and self._by_rows(query, unique):
            yield Wish(subject=None, by=query.by, population=query.population)
        elif isinstance(query, FlowQuery):
            yield from (_ALL, _DONE)
        elif isinstance(query, MissingQuery):
            yield wish_for(query.measure)
        elif isinstance(query, MomentQuery):
            yield wish_for(query.measure, query.by)
        elif isinstance(query, CovariateQuery):
            yield self._covariate_wish(query)
        elif isinstance(query, CorrelationQuery) and query.column in self.units.numbers:
            yield wish_for(query)

    def _by_rows(self, query: CountQuery, unique: frozenset[str]) -> bool:
        column = identity_of(self.units, query.of)
        return column is None or column in unique

    def _covariate_wish(self, query: CovariateQuery) -> Wish:
        if query.column in self.units.numbers:
            return wish_for(query)
        return Wish(subject=None, by=(query.column,), population="enrolled")

    def _answer(self, query: Query, tables: _Tables, unique: frozenset[str]) -> Answer:
        if isinstance(query, CountQuery):
            return self._counts(query, tables, unique)
        if isinstance(query, MixedQuery | DuplicateQuery):
            return self._repetition(query, unique)
        if isinstance(query, FlowQuery):
            return flow(self.units, tables[_ALL].tallies, tables[_DONE].tallies, self._randomized(tables, unique))
        if isinstance(query, MissingQuery):
            cells = tables[wish_for(query.measure)].tallies
            return {arm: (cell.units, cell.units - cell.n) for (arm, _), cell in cells.items()}
        if isinstance(query, CorrelationQuery):
            return _correlation(tables[wish_for(query)]) if query.column in self.units.numbers else nan
        assert isinstance(query, MomentQuery | CovariateQuery)  # noqa: S101 - all others were answered before
        return self._moments_or_levels(query, tables)

    def _repetition(self, query: MixedQuery | DuplicateQuery, unique: frozenset[str]) -> Answer:
        column = identity_of(self.units, query.of if isinstance(query, MixedQuery) else "unit")
        known = column is None or column in unique
        if isinstance(query, MixedQuery):
            return 0 if known else mixed(self.engine, self.units, query)
        return Duplicates(repeated=0, mixed=0) if known else duplicates(self.engine, self.units)

    def _moments_or_levels(self, query: MomentQuery | CovariateQuery, tables: _Tables) -> Answer:
        wish = wish_for(query.measure, query.by) if isinstance(query, MomentQuery) else self._covariate_wish(query)
        found = tables[wish]
        if wish.subject is None:
            return {key: cell.units for key, cell in found.tallies.items()}
        return {key: moments_of(cell, found.grids) for key, cell in found.tallies.items()}

    def _counts(self, query: CountQuery, tables: _Tables, unique: frozenset[str]) -> Answer:
        if self._by_rows(query, unique):
            wish = Wish(subject=None, by=query.by, population=query.population)
            return {key: cell.units for key, cell in tables[wish].tallies.items()}
        none = {} if query.by else {(arm, ()): 0 for arm in self.units.arms}
        column = identity_of(self.units, query.of)
        return none | dict(distinct_counts(self.engine, self.units, query, str(column)))

    def _randomized(self, tables: _Tables, unique: frozenset[str]) -> int:
        column = self.units.randomization_unit
        if column is None or column in unique:
            return sum(cell.units for cell in tables[_ALL].tallies.values())
        return distinct(self.engine, self.units, column)

    def _refuse_unknown(self, queries: tuple[Query, ...]) -> None:
        """Refuse queries about columns that were not read, or not in that role: all at once."""
        known = {*self.units.table.columns}
        asked = {(role, name) for query in queries for role, name in _columns(query)}
        missing = sorted({name for role, name in asked if f"{role}:{name}" not in known})
        if missing:
            mend = "name them in the plan as a metric, covariate, segment or cluster"
            raise PlanError(
                Problem(where="plan", code="D140", what=f"these columns were not read: {', '.join(missing)}", mend=mend)
            )


def _columns(query: Query) -> Iterator[tuple[str, str]]:
    """Yield (role, name) of the columns that a query needs; a covariate may have either role."""
    if isinstance(query, _MEASURED):
        yield from (("number", name) for name in columns_of(query.measure))
    if isinstance(query, CountQuery | MomentQuery | _REGRESSED | QuantileQuery):
        yield from (("text", name) for name in query.by)
    if isinstance(query, _REGRESSED):
        yield from (("text", name) for name in query.strata)
    if isinstance(query, NonresponseQuery):
        yield from (("id", name) for name in query.clusters)
    if isinstance(query, ClusterQuery | ClusterRegressionQuery | QuantileQuery):
        yield from (("id", name) for name in query.cluster)
    if isinstance(query, ClusterQuery):
        yield from (("text", name) for name in (query.by,) if name is not None)


def _correlation(found: Answered) -> float:
    """Return the pooled within-arm correlation of two components; nan where one does not vary."""
    pooled = np.zeros((2, 2))
    for cell in found.tallies.values():
        pooled += moments_of(cell, found.grids).m2
    scale = sqrt(pooled[0, 0] * pooled[1, 1])
    return float(pooled[0, 1] / scale) if scale > 0 else nan
