"""Keys of numbers: paths into the result, and the few named formulas over them that the page may print."""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from statistics import NormalDist
from typing import Any
from urllib.parse import quote, unquote

from cxcausal.report.rounding import EXACT

_DERIVED = re.compile(r"derived:(\w+)\((.*)\)")
_PLACE = re.compile(r"-?\d+")
"""A power of ten to round at, beside the paths of a formula."""


def path(*parts: str | int) -> str:
    """Return the key of a value in `RunResult.to_dict()`; signs that a key gives a meaning to are percent-encoded.

    Example:
        >>> path("arms", "gig v1.2", "rule")
        'arms.gig%20v1%2E2.rule'
    """
    return ".".join(quote(str(part), safe="").replace(".", "%2E") for part in parts)


def last_part(key: str) -> str:
    """Return the last part of a path as it was before encoding.

    Example:
        >>> last_part("arms.gig%20v1%2E2")
        'gig v1.2'
    """
    return unquote(key.rpartition(".")[2])


def lookup(tree: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - a result holds any JSON value
    """Return the value at a path; None where the path ends early.

    Example:
        >>> lookup({"effects": [{"point": 0.5}]}, "effects.0.point")
        0.5
    """
    value: Any = tree
    for part in map(unquote, key.split(".")):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def derived(name: str, *keys: str) -> str:
    """Return the key of a formula over other keys.

    Example:
        >>> derived("per_thousand", "effects.3.point")
        'derived:per_thousand(effects.3.point)'
    """
    return f"derived:{name}({','.join(keys)})"


def evaluate(tree: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - a path may lead to any JSON value
    """Return the value of a path, or of a formula over paths; None where something is missing.

    Example:
        >>> evaluate({"effects": [{"point": -0.25}]}, "derived:abs_per_thousand(effects.0.point)")
        250.0
    """
    found = _DERIVED.fullmatch(key)
    if found is None:
        return lookup(tree, key)
    values = [int(part) if _PLACE.fullmatch(part) else lookup(tree, part) for part in found[2].split(",")]
    return None if any(value is None for value in values) else FORMULAS[found[1]](*values)


def _half_up(value: float) -> int:
    return int(value + 0.5) if value >= 0 else -int(0.5 - value)


def _dots(change: float, place: int) -> int:
    """Return a change in dots of a thousand, as coarse as the change is printed elsewhere."""
    return _half_up(_at(1000 * change, place) if place > 0 else 1000 * change)


def _at(value: float, place: int) -> float:
    """Return a value rounded at a power of ten, halves away from zero, as numbers are printed."""
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(place), ROUND_HALF_UP, EXACT))


def _detectable(se: float, level: float, power: float) -> float:
    """Return the effect that an interval at `level` excludes zero for with probability `power` (Bloom 1995).

    Source: https://doi.org/10.1177/0193841X9501900504
    """
    normal = NormalDist()
    return se * (normal.inv_cdf(0.5 + level / 2) + normal.inv_cdf(power))


def _detectable_more(se: float, level: float, power: float, share: float) -> float:
    """Return the same for data that are larger by a share of what they are."""
    return float(_detectable(se, level, power) / (1 + share) ** 0.5)


def _detectable_doubled(se: float, level: float, power: float) -> float:
    """Return the same for twice as many units of every arm."""
    return _detectable(se, level, power) / 2**0.5


def _normal(point: float, se: float, alpha: float, side: int) -> float:
    """Return one end of the interval of a normal estimate."""
    return point + side * NormalDist().inv_cdf(1 - alpha / 2) * se


FORMULAS: Mapping[str, Callable[..., float]] = {
    "per_thousand": lambda x: 1000 * x,
    "abs_per_thousand": lambda x: abs(1000 * x),
    "percent": lambda x: 100 * x,
    "abs_percent": lambda x: abs(100 * x),
    "abs": abs,
    "percent_of_pairs": lambda a, b, c, d: 100 * (a + b) / (c + d),
    "percent_ratio": lambda a, b: 100 * a / b,
    "percent_apart": lambda low, high, from_low, from_high: abs(100 * (1 - (high - low) / (from_high - from_low))),
    "times": lambda a, b: a * b,
    "of_population": lambda gain, heads, share: gain * heads * share,
    "apart_in": lambda found, expected, se: abs(found - expected) / se,
    "abs_ratio": lambda a, b: abs(a / b),
    "normal_low": lambda point, se, alpha: _normal(point, se, alpha, -1),
    "normal_high": lambda point, se, alpha: _normal(point, se, alpha, 1),
    "normal_low_per_thousand": lambda point, se, alpha: 1000 * _normal(point, se, alpha, -1),
    "normal_high_per_thousand": lambda point, se, alpha: 1000 * _normal(point, se, alpha, 1),
    "after": lambda mean, change, fine, coarse: _at(mean, fine) + _at(change, coarse),
    "after_per_thousand": lambda mean, change, fine, coarse: _at(1000 * mean, fine) + _at(1000 * change, coarse),
    "dots": lambda rate: _half_up(1000 * rate),
    "dots_change": lambda change, place=0: abs(_dots(change, place)),
    "dots_after": lambda rate, change, place=0: _half_up(1000 * rate) + _dots(change, place),
    "dots_rest": lambda rate, change, place=0: 1000 - _half_up(1000 * rate) - max(_dots(change, place), 0),
    "detectable": _detectable,
    "detectable_per_thousand": lambda se, level, power: 1000 * _detectable(se, level, power),
    "detectable_more": _detectable_more,
    "detectable_more_per_thousand": lambda se, level, power, share: 1000 * _detectable_more(se, level, power, share),
    "detectable_doubled": _detectable_doubled,
    "detectable_doubled_per_thousand": lambda se, level, power: 1000 * _detectable_doubled(se, level, power),
}
"""Every formula that a number on the page may come from, by the name in its key."""
