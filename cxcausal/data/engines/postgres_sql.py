"""PostgreSQL's SQL, held to the numbers of the embedded engine."""

from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.postgres import PostgresCompiler

from cxcausal.data.engine import Value
from cxcausal.data.engines import postgres_texts as texts
from cxcausal.data.functions import DIGEST_DIGITS, OwnFunctions

LARGEST, SMALLEST = "1.7976931348623158e308", "2.5e-324"
"""Decimals from which a float is infinite, and up to which it is 0."""
_WHOLE = 9.2e18
_STRUCT, _EXTREME = "cxcausal_struct", "cxcausal_extreme"
_TEXT, _FLOAT, _WHOLE_OF = "cxcausal_text", "cxcausal_float", "cxcausal_whole"


def _any(value: object) -> Any:
    """Return what Ibis has no cast for."""


text_of: Value = ibis.udf.scalar.builtin(name=_TEXT, signature=(("string",), "string"))(_any)
"""Text of any of PostgreSQL's types that is compared byte by byte."""
float_of: Value = ibis.udf.scalar.builtin(name=_FLOAT, signature=(("decimal",), "float64"))(_any)
"""The float nearest to a decimal of any size."""
whole_of: Value = ibis.udf.scalar.builtin(name=_WHOLE_OF, signature=(("decimal",), "int64"))(_any)
"""The whole number that a decimal is."""


