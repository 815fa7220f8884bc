"""Small data for any plan: every column that it names, with values of the kind that it asks for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cxcausal.core.spec.events import Events, EventSource
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.roles import Roles, roles_of
from tests.fuzz.draw import Rng, between, chance, pick
from tests.fuzz.judging import CANARY

_ROWS = 90
_EVENTS = 360
_VALUES: Mapping[str, Sequence[Any]] = {
    "binary": (0, 1),
    "nps": (0, 3, 6, 7, 9, 10),
    "count": (0, 0, 1, 2, 5),
    "positive": (0.5, 1.0, 2.5),
    "not_negative": (0.0, 1.5, 20.25),
}
"""The values of a column by the strictest of its rules."""


def units_of(rng: Rng, spec: ExperimentSpec, root: Path) -> str:
    """Write units for a plan, and events where it reads some; return the path of the units from the root.

    Args:
        rng: draws the values.
        spec: the resolved plan.
        root: of its project.
    """
    made = set(spec.data.from_events)
    roles = roles_of(spec)
    frame = pd.DataFrame({name: _values(rng, spec, roles, name) for name in roles.needed if name not in made})
    if spec.data.events is not None:
        for source in spec.data.events.sources.values():
            _write_events(rng, spec, source, root)
    return _written(rng, frame, spec, root)


def _written(rng: Rng, frame: pd.DataFrame, spec: ExperimentSpec, root: Path) -> str:
    path = root / "data" / pick(rng, ("units.parquet", "units.csv"))
    delimiter = spec.data.csv.delimiter
    if path.suffix == ".csv" and delimiter in ",;|\t":
        encoding = pick(rng, ("utf-8", "utf-8", "utf-8-sig"))
        frame.to_csv(path, index=False, sep=delimiter, decimal=spec.data.csv.decimal, encoding=encoding)
    else:
        path = path.with_suffix(".parquet")
        frame.to_parquet(path)
    return path.relative_to(root).as_posix()


def _values(rng: Rng, spec: ExperimentSpec, roles: Roles, name: str) -> list[Any]:
    """Return the values of one column by its first role."""
    if name == roles.arm:
        return _arms(rng, spec)
    if name in roles.ids:
        return [_id(name, at if name == spec.data.unit else at // 3) for at in range(_ROWS)]
    if name in roles.times:
        return ["2026-10-01"] * _ROWS if name == spec.data.observed_until else _days(rng, _ROWS, months=3)
    return _declared(rng, spec, name, [rule.rule for rule in roles.numbers if rule.column == name])


def _declared(rng: Rng, spec: ExperimentSpec, name: str, rules: Sequence[str]) -> list[Any]:
    """Return the values of a column that is an outcome, a covariate, or only spoken of."""
    declared = spec.data.columns.get(name)
    if declared is not None and declared.map:
        leads_to = (str(value) for value in declared.map.values() if value is not None)
        return _drawn(rng, [*declared.map, *leads_to], _ROWS)
    if declared is not None and declared.type in {"date", "datetime"}:
        return _days(rng, _ROWS, months=3)
    if rules or chance(rng, 0.5):
        return _numbers(rng, rules)
    return _drawn(rng, ("north", "south", "ä", None), _ROWS)


def _arms(rng: Rng, spec: ExperimentSpec) -> list[str]:
    """Return arms, drawn by their shares where the plan has some."""
    weights = None
    if spec.shares:
        shares = [float(spec.shares[arm]) for arm in spec.arms]
        weights = [share / sum(shares) for share in shares]
    return [spec.arms[int(at)] for at in rng.choice(len(spec.arms), _ROWS, p=weights)]


def _id(name: str, number: int) -> str:
    return f"{CANARY}-{name[:8]}-{number:04d}"


def _drawn(rng: Rng, values: Sequence[Any], many: int) -> list[Any]:
    return [pick(rng, values) for _ in range(many)]


def _numbers(rng: Rng, rules: Sequence[str]) -> list[Any]:
    """Return numbers that keep every rule, as far as one can."""
    strictest = next((rule for rule in _VALUES if rule in rules), None)
    if strictest is not None:
        return _drawn(rng, _VALUES[strictest], _ROWS)
    return [round(float(value), 2) for value in rng.normal(20, 9, _ROWS)]


def _days(rng: Rng, many: int, *, months: int) -> list[str]:
    return [f"2026-0{between(rng, 1, months)}-{between(rng, 1, 28):02d}" for _ in range(many)]


def _write_events(rng: Rng, spec: ExperimentSpec, source: EventSource, root: Path) -> None:
    """Write one table of events, where it lies in the data folder."""
    if source.path not in {"data/orders.csv", "data/orders.parquet"} or spec.data.events is None:
        return
    frame = pd.DataFrame(_event_columns(rng, spec.data.events, source, str(spec.data.unit)))
    path = root / source.path
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)


def _event_columns(rng: Rng, events: Events, source: EventSource, unit: str) -> dict[str, list[Any]]:
    """Return the columns of an event table: those that any plan may ask for, and then those that this one names."""
    amounts = [round(float(value), 2) for value in rng.gamma(2, 20, _EVENTS)]
    columns: dict[str, list[Any]] = {"amount": amounts, "shop": _drawn(rng, ("web", "kiosk"), _EVENTS)}
    for column in events.columns.values():
        columns.setdefault(column.value or "amount", amounts)
    for name in (*source.key, source.removed):
        columns.setdefault(name or "amount", [0] * _EVENTS)
    columns |= {source.unit: [_id(unit, between(rng, 0, _ROWS - 1)) for _ in range(_EVENTS)]}
    columns |= {source.time: _days(rng, _EVENTS, months=9)}
    return columns if source.recorded is None else columns | {source.recorded: _days(rng, _EVENTS, months=9)}
