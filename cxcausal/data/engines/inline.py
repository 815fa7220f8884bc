"""Tables that are kept for a run, where a database lets nobody make one: their statements stand inside the others."""

from collections.abc import Sequence

import ibis.expr.operations as ops
import ibis.expr.schema as sch
import sqlglot as sg
import sqlglot.expressions as sge

from cxcausal.data.engine import Columns, Engine, Table


def inlined(engine: Engine, expr: Table) -> Table:
    """Return an expression as a statement that others contain, computed anew wherever it is used."""
    return _stated(engine, engine.typed(expr), expr.schema())


def listed(engine: Engine, columns: Columns) -> Table:
    """Return a small table of ours as a statement that lists its rows."""
    compiler = engine.backend.compiler
    kinds = {name: _kind(values) for name, values in columns.items()}
    types = {name: compiler.type_mapper.from_ibis(kind) for name, kind in sch.Schema(kinds).items()}
    rows = [
        sg.select(*(_cell(value, types[name]).as_(name, quoted=True) for name, value in zip(columns, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]
    union = sg.union(*rows, distinct=False) if len(rows) > 1 else rows[0]
    return _stated(engine, union.sql(dialect=compiler.dialect), sch.Schema(kinds))


def _stated(engine: Engine, statement: str, schema: sch.Schema) -> Table:
    return ops.SQLQueryResult(query=statement, schema=schema, source=engine.backend).to_expr()


def _kind(values: Sequence[str | float | None]) -> str:
    present = [value for value in values if value is not None]
    if isinstance(present[0], str):
        return "string"
    return "int64" if all(isinstance(value, int) for value in present) else "float64"


def _cell(value: str | float | None, kind: sge.DataType) -> sge.Cast:
    """Return a value whose text says it exactly, in the type of its column."""
    if value is None:
        return sge.Cast(this=sge.null(), to=kind)
    return sge.Cast(this=sge.convert(value if isinstance(value, str) else repr(value)), to=kind)
