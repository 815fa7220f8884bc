"""Snowflake's SQL, held to what every engine must give."""

from typing import Any, ClassVar

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.snowflake import SnowflakeCompiler

from cxcausal.data.functions import DIGEST_DIGITS, OwnFunctions, half_even

_LOCAL = sge.DataType(this=sge.DataType.Type.TIMESTAMPLTZ)

Sql = Any
"""An sqlglot expression; Ibis's compilers are not typed."""


class Snowflake(OwnFunctions, SnowflakeCompiler):  # type: ignore[misc] # Ibis is not fully typed
    """Numbers with a point are floats, casts round halves to even, and moments are shown in the session's zone.

    Attributes:
        timezone: the project's, which the session is set to as well.
    """

    __slots__ = ("timezone",)
    SIMPLE_OPS: ClassVar[dict[type[ops.Node], str]] = {}  # those of the parent are methods of it already

    def __init__(self, timezone: str) -> None:
        """Compile for one project."""
        super().__init__()
        self.timezone = sge.convert(timezone)

    def visit_Divide(self, op: ops.Divide, *, left: Sql, right: Sql) -> Sql:
        """Return a division of floats; that of fixed-point numbers keeps six digits."""
        del op
        return sge.Div(this=self.cast(left, dt.float64), expression=self.cast(right, dt.float64))

    def visit_Cast(self, op: ops.Cast, *, arg: Sql, to: dt.DataType) -> Sql:
        """Return a cast that rounds floats, and shows moments in the session's zone."""
        kind = op.arg.dtype
        if kind.is_floating() and to.is_integer():
            return self.cast(half_even(self, arg), to)
        if kind.is_timestamp() and kind.timezone is not None and to.is_timestamp() and to.timezone is None:
            arg = sge.Cast(this=arg, to=_LOCAL)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_TryCast(self, op: ops.TryCast, *, arg: Sql, to: dt.DataType) -> Sql:
        """Return a cast that gives null; Snowflake's own reads text only."""
        if op.arg.dtype.is_string():
            return super().visit_TryCast(op, arg=arg, to=to)
        return self.cast(half_even(self, arg) if to.is_integer() else arg, to)

    def visit_BitwiseRightShift(self, op: ops.BitwiseRightShift, *, left: Sql, right: Sql) -> Sql:
        """Return an arithmetic shift of a whole number by a given number of bits, whatever its sign."""
        del right
        size = 1 << op.right.value
        high = sge.paren(sge.Sub(this=left, expression=sge.paren(self.f.anon.bitand(left, size - 1))))
        return self.cast(self.f.trunc(sge.Div(this=high, expression=sge.convert(size))), dt.int64)

    def digest(self, text: Sql) -> Sql:
        """Return the first 60 bits of a text's MD5."""
        first = self.f.anon.substr(self.f.anon.md5(text), 1, DIGEST_DIGITS)
        return self.cast(self.f.anon.to_number(first, "X" * DIGEST_DIGITS), dt.int64)

    def moment_in(self, zone: Sql, at: Sql) -> Sql:
        """Return a time without a zone, in the session's."""
        return self.f.anon.convert_timezone(zone, self.timezone, at)
