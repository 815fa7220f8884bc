"""The bar of the gates of observational designs: clean worlds are hardly ever refused, and broken ones are."""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from tests.validation.engine import SEED, Row
from tests.validation.observed_worlds import BROKEN, Broken, World, draw, judged, verdicts

WORLDS = 1_000
LIMIT = 0.02
LIMIT_CURVED = 0.05
SEEN = 0.9
SIGMAS = 4
_GATES: dict[Broken, str] = {
    "no overlap": "overlap",
    "hidden confounder": "negative_controls",
    "late time zero": "time_zero",
    "leakage": "leakage",
    "its own definition": "leakage",
}
"""What is broken → the gate that must see it."""


def gates(reps: int | None = None) -> Iterator[Row]:
    """Withhold at most one clean world in fifty, all gates together, and see what is broken."""
    runs = reps or WORLDS
    yield _clean(runs, LIMIT, "clean observational worlds of 2,000, many shapes", curved=False, full=reps is None)
    few, setting = max(3, runs // 10), "the same with small arms that no straight line tells, and stacked learners"
    yield _clean(few, LIMIT_CURVED, setting, curved=True, full=reps is None)
    yield from (_seen(broken, max(3, runs // 25)) for broken in BROKEN)


def _clean(runs: int, most: float, setting: str, *, curved: bool, full: bool) -> Row:
    limit = most if full else most + SIGMAS * np.sqrt(most * (1 - most) / runs)
    alarms: Counter[str] = Counter()
    withheld = 0
    for place in range(runs):
        failed = failing(draw(place, rng_of_world(place), curved=curved))
        withheld += bool(failed)
        alarms.update(failed)
    told = ", ".join(f"{name} {count}" for name, count in sorted(alarms.items())) or "none"
    return Row(
        bar="gates",
        setting=f"{setting}: any gate withholds the verdict",
        target=f"≤ {limit:.4f}",
        measured=f"{withheld / runs:.4f} ({told})",
        reps=runs,
        passed=bool(withheld <= limit * runs),
    )


def failing(world: World) -> tuple[str, ...]:
    """Return the gates that fail."""
    return tuple(name for name, verdict in verdicts(judged(world)).items() if verdict == "fail")


def rng_of_world(place: int, broken: Broken = "") -> np.random.Generator:
    """Return the generator of one world."""
    return np.random.default_rng([SEED, place, BROKEN.index(broken) + 1 if broken else 0])


def _seen(broken: Broken, runs: int) -> Row:
    places = (place for place in range(100 * runs) if _APPLIES[broken](place))
    worlds = (draw(place, rng_of_world(place, broken), broken) for place, _ in zip(places, range(runs), strict=False))
    gate = _GATES[broken]
    found = sum(verdicts(judged(world, (gate,)))[gate] == "fail" for world in worlds)
    return Row(
        bar="gates",
        setting=f"worlds with {broken}: {gate} fails",
        target=f"≥ {SEEN:.2f}",
        measured=f"{found / runs:.4f}",
        reps=runs,
        passed=bool(found >= SEEN * runs),
    )


def _divides(place: int) -> bool:
    """Tell whether the world's effect is one whose weights divide by propensities."""
    return place % 2 == 1 and place % 3 != 0


def _has_control(place: int) -> bool:
    """Tell whether the world's plan names a negative-control outcome."""
    return place % 2 == 0


def _always(place: int) -> bool:
    return place >= 0


_APPLIES: dict[Broken, Callable[[int], bool]] = {
    "no overlap": _divides,
    "hidden confounder": _has_control,
    "late time zero": _always,
    "leakage": _always,
    "its own definition": _always,
}
"""What is broken → the worlds whose plan lets it be seen."""
