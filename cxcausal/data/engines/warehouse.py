"""A warehouse that is reached through its own client: its tables are read in place, and none is made in it."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from importlib.util import find_spec
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cxcausal.core.errors import CxCausalError, DataError, MachineError, PlanError, Problem
from cxcausal.core.spec.models import Data
from cxcausal.data.engine import RAW, Columns, Engine, Opened, Row, Table
from cxcausal.data.engines.inline import inlined, listed
from cxcausal.data.sources import Source
from cxcausal.data.tables import require_columns

_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class Warehouse(Engine):
    """One connection; what is computed once elsewhere stands inside every statement that needs it here."""

    @abstractmethod
    def names(self, schema: str | None) -> Sequence[str]:
        """Return the tables of a schema, or of the connection's own."""

    @abstractmethod
    def found(self, name: str, schema: str | None) -> Table:
        """Return a table that is there."""

    @abstractmethod
    def answered(self, statement: str) -> Sequence[Sequence[object]]:
        """Send a statement and return its rows as the client gives them."""

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return its rows, in which whole numbers of any size are integers."""
        return [tuple(map(_whole, row)) for row in self.answered(statement)]

    def failure(self, error: Exception) -> CxCausalError:
        """Return that the warehouse ended a statement; its own words could quote rows."""
        what = f"the warehouse ended a statement ({type(error).__name__})"
        mend = "look the statement up in its history: cxcausal explain --sql shows what is sent"
        return MachineError(Problem(where=self.label, code="D116", what=what, mend=mend))

    def open(self, source: Source, data: Data, needed: tuple[str, ...], name: str = RAW) -> Opened:
        """Return the needed columns of a table."""
        del name
        schema, _, table = str(source.table).rpartition(".")
        with self.translated():
            known = tuple(self.names(schema or None))
            if table not in known:
                raise PlanError(_missing(str(source.table), table, known))
            stored = self.found(table, schema or None)
            require_columns(source.label, tuple(stored.columns), needed, data)
            chosen = stored.select(*needed)
            rows = int(self.rows(self.noted(self.sql(chosen.aggregate(n=chosen.count()))))[0][0])
        if not rows:
            raise DataError(
                Problem(where=source.label, code="D207", what="there are no rows", mend="export the data again")
            )
        return Opened(table=chosen, columns=needed, rows=rows, source=source, first_row=1, row=None)

    def keep(self, name: str, expr: Table) -> Table:
        """Return `expr` as a statement that others contain."""
        del name
        return inlined(self, expr)

    def load(self, name: str, columns: Columns) -> Table:
        """Return a small table of ours as a statement that others contain."""
        del name
        return listed(self, columns)

    def forget(self, name: str) -> None:
        """Do nothing: nothing was made."""

    def lock(self, opened: Sequence[Opened]) -> None:
        """Do nothing: what may be read is the warehouse's to say."""

    def close(self) -> None:
        """Close the connection."""
        self.backend.disconnect()


def required(package: str, extra: str, label: str) -> None:
    """Refuse to go on without the client's package.

    Raises:
        MachineError: it is not installed.
    """
    try:
        found = find_spec(package)
    except ModuleNotFoundError:
        found = None
    if found is None:
        what, mend = f"reading from {extra} needs the package '{package}'", f"pip install 'cxcausal[{extra}]'"
        raise MachineError(Problem(where=label, code="D114", what=what, mend=mend))


def unreached(label: str, service: str, mend: str) -> MachineError:
    """Return that no connection could be made; the client's own words could hold secrets."""
    what = f"{service} can't be reached, or refuses these credentials"
    return MachineError(Problem(where=label, code="D115", what=what, mend=mend))


def parts_of(url: str) -> tuple[SplitResult, tuple[str, ...], dict[str, str]]:
    """Return a URL's parts, the names in its path, and its options.

    Example:
        >>> parts_of("bigquery://shop-project/experiments?location=EU")[1:]
        (('experiments',), {'location': 'EU'})
    """
    split = urlsplit(url)
    return split, tuple(part for part in split.path.split("/") if part), dict(parse_qsl(split.query))


def _whole(value: object) -> object:
    return int(value) if isinstance(value, Decimal) else value


def _missing(asked: str, table: str, known: Sequence[str]) -> Problem:
    near = get_close_matches(table, known, n=1)
    there = ", ".join(sorted(known)[:_LISTED]) or "none"
    mend = f"did you mean '{near[0]}'?" if near else f"tables that can be seen: {there}"
    return Problem(where="data.table", code="D107", what=f"the database has no table '{asked}'", mend=mend)
