"""What a run found as flat tables and small pictures, by name: effects, checks, and whom to contact."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from cxcausal.core.errors import Problem, UsageError
from cxcausal.core.pictures import Panel, Picture, Range
from cxcausal.core.whom import (
    AimHeterogeneity,
    ArmHeterogeneity,
    Driver,
    FrontierPoint,
    GroupEffect,
    Moment,
    PolicyResult,
    PolicyWorth,
    ProtectedGroup,
    Rule,
    Told,
)

Flat = dict[str, Any]
_ENDS = ("se", "low", "high", "p")
_CURVES = frozenset({"groups", "toc", "uplift"})


@dataclass(frozen=True, kw_only=True)
class Found:
    """The parts of a result that tables and pictures are made of.

    Attributes:
        effects, checks: records, of the classes `effect` and `check`, whose fields are the columns also of no rows.
        policy, heterogeneity: whom to contact and who responds, where a run was asked.
    """

    effects: Sequence[Any]
    effect: type
    checks: Sequence[Any]
    check: type
    policy: PolicyResult | None
    heterogeneity: Sequence[AimHeterogeneity]


def table_of(found: Found, name: str) -> tuple[list[Flat], list[str]]:
    """Return the rows of a table and its columns, which are the same whether it has rows or not.

    A number with its interval is five columns: `gain`, `gain_se`, `gain_low`, `gain_high`, `gain_p`.

    Raises:
        UsageError: there is no such table.

    Example:
        >>> from types import SimpleNamespace
        >>> gold = GroupEffect(name="tier: gold", arm="call", n=90, share=0.1, gain=Told(point=-2.0), declared=True)
        >>> rows, columns = table_of(SimpleNamespace(policy=SimpleNamespace(groups=(gold,))), "groups")
        >>> columns[:5], rows[0]["name"], rows[0]["gain"]
        (['name', 'arm', 'n', 'share', 'gain'], 'tier: gold', -2.0)
    """
    if name not in _TABLES:
        raise _no_such("to_frame", name, _TABLES)
    rows, columns = _TABLES[name](found)
    return [{**dict.fromkeys(columns), **row} for row in rows], columns


def picture_of(found: Found, name: str) -> Picture:
    """Return the picture of a table.

    Raises:
        UsageError: there is no such picture.
    """
    if name not in _PICTURES:
        raise _no_such("plot", name, _PICTURES)
    return Picture.of([Panel(title=title, ranges=tuple(ranges)) for title, ranges in _PICTURES[name](found).items()])


def _no_such(verb: str, name: str, known: Mapping[str, object]) -> UsageError:
    mend = f"use one of: {', '.join(known)}"
    return UsageError(Problem(where=f"RunResult.{verb}", code="U650", what=f"there is no '{name[:40]}'", mend=mend))


def flat(told: Told, name: str) -> Flat:
    """Return a number with its interval as columns.

    Example:
        >>> list(flat(Told(point=1.0), "gain"))
        ['gain', 'gain_se', 'gain_low', 'gain_high', 'gain_p']
    """
    return {name: told.point, **{f"{name}_{end}": getattr(told, end) for end in _ENDS}}


def _row(record: Any, without: frozenset[str] = frozenset()) -> Flat:  # noqa: ANN401 - any record of core.whom
    """Return a record as a flat row: numbers with intervals as their columns, maps left out."""
    row: Flat = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if item.name not in without and not isinstance(value, Mapping):
            row |= flat(value, item.name) if isinstance(value, Told) else {item.name: value}
    return row


def _columns(empty: Any, *more: str, without: frozenset[str] = frozenset()) -> list[str]:  # noqa: ANN401 - as above
    return [*more, *_row(empty, without)]


def _effects(found: Found) -> tuple[list[Flat], list[str]]:
    return [asdict(row) for row in found.effects], [item.name for item in fields(found.effect)]


def _checks(found: Found) -> tuple[list[Flat], list[str]]:
    return [asdict(row) for row in found.checks], [item.name for item in fields(found.check)]


def _policies(found: Found) -> tuple[list[Flat], list[str]]:
    policy = found.policy
    worths = () if policy is None else policy.policies
    arms = list(dict.fromkeys(arm for worth in worths for arm in worth.share))
    rows = [
        {
            **_row(worth),
            **{f"share_{arm}": worth.share.get(arm, 0.0) for arm in arms},
            "recommended": policy is not None and worth.name == policy.recommended,
        }
        for worth in worths
    ]
    return rows, [*_columns(PolicyWorth(name="", label="")), *(f"share_{arm}" for arm in arms), "recommended"]


def _groups(found: Found) -> tuple[list[Flat], list[str]]:
    empty = GroupEffect(name="", arm="", n=0, share=0.0, gain=Told(), declared=True)
    return [_row(group) for group in (found.policy.groups if found.policy else ())], _columns(empty)


def _moments(found: Found) -> tuple[list[Flat], list[str]]:
    """Return a row per cell and arm; `best` is the cell's arm, empty where nothing is reliable."""
    cells = found.policy.moments.cells if found.policy and found.policy.moments else ()
    rows = [
        {"row": cell.row, "column": cell.column, "n": cell.n, "best": cell.arm, "reason": cell.reason, **told}
        for cell in cells
        for told in ([{"arm": arm, **flat(gain, "gain")} for arm, gain in cell.gains.items()] or [{}])
    ]
    return rows, ["row", "column", "n", "best", "arm", *flat(Told(), "gain"), "reason"]


