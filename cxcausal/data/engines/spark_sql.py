"""Spark's SQL, mended where it says something else than the embedded engine: rounding, sums, texts, times and ranks."""

from math import isfinite
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL, SQLGlotCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.backends.sql.datatypes import PySparkType
from ibis.backends.sql.rewrites import p
from ibis.common.patterns import replace

from cxcausal.data.functions import OwnFunctions

Sql = Any
"""A sqlglot expression; Ibis hands them on untyped."""
_HALF = 30
_MASK = (1 << _HALF) - 1
_RANK = "__cxcausal_rank"
_KINDS = sge.DataType.Type
_UNIX_LINES = "(?d)"
_LEAST_PLAIN, _MOST_PLAIN = "1e-4D", "1e16D"
"""Sizes between which the embedded engine writes a number without an exponent."""
_EXPONENTS = ((r"(\.0)?E([0-9])", "e+$2"), (r"(\.0)?E-", "e-"), ("e([+-])([0-9])$", "e$10$2"))
"""From 1.0E20 and 1.5E-7 to 1e+20 and 1.5e-07."""
_NO_SECONDS = "^(.{10}[T ][0-9]{2}:[0-9]{2})(Z|[+-])"
_MIDNIGHT = r"^(.{10}[T ])24(:00($|[^:]|:00($|[^.0-9])))"
_STRAY_ZONE = "^.{11}.* [+-]"


class SparkTypes(PySparkType):  # type: ignore[misc] # Ibis is not fully typed
    """Times without a zone are what Spark calls NTZ; those with one are moments, shown in the session's zone."""

    @classmethod
    def _from_ibis_Timestamp(cls, dtype: dt.Timestamp) -> sge.DataType:
        return sge.DataType(this=_KINDS.TIMESTAMPNTZ if dtype.timezone is None else _KINDS.TIMESTAMPLTZ)


@replace(p.Limit)  # type: ignore[untyped-decorator] # Ibis is not fully typed
def offset_to_rank(_: ops.Limit) -> ops.Node:
    """Number ordered rows, and keep those behind the offset: Spark would carry all before it to the driver."""
    if not _.offset or not isinstance(_.parent, ops.Sort):
        return _
    rank = ops.WindowFunction(ops.RowNumber(), how="rows", order_by=_.parent.keys).to_expr()
    ranked = _.parent.parent.to_expr().mutate(**{_RANK: rank})
    kept = ranked.filter(ranked[_RANK] >= _.offset, ranked[_RANK] < _.offset + _.n)
    return kept.drop(_RANK).op()


