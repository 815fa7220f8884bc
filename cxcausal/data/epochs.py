"""The epoch of a ramp-up that each unit was enrolled in, as a text column of the units."""

from collections.abc import Iterator
from datetime import date

import ibis

from cxcausal.core.epochs import EPOCH
from cxcausal.core.errors import Problem
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.clock import Clock
from cxcausal.data.engine import Table, Value
from cxcausal.data.roles import Roles
from cxcausal.data.rules import ValueRule


def epoch_rules(spec: ExperimentSpec, clock: Clock) -> Iterator[ValueRule]:
    """Yield that nobody entered before the first epoch: such units have no planned share."""
    if not spec.epochs or clock.zero is None:
        return
    name, zero = clock.zero
    yield ValueRule(
        column=name,
        code="D340",
        broken=zero < _midnight(spec.epochs[0].begins),
        what=f"time zero lies before the first of design.epochs, {spec.epochs[0].begins}",
        mend="add the epoch whose shares held then, or leave such rows out with data.filter",
    )


def epoch_problems(label: str, spec: ExperimentSpec, roles: Roles) -> tuple[Problem, ...]:
    """Return that the plan uses a column which has the name of the one made here."""
    if not spec.epochs or EPOCH not in roles.needed:
        return ()
    what = f"the plan uses a column '{EPOCH}', and with design.epochs that name is taken"
    return (Problem(where=f"{label} column {EPOCH}", code="D341", what=what, mend="give the column another name"),)


def with_epochs(table: Table, spec: ExperimentSpec) -> Table:
    """Return the units with their epoch: that in which the first unit of the same coin entered.

    What is randomised whole, such as a household, has one arm; it was dealt by the shares of the day on which its
    first unit came, whenever the others did.

    Args:
        table: with `time_zero`, and `id:` columns.
        spec: the plan; without epochs the table stays as it is.
    """
    if not spec.epochs:
        return table
    coin = spec.randomization_unit
    entered = table.time_zero
    if coin is not None:
        entered = entered.min().over(ibis.window(group_by=table[f"id:{coin}"]))
    begins = [epoch.begins for epoch in spec.epochs]
    later = [(entered >= _midnight(day), ibis.literal(day)) for day in reversed(begins[1:])]
    return table.mutate(**{f"text:{EPOCH}": ibis.cases(*later, else_=begins[0])})


def _midnight(day: str) -> Value:
    return ibis.literal(date.fromisoformat(day)).cast("timestamp")