class Compiler(OwnFunctions, PostgresCompiler):  # type: ignore[misc] # Ibis is not fully typed
    """What PostgreSQL does otherwise than the embedded engine, and what Ibis leaves out."""

    __slots__ = ()

    def digest(self, text: sge.Expression) -> sge.Expression:
        """Return the first 60 bits of a text's MD5."""
        first = sge.DPipe(this=sge.convert("x"), expression=self.f.left(self.f.md5(text), DIGEST_DIGITS))
        bits = sge.cast(sge.paren(first), f"bit({4 * DIGEST_DIGITS})", dialect=self.dialect)
        return sge.cast(bits, "bigint", dialect=self.dialect)

    def moment_in(self, zone: sge.Expression, at: sge.Expression) -> sge.Expression:
        """Return a time without a zone, in the zone of the session."""
        local: sge.Expression = self.cast(self.f.anon.timezone(zone, at), dt.timestamp)
        return local

    def visit_ScalarUDF(self, op: ops.ScalarUDF, **arguments: sge.Expression) -> sge.Expression:
        """Return a call of one of the functions above."""
        own = {_TEXT: self._text, _FLOAT: self._float, _WHOLE_OF: self._whole}
        if op.__func_name__ in own:
            return own[op.__func_name__](*arguments.values())
        return super().visit_ScalarUDF(op, **arguments)

    def visit_Select(self, op: Any, **parts: Any) -> Any:
        """Fence off computed columns: the planner would put them in wherever they are used, and compute them anew."""
        found = super().visit_Select(op, **parts)
        computed = any(not isinstance(value, ops.Field) for value in op.selections.values())
        return found.offset(0, copy=False) if computed and isinstance(found, sge.Select) else found

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """Return truth as 1 and 0, and text that is compared byte by byte."""
        if op.arg.dtype.is_boolean() and to.is_numeric():
            return self.cast(self.cast(arg, dt.int32), to)
        found = super().visit_Cast(op, arg=arg, to=to)
        if op.arg.dtype.is_floating() and to.is_string():
            found = self._told(arg, found)
        return bytewise(found) if to.is_string() and not op.arg.dtype.is_string() else found

    def visit_TryCast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """Return null for what can't be cast."""
        if op.arg.dtype.is_floating() and to.is_integer():
            fits = sge.Between(this=arg, low=sge.convert(-_WHOLE), high=sge.convert(_WHOLE))
            return self.if_(fits, self.cast(arg, to), sge.null())
        if op.arg.dtype.is_string() and to.is_floating():
            return self._number(arg)
        if op.arg.dtype.is_string() and to.is_timestamp():
            return self._time(arg, to)
        raise NotImplementedError(f"{op.arg.dtype} to {to}")

    def visit_Divide(self, op: Any, *, left: Any, right: Any) -> Any:
        """Divide whole numbers as floats."""
        parts = ((op.left, left), (op.right, right))
        one, other = (part if of.dtype.is_floating() else self.cast(part, dt.float64) for of, part in parts)
        return sge.Div(this=sge.paren(one), expression=sge.paren(other), typed=True)

    def visit_Modulus(self, op: Any, *, left: Any, right: Any) -> Any:
        """Return the rest of a division of floats, which is exact by 1."""
        if op.dtype.is_integer():
            return super().visit_Modulus(op, left=left, right=right)
        left, right = sge.paren(left), sge.paren(right)
        return sge.paren(left - right * self.f.trunc(sge.Div(this=left, expression=right, typed=True)))

    def visit_RegexSearch(self, op: Any, *, arg: Any, pattern: Any) -> Any:
        """Return a match by the operator, which servers before 15 have as well."""
        del op
        return sge.RegexpLike(this=arg, expression=pattern)

    def visit_StructColumn(self, op: Any, *, names: Any, values: Any) -> Any:
        """Return a struct, of which only the largest or smallest is ever asked for."""
        del op
        pairs = (part for name, value in zip(names, values, strict=True) for part in (sge.convert(name), value))
        return self.f.anon[_STRUCT](*pairs)

    def visit_Max(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Return the largest value; of structs, a mark for `visit_StructField`."""
        return (
            self._extreme(op, arg, where) if op.arg.dtype.is_struct() else super().visit_Max(op, arg=arg, where=where)
        )

    def visit_Min(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Return the smallest value; of structs, a mark for `visit_StructField`."""
        return (
            self._extreme(op, arg, where) if op.arg.dtype.is_struct() else super().visit_Min(op, arg=arg, where=where)
        )

    def visit_StructField(self, op: Any, *, arg: Any, field: str) -> Any:
        """Return a field of the largest or smallest struct: PostgreSQL has no such aggregate before 18."""
        del op
        desc, where, struct = arg.expressions
        names, values = struct.expressions[::2], struct.expressions[1::2]
        value = next(value for name, value in zip(names, values, strict=True) if name.name == field)
        # Null counts as the largest, as it does there.
        keys = [sge.Ordered(this=key, desc=desc.this, nulls_first=desc.this) for key in values]
        listed = self.f.array_agg(sge.Order(this=value, expressions=keys))
        listed = listed if isinstance(where, sge.Null) else sge.Filter(this=listed, expression=sge.Where(this=where))
        return sge.paren(listed)[0]  # counted from 0 here, and from 1 in SQL

    def _extreme(self, op: Any, arg: Any, where: Any) -> sge.Expression:
        desc = sge.Boolean(this=isinstance(op, ops.Max))
        return self.f.anon[_EXTREME](desc, sge.null() if where is None else where, arg)  # type: ignore[no-any-return]

    def _number(self, text: sge.Expression) -> sge.Expression:
        """Return the float that a text is; beyond all floats infinite, and too small for any 0."""
        length = self.f.length(text)
        short = sg.and_(length <= texts.SHORT, _matches(text, texts.SHORT_NUMBER))
        odd = sg.or_(length > texts.LONG, sg.not_(_matches(text, texts.NUMBER)))
        huge = _matches(text, texts.LONG_EXPONENT)
        zero, vanishing = _matches(text, texts.ZERO), _matches(text, texts.NEGATIVE_EXPONENT)
        signed = self.if_(sge.Like(this=text, expression=sge.convert("-%")), self.NEG_INF, self.POS_INF)
        none = self.cast(sge.convert("0"), dt.float64)
        case = sge.Case().when(short, self.cast(text, dt.float64)).when(odd, sge.null())
        case = case.when(zero, none).when(sg.and_(huge, vanishing), none).when(huge, signed)
        return case.else_(self._float(text))

    def _told(self, value: sge.Expression, text: sge.Expression) -> sge.Expression:
        """Return a float's text as the embedded engine writes it: with an exponent only from 1e16 on."""
        plain = self.cast(sge.cast(text, "numeric", dialect=self.dialect), dt.string)
        point = self.if_(value.eq(self.f.trunc(value)), sge.convert(".0"), sge.convert(""))
        large = sge.DPipe(this=plain, expression=sge.paren(point))
        infinite = self.f.replace(text, sge.convert("Infinity"), sge.convert("inf"))
        size = self.f.abs(value)
        case = (
            sge.Case()
            .when(size < self.cast("1e15", dt.float64), text)
            .when(size < self.cast("1e16", dt.float64), large)
        )
        return case.else_(infinite)

    def _text(self, value: sge.Expression) -> sge.Expression:
        return bytewise(sge.cast(value, "text", dialect=self.dialect))

    def _whole(self, exact: sge.Expression) -> sge.Expression:
        found: sge.Expression = self.cast(self.f.nullif(exact, _decimal("NaN")), dt.int64)
        return found

    def _float(self, stored: sge.Expression) -> sge.Expression:
        exact = sge.cast(stored, "numeric", dialect=self.dialect)
        size = self.f.abs(exact)
        signed = self.if_(exact > 0, self.POS_INF, self.NEG_INF)
        none = self.cast(sge.convert("0"), dt.float64)
        kept = sg.or_(exact.eq(_decimal("NaN")), size < _decimal(LARGEST))
        case = sge.Case().when(sg.not_(sge.paren(kept)), signed).when(size <= _decimal(SMALLEST), none)
        return case.else_(self.cast(exact, dt.float64))

    def _time(self, text: sge.Expression, to: Any) -> sge.Expression:
        """Return the time that a text is; fractions are cut at the microsecond, and local times leave an offset out."""
        if to.timezone is None:
            known: sge.Expression = self.f.anon.substring(text, sge.convert(texts.LOCAL_TIME))
        else:
            known = self.f.anon.regexp_replace(text, sge.convert(texts.LONG_FRACTION), sge.convert(r"\1"))
        found: sge.Expression = self.if_(_matches(text, texts.TIME), self.cast(known, to), sge.null())
        return found


def bytewise(text: sge.Expression) -> sge.Expression:
    """Return a text that is compared by its bytes, and not by a language's order."""
    return sge.Collate(this=text, expression=sge.to_identifier("C", quoted=True))


def _matches(text: sge.Expression, pattern: str) -> sge.Expression:
    return sge.RegexpLike(this=text, expression=sge.convert(pattern))


def _decimal(number: str) -> sge.Expression:
    return sge.cast(sge.convert(number), "numeric", dialect="postgres")
