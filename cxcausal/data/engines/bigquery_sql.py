"""BigQuery's SQL, held to what every engine must give."""

from typing import Any, ClassVar

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.bigquery import BigQueryCompiler

from cxcausal.data.functions import DIGEST_DIGITS, OwnFunctions, half_even, remainder

_SUM = dt.Decimal(38, 0)

Sql = Any
"""An sqlglot expression; Ibis's compilers are not typed."""


class BigQuery(OwnFunctions, BigQueryCompiler):  # type: ignore[misc] # Ibis is not fully typed
    """Sums of whole numbers are NUMERIC, casts round halves to even, and shifts keep the sign.

    Attributes:
        timezone: the project's; BigQuery has no session that could know it.
    """

    __slots__ = ("timezone",)
    SIMPLE_OPS: ClassVar[dict[type[ops.Node], str]] = {}  # those of the parent are methods of it already

    def __init__(self, timezone: str) -> None:
        """Compile for one project."""
        super().__init__()
        self.timezone = sge.convert(timezone)

    def visit_Sum(self, op: ops.Sum, *, arg: Sql, where: Sql | None) -> Sql:
        """Return a sum that can't overflow."""
        if op.arg.dtype.is_integer():
            arg = self.cast(arg, _SUM)
        return super().visit_Sum(op, arg=arg, where=where)

    def visit_Cast(self, op: ops.Cast, *, arg: Sql, to: dt.DataType) -> Sql:
        """Return a cast that rounds floats, and shows moments in the project's zone."""
        kind = op.arg.dtype
        if kind.is_floating() and to.is_integer():
            return self.cast(half_even(self, arg), to)
        if kind.is_timestamp() and kind.timezone is not None and to.is_timestamp() and to.timezone is None:
            return self.f.anon.datetime(arg, self.timezone)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_TryCast(self, op: ops.TryCast, *, arg: Sql, to: dt.DataType) -> Sql:
        """Return a cast that gives null; times without a zone are of the project's."""
        if to.is_timestamp() and to.timezone is not None and op.arg.dtype.is_string():
            local = self.f.anon["safe.timestamp"](arg, self.timezone)
            return self.f.coalesce(local, super().visit_TryCast(op, arg=arg, to=to))
        if op.arg.dtype.is_floating() and to.is_integer():
            arg = half_even(self, arg)
        return super().visit_TryCast(op, arg=arg, to=to)

    def visit_Modulus(self, op: ops.Modulus, *, left: Sql, right: Sql) -> Sql:
        """Return the remainder, of floats too."""
        return remainder(self, left, right) if op.dtype.is_floating() else self.f.mod(left, right)

    def visit_BitwiseRightShift(self, op: ops.BitwiseRightShift, *, left: Sql, right: Sql) -> Sql:
        """Return an arithmetic shift by a given number of bits; BigQuery's own fills with zeros from the left."""
        del right
        size = 1 << op.right.value
        low = sge.paren(sge.BitwiseAnd(this=left, expression=sge.convert(size - 1)))
        return self.f.anon.div(sge.paren(sge.Sub(this=left, expression=low)), size)

    def visit_TimestampAdd(self, op: ops.TimestampAdd, *, left: Sql, right: Sql) -> Sql:
        """Return a later time; one without a zone has a function of its own."""
        if op.left.dtype.timezone is None:
            return self.f.anon.datetime_add(left, right)
        return super().visit_TimestampAdd(op, left=left, right=right)

    def digest(self, text: Sql) -> Sql:
        """Return the first 60 bits of a text's MD5."""
        first = self.f.anon.substr(self.f.anon.to_hex(self.f.anon.md5(text)), 1, DIGEST_DIGITS)
        return self.cast(self.f.concat("0x", first), dt.int64)

    def moment_in(self, zone: Sql, at: Sql) -> Sql:
        """Return a time without a zone, in the project's."""
        return self.f.anon.datetime(self.f.anon.timestamp(at, zone), self.timezone)
