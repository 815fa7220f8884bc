"""What may have moved a replayed number: data, code or environment, and which of them it was."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cxcausal.reviewing.differences import Difference

Class = Literal[
    "IDENTICAL",
    "WITHIN_TOLERANCE",
    "DATA_ERASED",
    "DATA_LATE",
    "DATA_RESTATED",
    "ENV_CHANGED",
    "CODE_CHANGED",
    "UNEXPLAINED",
]
ORDER: tuple[Class, ...] = (
    "IDENTICAL",
    "WITHIN_TOLERANCE",
    "DATA_ERASED",
    "DATA_LATE",
    "DATA_RESTATED",
    "ENV_CHANGED",
    "CODE_CHANGED",
    "UNEXPLAINED",
)
"""From the least to the most that a reader must think about; a replay as a whole is as its worst number."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One thing that is not what it was when the run was made, with what it was and is."""

    part: Literal["code", "environment", "data"]
    what: str
    then: str
    now: str


@dataclass(frozen=True, kw_only=True)
class UnitCounts:
    """How many units became what between the run and now."""

    late: int
    restated: int
    erased: int


@dataclass(frozen=True, kw_only=True)
class Classified:
    """One value that is not what it was, and why."""

    name: str
    then: str | int | float | bool | None
    now: str | int | float | bool | None
    kind: Class


def classified(found: tuple[Difference, ...], kind: Class) -> tuple[Classified, ...]:
    """Return differences that all have one cause, but for those that are only rounding."""
    return tuple(
        Classified(name=one.name, then=one.then, now=one.now, kind="WITHIN_TOLERANCE" if one.close else kind)
        for one in found
    )


def worst(found: tuple[Classified, ...]) -> Class:
    """Return the class of a replay as a whole.

    Example:
        >>> worst(())
        'IDENTICAL'
    """
    return max((one.kind for one in found), key=ORDER.index, default="IDENTICAL")


def of_machinery(changed: tuple[Changed, ...]) -> Class:
    """Return why the same data give other numbers: the code, if it changed; else the environment, if that did."""
    parts = {one.part for one in changed}
    if "code" in parts:
        return "CODE_CHANGED"
    return "ENV_CHANGED" if "environment" in parts else "UNEXPLAINED"


def of_units(counts: UnitCounts) -> Class:
    """Return what most of the units that differ became; nothing that differs explains nothing.

    Example:
        >>> of_units(UnitCounts(late=2, restated=30, erased=0))
        'DATA_RESTATED'
    """
    kinds: dict[Class, int] = {
        "DATA_RESTATED": counts.restated,
        "DATA_LATE": counts.late,
        "DATA_ERASED": counts.erased,
    }
    most = max(kinds, key=lambda kind: kinds[kind])
    return most if kinds[most] else "UNEXPLAINED"


def of_row_counts(then: Mapping[str, Any], now: Mapping[str, Any], *, erased: bool) -> Class:
    """Return what became of the data as far as counts alone can tell.

    Args:
        then: the facts of the data, as in a result.
        now: the same of today.
        erased: whether the ledger says that customers were erased since.

    Example:
        >>> of_row_counts({"rows": 9}, {"rows": 8}, erased=False)
        'UNEXPLAINED'
    """
    if now["rows"] < then["rows"]:
        return "DATA_ERASED" if erased else "UNEXPLAINED"
    more = now["rows"] > then["rows"] or now.get("immature", 0) < then.get("immature", 0)
    return "DATA_LATE" if more else "DATA_RESTATED"


def machinery_changes(manifest: Mapping[str, Any], code: str, machine: object, lock: object) -> tuple[Changed, ...]:
    """Return how code and environment differ from those of a manifest.

    Args:
        manifest: of the run.
        code: SHA-256 of the package now.
        machine: the `Machine` now.
        lock: name and SHA-256 of the lock file now; None without one.
    """
    return tuple(_changes(manifest, code, asdict(machine), lock))  # type: ignore[call-overload]


def _changes(manifest: Mapping[str, Any], code: str, machine: dict[str, Any], lock: Any) -> Iterator[Changed]:  # noqa: ANN401 - JSON
    then = manifest["code"]["package_sha256"]
    if then != code:
        yield Changed(part="code", what="source of cxcausal, SHA-256", then=then[:16], now=code[:16])
    before = dict(manifest["machine"])
    old, new = before.pop("packages"), machine.pop("packages")
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name) and name != "cxcausal":
            yield _environment(f"package {name}", old.get(name), new.get(name))
    for name, value in before.items():
        if value != machine.get(name):
            yield _environment(name, value, machine.get(name))
    was = manifest["lock_file"]
    if (was and list(was)) != (lock and list(lock)):
        yield _environment("lock file", was and f"{was[0]} {was[1][:16]}", lock and f"{lock[0]} {lock[1][:16]}")


def _environment(what: str, then: object, now: object) -> Changed:
    return Changed(part="environment", what=what, then=str(then or "none"), now=str(now or "none"))
