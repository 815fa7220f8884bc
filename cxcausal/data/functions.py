"""Functions that Ibis has no name for: every engine's compiler says how its database spells them."""

from abc import ABC, abstractmethod
from math import isfinite
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge

from cxcausal.core.rows import BUCKETS
from cxcausal.data.engine import Value

DIGEST_DIGITS = 15
DIGEST, MOMENT_IN = "cxcausal_digest", "cxcausal_moment_in"


def _digest(text: str) -> Any:  # noqa: ANN401 - an Ibis expression
    """Return 60 bits of a text's MD5."""


def _moment_in(zone: str, at: object) -> Any:  # noqa: ANN401 - an Ibis expression
    """Return the project's local time of the moment at which a clock of that zone shows a time."""


_digest_of = ibis.udf.scalar.builtin(name=DIGEST, signature=(("string",), "int64"))(_digest)
_moment_of = ibis.udf.scalar.builtin(name=MOMENT_IN, signature=(("string", "timestamp"), "timestamp"))(_moment_in)


def digest(text: Value) -> Value:
    """Return the first 60 bits of a text's MD5 as a whole number, the same on every engine."""
    return _digest_of(text)


def bucket_of(identity: Value) -> Value:
    """Return in which of `BUCKETS` buckets an id falls, the same on every engine and in every project."""
    return (digest(identity.cast("string")) % BUCKETS).cast("int16")


def moment_in(zone: str, at: Value) -> Value:
    """Return the project's local time at the moment when a clock of that zone shows a time."""
    return _moment_of(zone, at)


def half_even(compiler: Any, value: sge.Expression) -> Any:  # noqa: ANN401 - Ibis's compiler
    """Return a float rounded to the nearest whole number, halves to the even one, where a database knows no such cast.

    Half of it is rounded instead where it lies in the middle: that is never a half itself, and doubling it is exact.
    """
    whole = compiler.f.trunc(value)
    middle = sge.EQ(this=compiler.f.abs(sge.paren(sge.Sub(this=value, expression=whole))), expression=sge.convert(0.5))
    doubled = sge.Mul(
        this=sge.convert(2), expression=compiler.f.anon.round(sge.Div(this=value, expression=sge.convert(2)))
    )
    return compiler.if_(middle, doubled, compiler.f.anon.round(value))


def remainder(compiler: Any, value: sge.Expression, divisor: sge.Expression) -> sge.Expression:  # noqa: ANN401 - as above
    """Return what a division of floats leaves, where a database has it for whole numbers only."""
    times = compiler.f.trunc(sge.Div(this=value, expression=divisor))
    return sge.paren(sge.Sub(this=value, expression=sge.Mul(this=divisor, expression=times)))


class OwnFunctions(ABC):
    """Mixed into an engine's compiler, so that it spells them its way; a database's own functions stay as they are."""

    __slots__ = ()

    def visit_ScalarUDF(self, op: ops.ScalarUDF, **arguments: sge.Expression) -> sge.Expression:  # noqa: N802 - Ibis's
        """Return a call of one of these functions in the engine's dialect."""
        own = {DIGEST: self.digest, MOMENT_IN: self.moment_in}
        called: sge.Expression
        if op.__func_name__ in own:
            called = own[op.__func_name__](*arguments.values())  # type: ignore[operator] # of one and of two
        else:
            called = super().visit_ScalarUDF(op, **arguments)  # type: ignore[misc] # the compiler's
        return called

    def visit_NonNullLiteral(self, op: ops.Literal, *, value: Any, dtype: dt.DataType) -> Any:  # noqa: ANN401, N802
        """Return a literal; a float is written so that no database takes it for a fixed-point number."""
        if dtype.is_floating() and isfinite(value):
            return self.cast(sge.convert(repr(float(value))), dt.float64)  # type: ignore[attr-defined] # the compiler's
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)  # type: ignore[misc] # as above

    @abstractmethod
    def digest(self, text: sge.Expression) -> sge.Expression:
        """Return the first 60 bits of a text's MD5 as a signed whole number of 64 bits."""

    @abstractmethod
    def moment_in(self, zone: sge.Expression, at: sge.Expression) -> sge.Expression:
        """Return a time without a zone, in the zone of the session."""
