"""What a run asks, compiled for engines that can't be had here, and run again through a translation of their SQL."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose, isnan
from typing import Any

import sqlglot

from cxcausal.data.engine import Row, Table
from cxcausal.data.engines.embedded import Embedded

_CLOSE = 1e-12
_PRECISE = re.compile(r"AS DECIMAL\)")
_MACRO = "CREATE OR REPLACE TEMP MACRO ieee_divide(a, b) AS a::DOUBLE / b::DOUBLE"


@dataclass(kw_only=True)
class Translated:
    """Listens to the embedded engine.

    Attributes:
        compilers: by name; each compiles every expression that is fetched.
        seen: how many statements of each were the same. unlike: what was not, with its SQL.
    """

    compilers: Mapping[str, Any]
    seen: Counter[str] = field(default_factory=Counter)
    unlike: list[tuple[str, str, str]] = field(default_factory=list)

    def listen(self, engine: Embedded, expr: Table, rows: Sequence[Row]) -> None:
        """Compile an expression for all, translate it back, run it, and compare its rows with those of the engine."""
        engine.backend.raw_sql(_MACRO)
        for name, compiler in self.compilers.items():
            written = compiler.to_sqlglot(expr).sql(dialect=compiler.dialect)
            back = sqlglot.transpile(written, read=compiler.dialect, write="duckdb")[0]
            found = engine.backend.raw_sql(_PRECISE.sub("AS DECIMAL(38, 0))", back)).fetchall()
            if same_rows(rows, found):
                self.seen[name] += 1
            else:
                self.unlike.append((name, written, back))


def same_rows(one: Sequence[Row], other: Sequence[Row]) -> bool:
    """Tell whether two answers hold the same rows, in whatever order."""
    if len(one) != len(other):
        return False
    pairs = zip(sorted(one, key=_order), sorted(other, key=_order), strict=True)
    return all(_same(*values) for mine, theirs in pairs for values in zip(mine, theirs, strict=True))


def _order(row: Row) -> tuple[str, ...]:
    return tuple(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row)


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE) or (isnan(one) and isnan(other))
    return one == other
