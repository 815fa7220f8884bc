"""The validity checks that a plan may name: their options and types, from the classes where they are built."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cxcausal.core.registry import Registry
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.nodes import Finding, Path, dotted
from cxcausal.core.spec.scalars import read_flag, read_integer, read_number, read_text, shown

Reader = Callable[[Any], Any]
ON_BREACH = ("fail", "warn", "skip")


def _read_range(value: Any) -> tuple[float, float]:  # noqa: ANN401 - whatever was written
    pair = [read_number(item) for item in value] if isinstance(value, list) else []
    if len(pair) != len(("low", "high")) or not pair[0] < pair[1]:
        raise ValueError(f"{shown(value)} is not a range; write [low, high], such as [0.05, 0.95]")
    return pair[0], pair[1]


def _read_sizes(value: Any) -> dict[str, float]:  # noqa: ANN401 - see _read_range
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{shown(value)} is not a map of sizes; write {{slope_per_period: 0.001}}")
    return {str(name): read_number(item) for name, item in value.items()}


def _read_on_breach(value: Any) -> str:  # noqa: ANN401 - see _read_range
    if value not in ON_BREACH:
        raise ValueError(f"{shown(value)} is not what a breach can mean; {suggestion(str(value), ON_BREACH)}")
    return str(value)


LATER: Mapping[str, Mapping[str, Reader]] = {
    "instrument_balance": {},
    "pre_trends": {"report_power_against": _read_sizes},
    "honest_did": {"min_breakdown": read_number},
    "density": {},
    "interference": {},
}
"""Checks of designs that this version reads but doesn't run."""

_PROBABILITIES = frozenset({"alpha"})
_SHARES = frozenset(
    {"max_share", "min_effective_share", "max_outside_share", "max_clipped_share", "max_correlation", "max_separation"}
)


@cache
def check_names() -> tuple[str, ...]:
    """Return every check that a plan may name: those that run, and those of designs that come later."""
    return tuple(dict.fromkeys((*Registry(kind="checks").names(), *LATER)))


@cache
def options_of(name: str) -> Mapping[str, Reader]:
    """Return the options of a known check, `on_breach` first, each with the function that reads it."""
    if name in Registry(kind="checks").names():
        kind = Registry(kind="checks").load(name)
        hints = get_type_hints(kind)
        options = {item.name: _reader(hints[item.name]) for item in dataclasses.fields(kind) if item.init}
    else:
        options = dict(LATER[name])
    options.pop("on_breach", None)
    return {"on_breach": _read_on_breach, **options}


def read_checks(raw: Any) -> tuple[dict[str, dict[str, Any]], tuple[Finding, ...]]:  # noqa: ANN401 - see _read_range
    """Return the options of every check, read by their types, and what is wrong with them."""
    if not isinstance(raw, dict):
        mend = "write checks: {srm: {on_breach: fail}}"
        return {}, (Finding(path=("checks",), code="P203", what="checks: a map is wanted here", mend=mend),)
    read: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    for name, options in raw.items():
        if name not in check_names():
            mend = suggestion(name, check_names())
            what = f"there is no check '{name}'"
            findings.append(Finding(path=("checks", name), code="P210", what=what, mend=mend, at="key"))
            continue
        read[name] = dict(_read_options(name, options, findings))
    return read, tuple(findings)


def _read_options(name: str, options: Any, findings: list[Finding]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    path: Path = ("checks", name)
    if not isinstance(options, dict):
        mend = f"write {name}: {{on_breach: fail}}"
        findings.append(Finding(path=path, code="P203", what=f"{dotted(path)}: a map is wanted here", mend=mend))
        return
    known = options_of(name)
    for key, value in options.items():
        here = (*path, key)
        if key not in known:
            what = f"unknown option '{key}' of check '{name}'"
            findings.append(Finding(path=here, code="P211", what=what, mend=suggestion(key, known), at="key"))
            continue
        try:
            yield key, _bounded(key, known[key](value))
        except ValueError as error:
            what, _, mend = str(error).rpartition("; ")
            findings.append(Finding(path=here, code="P204", what=f"{dotted(here)}: {what}", mend=mend))


def _bounded(key: str, value: Any) -> Any:  # noqa: ANN401 - see _read_range
    """Return an option's value; refuse numbers that can't be right."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    if key in _PROBABILITIES and not 0 < value < 1:
        raise ValueError(f"{shown(value)} is out of range; write a number between 0 and 1, such as 0.001")
    if key in _SHARES and not 0 <= value <= 1:
        raise ValueError(f"{shown(value)} is out of range; write a share from 0 to 1")
    if value < 0:
        raise ValueError(f"{shown(value)} is out of range; write a number of at least 0")
    return value


def _reader(hint: Any) -> Reader:  # noqa: ANN401 - any annotation
    """Return what reads an option of an annotated type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return lambda value: _choice(value, arguments)
    if type(None) in arguments:
        return _reader(next(item for item in arguments if item is not type(None)))
    if origin is tuple:
        return _read_range
    readers: Mapping[Any, Reader] = {float: read_number, int: read_integer, bool: read_flag}
    return readers.get(hint, read_text)


def _choice(value: Any, allowed: tuple[Any, ...]) -> str:  # noqa: ANN401 - see _read_range
    if value not in allowed:
        raise ValueError(f"{shown(value)} is not one of its values; {suggestion(str(value), map(str, allowed))}")
    return str(value)
