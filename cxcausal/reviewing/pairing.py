"""Effects, checks and verdicts of two runs side by side, and how far each effect moved beyond the combined error."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from cxcausal.core.compared import CheckPair, EffectPair, Interval, Presence, VerdictPair
from cxcausal.core.small_cells import is_small

Row = Mapping[str, Any]
_SAME = ("metric", "role", "arm", "control", "population", "scale", "estimand", "companion", "trimming")
_REFINED = ("method", "adjustment")
_FEW = "fewer than 10 customers stand behind it"


def effect_pairs(first: Sequence[Row], second: Sequence[Row], redefined: frozenset[str]) -> tuple[EffectPair, ...]:
    """Return every effect that either run told, the headlines first.

    Rows are paired by what they are about. Where one run tells the same effect in several ways, those made in the same
    way are paired, and the headline of one with the headline of the other where that way has changed.

    Args:
        first: rows of the first run's table of effects.
        second: those of the second.
        redefined: metrics whose definition differs between the plans: they have no difference.
    """
    pairs = [_pair(mine, other, redefined) for mine, other in _matched(first, second)]
    return tuple(sorted(pairs, key=lambda pair: not pair.headline))


def verdict_pairs(
    first: Mapping[str, Row], second: Mapping[str, Row], order: Iterable[str] = ()
) -> tuple[VerdictPair, ...]:
    """Return the verdict of every arm in both runs; arms in an order, where one is given, and all others after them."""
    arms = [*(arm for arm in dict.fromkeys(order) if arm in first or arm in second), *first, *second]
    return tuple(
        VerdictPair(arm=arm, first=first.get(arm, {}).get("verdict"), second=second.get(arm, {}).get("verdict"))
        for arm in dict.fromkeys(arms)
    )


def check_pairs(first: Sequence[Row], second: Sequence[Row]) -> tuple[CheckPair, ...]:
    """Return every check in both runs, with its words where the verdict is not the same."""
    mine, other = ({row["name"]: row for row in rows} for rows in (first, second))
    return tuple(_check(name, mine.get(name), other.get(name)) for name in dict.fromkeys((*mine, *other)))


def difference_interval(first: Interval, second: Interval, level: float) -> tuple[float, float] | None:
    """Return the interval of second minus first at `level`, from both standard errors; None where one is missing.

    The errors count as independent. Where the same customers stand behind both, errors go up and down together, so
    that the interval is wider than it need be: it says too seldom that an effect moved, and not too often.

    Example:
        >>> low, high = difference_interval(Interval(point=1.0, se=3.0), Interval(point=2.0, se=4.0), 0.95)
        >>> round(low, 2), round(high, 2)
        (-8.8, 10.8)
    """
    values = (first.point, second.point, first.se, second.se)
    if any(value is None or not math.isfinite(value) for value in values):
        return None
    before, after, before_se, after_se = (float(value) for value in values if value is not None)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * math.hypot(before_se, after_se)
    return after - before - reach, after - before + reach


def _matched(first: Sequence[Row], second: Sequence[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Yield rows that belong together, then those that are alone."""
    left = list(second)
    alone: list[Row] = []
    for row in first:
        found = next((other for other in left if _key(other, _REFINED) == _key(row, _REFINED)), None)
        if found is None:
            alone.append(row)
            continue
        left.remove(found)
        yield row, found
    for row in alone:
        found = next(
            (other for other in left if row["headline"] and other["headline"] and _key(other) == _key(row)), None
        )
        if found is not None:
            left.remove(found)
        yield row, found
    for row in left:
        yield None, row


def _key(row: Row, more: tuple[str, ...] = ()) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in (*_SAME, *more))


def _pair(first: Row | None, second: Row | None, redefined: frozenset[str]) -> EffectPair:
    """Return one effect in both runs."""
    row: Row = second if second is not None else first if first is not None else {}
    presence: Presence = "second_only" if first is None else "first_only" if second is None else "both"
    mine, other = (None if one is None else _interval(one) for one in (first, second))
    return EffectPair(
        **{name: row[name] for name in ("metric", "role", "arm", "control", "population", "scale", "unit")},
        headline=any(one is not None and bool(one["headline"]) for one in (first, second)),
        presence=presence,
        first=mine,
        second=other,
        **_moved(mine, other, redefined=row["metric"] in redefined),
    )


def _interval(row: Row) -> Interval:
    """Return a row's effect, unless too few customers stand behind it."""
    made = {"method": row["method"], "adjustment": row["adjustment"]}
    if is_small(row["n_treated"]) or is_small(row["n_control"]):
        return Interval(reason=_FEW, **made)
    return Interval(**{name: row[name] for name in ("point", "low", "high", "level", "se", "reason")}, **made)


def _moved(first: Interval | None, second: Interval | None, *, redefined: bool) -> dict[str, Any]:
    """Return the fields of a pair that say how far the effect moved, or why that can't be told."""
    if first is None or second is None:
        return {"reason": "only one of the runs has it"}
    if redefined:
        return {"reason": "the plans define this metric differently"}
    if first.point is None or second.point is None:
        return {"reason": first.reason or second.reason or "one of the runs has no number for it"}
    level = max(first.level or 0.0, second.level or 0.0)
    told: dict[str, Any] = {"difference": second.point - first.point}
    found = difference_interval(first, second, level) if 0 < level < 1 else None
    if found is None:
        return {**told, "reason": "one of the runs has no standard error for it"}
    return {**told, "low": found[0], "high": found[1], "level": level, "beyond": found[0] > 0 or found[1] < 0}


def _check(name: str, first: Row | None, second: Row | None) -> CheckPair:
    mine, other = (None if row is None else str(row["verdict"]) for row in (first, second))
    if mine == other or first is None or second is None:
        return CheckPair(name=name, first=mine, second=other)
    return CheckPair(name=name, first=mine, second=other, first_text=first["text"], second_text=second["text"])
