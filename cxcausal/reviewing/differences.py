"""Which numbers of two results differ, by names that a reader understands, and whether it is more than rounding."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-9
"""Of the larger of two numbers, or of the row's standard error: what another kernel of linear algebra may change."""
COMPARED = (
    "verdict", "recommended_arm", "arms", "grade", "capped_by", "effects", "checks", "value", "reading", "data",
    "heterogeneity", "policy",
)  # fmt: skip
"""What a result says that was computed; all else names the run, or says what it was made of."""
_IF_ASKED = frozenset({"heterogeneity", "policy"})
"""Empty where the plan does not ask who responds, and absent in results of versions that could not tell."""
_NAMES = ("inputs", "fingerprint")
_KEYS = ("metric", "name", "arm", "control", "population", "scale", "method", "adjustment", "trimming")
ABSENT = "(absent)"
Scalar = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Number:
    """One value of a result, and the size that its error is measured against."""

    value: Scalar
    scale: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that is not what it was; `close` where only rounding differs."""

    name: str
    then: Scalar
    now: Scalar
    close: bool


def numbers_of(results: Mapping[str, Any]) -> dict[str, Number]:
    """Return every value that was computed, by its name.

    Args:
        results: the object of `run --json`, as plain lists, dicts, text and numbers.

    Example:
        >>> row = {"metric": "churn", "arm": "call", "point": -0.02, "se": 0.01}
        >>> list(numbers_of({"effects": [row], "run_id": "01K"}))[2:]
        ['effects churn/call point', 'effects churn/call se']
    """
    found: dict[str, Number] = {}
    for part in COMPARED:
        if results.get(part) or (part in results and part not in _IF_ASKED):
            found.update(_flat(part, results[part], 0.0))
    return found


def differences(then: Mapping[str, Number], now: Mapping[str, Number]) -> tuple[Difference, ...]:
    """Return what differs, in the order of `then`; what only one of them has is absent in the other."""
    absent = Number(value=ABSENT)
    return tuple(
        Difference(name=name, then=one.value, now=other.value, close=_close(one, other))
        for name in dict.fromkeys((*then, *now))
        if not _same(one := then.get(name, absent), other := now.get(name, absent))
    )


def _same(one: Number, other: Number) -> bool:
    return type(one.value) is type(other.value) and one.value == other.value


def _close(one: Number, other: Number) -> bool:
    """Tell whether two numbers differ by no more than rounding."""
    if not isinstance(one.value, float) or not isinstance(other.value, float):
        return False
    size = max(abs(one.value), abs(other.value), one.scale, other.scale)
    return math.isclose(one.value, other.value, rel_tol=0.0, abs_tol=TOLERANCE * size)


def _flat(name: str, value: Any, scale: float) -> Iterator[tuple[str, Number]]:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        size = value.get("se") or value.get("net_se") or scale
        for key, item in value.items():
            if key not in _NAMES:
                yield from _flat(f"{name} {key}", item, float(size))
    elif isinstance(value, list):
        for label, item in zip(_labels(value), value, strict=True):
            yield from _flat(f"{name} {label}", item, scale)
    else:
        yield name, Number(value=value, scale=abs(scale))


def _labels(rows: list[Any]) -> list[str]:
    """Return what tells the rows of a list apart; where nothing does, their numbers."""
    seen: Counter[str] = Counter()
    labels = []
    for at, row in enumerate(rows, start=1):
        told = [str(row[key]) for key in _KEYS if row.get(key) is not None] if isinstance(row, Mapping) else []
        label = "/".join(told) or f"#{at}"
        seen[label] += 1
        labels.append(label if seen[label] == 1 else f"{label} #{seen[label]}")
    return labels