class SparkCompiler(OwnFunctions, PySparkCompiler):  # type: ignore[misc] # Ibis is not fully typed
    """Spark 4 in ANSI mode: what does not fit is an error, never another number."""

    __slots__ = ()
    type_mapper = SparkTypes
    rewrites = (offset_to_rank, *SQLGlotCompiler.rewrites)

    def digest(self, text: Sql) -> Sql:
        """Return the first 60 bits of a text's MD5."""
        first = self.f.anon.substring(self.f.anon.md5(text), 1, 15)
        return self._cast(self.f.anon.conv(first, 16, 10), dt.int64)

    def moment_in(self, zone: Sql, at: Sql) -> Sql:
        """Return a time without a zone, in the zone of the session; of an hour that comes twice, the second."""
        first = self.f.anon.convert_timezone(zone, "UTC", at)
        second = sge.Add(this=first, expression=sge.Interval(this=sge.convert("1"), unit=sge.Var(this="HOUR")))
        again = sge.EQ(this=self.f.anon.convert_timezone("UTC", zone, second), expression=at)
        return self.f.anon.convert_timezone("UTC", self.f.anon.current_timezone(), self.if_(again, second, first))

    def visit_NonNullLiteral(self, op: ops.Literal, *, value: Any, dtype: dt.DataType) -> Sql | None:
        """Write floats so that they are none of Spark's decimals."""
        if dtype.is_floating() and isfinite(value):
            number = sge.Literal.number(f"{abs(float(value))!r}D")
            return sge.Neg(this=number) if value < 0 else number
        found: Sql | None = super().visit_NonNullLiteral(op, value=value, dtype=dtype)
        return found

    def visit_IsNull(self, op: ops.IsNull, *, arg: Sql) -> Sql:  # noqa: ARG002 - Ibis's
        """Tell what is null; NaN is not."""
        return arg.is_(NULL)

    def visit_NotNull(self, op: ops.NotNull, *, arg: Sql) -> Sql:  # noqa: ARG002 - Ibis's
        """Tell what is not null, as NaN is."""
        return arg.is_(sg.not_(NULL))

    def visit_Sum(self, op: ops.Sum, *, arg: Sql, where: Sql | None) -> Sql:
        """Sum whole numbers in two halves, which fit 64 bits for billions of rows, and put them together exactly."""
        if not op.arg.dtype.is_integer():
            found: Sql = super().visit_Sum(op, arg=arg, where=where)
            return found
        high = self.agg.sum(self.f.anon.shiftright(arg, _HALF), where=where)
        low = self.agg.sum(sge.BitwiseAnd(this=sge.paren(arg), expression=sge.convert(_MASK)), where=where)
        wide = sge.Mul(this=self._cast(high, dt.Decimal(38, 0)), expression=sge.convert(_MASK + 1))
        return sge.paren(sge.Add(this=wide, expression=low))

    def visit_Cast(self, op: ops.Cast, *, arg: Sql, to: dt.DataType) -> Sql:
        """Cast floats to whole numbers by rounding halves to even, and to text in the embedded engine's spelling."""
        kind = op.arg.dtype
        if kind.is_floating() and to.is_integer():
            return self._cast(self.f.anon.rint(arg), to)
        if kind.is_floating() and to.is_string():
            return self._float_text(arg)
        if kind.is_timestamp() and kind.timezone is not None and to.is_string():
            return self._moment_text(arg)
        found: Sql = super().visit_Cast(op, arg=arg, to=to)
        return found

    def visit_TryCast(self, op: ops.TryCast, *, arg: Sql, to: dt.DataType) -> Sql:
        """Cast what can be cast, and texts as times as the embedded engine reads them."""
        kind = op.arg.dtype
        if kind.is_floating() and to.is_integer():
            return self._try_cast(self.f.anon.rint(arg), to)
        return self._time(arg, to) if kind.is_string() and to.is_timestamp() else self._try_cast(arg, to)

    def visit_RegexSearch(self, op: ops.RegexSearch, *, arg: Sql, pattern: Sql) -> Sql:  # noqa: ARG002 - Ibis's
        """Search with `$` at the very end only, and with no sign but the line feed ending a line."""
        assert isinstance(op.pattern, ops.Literal)  # noqa: S101 - all patterns are ours
        text = str(op.pattern.value)
        return self._found(arg, f"{text[:-1]}\\z" if text.endswith("$") else text)

    def _cast(self, arg: Sql, to: dt.DataType) -> Sql:
        return sge.Cast(this=arg, to=self.type_mapper.from_ibis(to))

    def _try_cast(self, arg: Sql, to: dt.DataType) -> Sql:
        return sge.TryCast(this=arg, to=self.type_mapper.from_ibis(to), safe=True)

    def _found(self, text: Sql, pattern: str) -> Sql:
        return sge.RegexpLike(this=text, expression=sge.convert(f"{_UNIX_LINES}{pattern}"))

    def _replaced(self, text: Sql, pattern: str, by: str) -> Sql:
        return self.f.anon.regexp_replace(text, sge.convert(pattern), sge.convert(by))

    def _time(self, text: Sql, to: dt.DataType) -> Sql:
        """Return a text's time: 24:00 is the next day's start, seconds may be left out, and zones follow at once."""
        next_day = self._try_cast(self._replaced(text, _MIDNIGHT, "$100$2"), to)
        next_day = sge.Add(this=next_day, expression=sge.Interval(this=sge.convert("1"), unit=sge.Var(this="DAY")))
        read = self._try_cast(self._replaced(text, _NO_SECONDS, "$1:00$2"), to)
        known = self.if_(self._found(text, _MIDNIGHT), next_day, read)
        return self.if_(self._found(text, _STRAY_ZONE), NULL, known)

    def _float_text(self, arg: Sql) -> Sql:
        """Return 0.0001 and 123456789.5 without an exponent, others as 1.5e+20 and 1e-05, in Python's digits."""
        text, size = self._cast(arg, dt.string), self.f.abs(arg)
        plain = self._cast(self._try_cast(text, dt.Decimal(38, 21)), dt.string)
        plain = self._replaced(plain, r"(\.[0-9]+?)0+$", "$1")
        short = text
        for pattern, by in _EXPONENTS:
            short = self._replaced(short, pattern, by)
        between = sg.and_(size >= sge.Literal.number(_LEAST_PLAIN), size < sge.Literal.number(_MOST_PLAIN))
        return self.if_(between, plain, self.if_(size.eq(sge.convert(0)), sge.convert("0.0"), short))

    def _moment_text(self, arg: Sql) -> Sql:
        """Return a moment in the session's zone with its distance from UTC, such as +01 or +05:30."""
        local = self._cast(self._cast(arg, dt.timestamp), dt.string)
        zone = self.f.anon.date_format(arg, sge.convert("xxx"))
        return self.f.anon.concat(local, self._replaced(zone, ":00$", ""))
