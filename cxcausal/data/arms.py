"""The treatment column must hold arms of the plan and nothing else; what is nobody's alone is shown, to be mended."""

from collections.abc import Iterator

from cxcausal.core.errors import Problem
from cxcausal.core.personal import may_be_an_id
from cxcausal.core.signs import differences, key_of, misleading, quoted, visible
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Opened, Table
from cxcausal.data.rules import place_of, rows_told
from cxcausal.data.tables import nearest

_ARMS_LISTED = 10
_LONGEST = 60
_FEWEST_SHOWN = 10
"""A value of fewer rows that is like no arm may be somebody's, in the wrong column: its row is named, not the value."""
_MOST_VALUES = 50
"""With more strange values than this the column is another one, perhaps personal, and none is shown."""


def undeclared_arms(
    engine: Engine, opened: Opened, rows: Table, reader: Reader, spec: ExperimentSpec
) -> Iterator[Problem]:
    """Yield one problem per value of the treatment column that is no arm of the plan, the most frequent first."""
    column, arms = spec.design.treatment.column, spec.arms
    arm = reader.arm(column, arms)
    strange = rows.select(value=arm).filter(lambda table: table.value.notin(arms))
    counted = strange.group_by("value").aggregate(n=strange.count())
    found = engine.fetch(counted.order_by(counted.n.desc(), "value").limit(_MOST_VALUES + 1))
    if len(found) > _MOST_VALUES:
        yield Problem(
            where=f"{opened.source.label} column {column}",
            code="D300",
            what=f"the column has more than {_MOST_VALUES} values that are no arms of the plan",
            mend=f"check design.treatment.column; arms: {', '.join(arms)}",
        )
        return
    for value, count in found[:_ARMS_LISTED]:
        label, numbers = place_of(engine, opened, rows, arm == value)
        where = f"{label} row {numbers[0]} column {column}" if numbers else f"{label} column {column}"
        near = nearest(value, arms)
        hidden = differences(value, near) if near else ""
        shown = near or (count >= _FEWEST_SHOWN and not may_be_an_id(value))
        named = f"'{visible(value, _LONGEST)}'" if shown else "the value"
        yield Problem(
            where=where,
            code="D300",
            what=f"{named} is not an arm of the plan ({rows_told(count, numbers)})" + (f"; {hidden}" if hidden else ""),
            mend=f"{_mend(column, value, near)}, or use data.filter; arms: {', '.join(arms)}",
        )


def _mend(column: str, value: str, near: str | None) -> str:
    """Return what may be done about a strange value; a plan can hold it only if it doesn't mislead its readers."""
    hint = f"did you mean '{near}'? " if near else ""
    if misleading(value) is not None:
        return f"{hint}correct it in the data"
    entry = f"{quoted(value)}: {quoted(near)}" if near and len(value) <= _LONGEST else "…"
    return f"{hint}correct it, declare the arm, say columns: {{{key_of(column)}: {{map: {{{entry}}}}}}} below data"