def _frontier(found: Found) -> tuple[list[Flat], list[str]]:
    empty = FrontierPoint(budget=0, share_of_full=0, contacted=0, gain=Told(), untargeted=Told(), beyond=Told())
    return [_row(point) for point in (found.policy.frontier if found.policy else ())], _columns(empty)


def _rules(found: Found) -> tuple[list[Flat], list[str]]:
    empty = Rule(condition="", arm="", share=0.0, gain=Told())
    return [_row(rule) for rule in (found.policy.rules if found.policy else ())], _columns(empty)


def _protected(found: Found) -> tuple[list[Flat], list[str]]:
    empty = ProtectedGroup(column="", level="", n=0, share=0.0, contacted=None, gain=Told())
    return [_row(group) for group in (found.policy.protected if found.policy else ())], _columns(empty)


def _responders(found: Found) -> tuple[list[Flat], list[str]]:
    rows = [{"aim": aim.aim, "unit": aim.unit, **_row(arm, _CURVES)} for aim in found.heterogeneity for arm in aim.arms]
    return rows, _columns(ArmHeterogeneity(arm=""), "aim", "unit", without=_CURVES)


def _drivers(found: Found) -> tuple[list[Flat], list[str]]:
    rows = [{"aim": aim.aim, **_row(driver)} for aim in found.heterogeneity for driver in aim.drivers]
    return rows, _columns(Driver(modifier="", importance=None), "aim")


_TABLES: Mapping[str, Callable[[Found], tuple[list[Flat], list[str]]]] = {
    "effects": _effects,
    "checks": _checks,
    "policies": _policies,
    "groups": _groups,
    "moments": _moments,
    "frontier": _frontier,
    "rules": _rules,
    "protected": _protected,
    "responders": _responders,
    "drivers": _drivers,
}
"""Every table by its name, in the order in which messages list them."""

Ranges = dict[str, list[Range]]


def _range(label: str, told: Told) -> Range:
    return Range(label=label, point=told.point, low=told.low, high=told.high)


def _drawn_effects(found: Found) -> Ranges:
    """Return the effects on everybody that page one shows, by metric."""
    shown: Ranges = {}
    for row in found.effects:
        if row.headline and row.scale == "absolute" and row.population == "all":
            title = f"{row.metric} ({row.unit})" if row.unit else row.metric
            label = f"{row.arm} against {row.control}"
            shown.setdefault(title, []).append(Range(label=label, point=row.point, low=row.low, high=row.high))
    return shown


def _gain(found: Found, what: str) -> str:
    policy = found.policy
    return f"{what}: gain per customer" + (f" ({policy.label}, {policy.unit})" if policy and policy.unit else "")


def _drawn_policies(found: Found) -> Ranges:
    worths = found.policy.policies if found.policy else ()
    return {_gain(found, "Rules"): [_range(worth.name, worth.gain) for worth in worths]} if worths else {}


def _by_arm(found: Found, rows: Iterator[tuple[str, str, Told]]) -> Ranges:
    shown: Ranges = {}
    for arm, label, told in rows:
        shown.setdefault(_gain(found, arm), []).append(_range(label, told))
    return shown


def _drawn_groups(found: Found) -> Ranges:
    groups = found.policy.groups if found.policy else ()
    return _by_arm(found, ((group.arm, group.name, group.gain) for group in groups))


def _drawn_moments(found: Found) -> Ranges:
    cells = found.policy.moments.cells if found.policy and found.policy.moments else ()
    return _by_arm(found, ((arm, _cell(one), told) for one in cells for arm, told in one.gains.items()))


def _cell(cell: Moment) -> str:
    return " × ".join(name for name in (cell.row, cell.column) if name)


def _drawn_frontier(found: Found) -> Ranges:
    points = found.policy.frontier if found.policy else ()
    shown = [_range(f"{point.share_of_full:.0%} of the full budget", point.gain) for point in points]
    return {_gain(found, "Budgets"): shown} if shown else {}


def _drawn_responders(found: Found) -> Ranges:
    """Return what customers with like predictions gained, the least promising first."""
    return {
        f"{aim.label}: {arm.arm}, gain by predicted group": [
            _range(f"group {group.group}", group.gain) for group in arm.groups
        ]
        for aim in found.heterogeneity
        for arm in aim.arms
        if arm.groups
    }


_PICTURES: Mapping[str, Callable[[Found], Ranges]] = {
    "effects": _drawn_effects,
    "policies": _drawn_policies,
    "groups": _drawn_groups,
    "moments": _drawn_moments,
    "frontier": _drawn_frontier,
    "responders": _drawn_responders,
}
"""Every picture by the name of its table."""
