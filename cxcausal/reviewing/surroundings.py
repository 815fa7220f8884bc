"""What surrounds a rerun: how often the experiment was read before, and who else had the same customers."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.movement import Looks, Overlap, told
from cxcausal.core.results import RunResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import percent

if TYPE_CHECKING:
    from cxcausal.data.kept import Kept

_ONCE = "Read once, as the plan says: the same data again are no other reading."
_MOST = 50
"""From so many readings on, what they do to the error rate is told for this number."""


def looks_of(root: Path, spec: ExperimentSpec, result: RunResult, data_cut: str | None) -> Looks:
    """Return how often an experiment has been read, this run included; the same data again are no other reading."""
    from cxcausal.tracking.parents import analyses_of

    read = {(line.payload.get("data_fingerprint"), line.payload.get("data_cut")) for line in analyses_of(root, spec.id)}
    return looks_at(spec, len(read | {(result.data.fingerprint, data_cut)}), result.data.data_cut)


def looks_at(spec: ExperimentSpec, readings: int, observed_until: str | None = None) -> Looks:
    """Return what so many readings do to the error rate of a plan, whose data reach to a day."""
    planned = spec.analysis.look_dates
    reached = sum(observed_until is None or day <= observed_until for day in planned)
    if planned and readings > reached:
        sentence = (
            f"Read {_times(readings)}, and the plan has {_looks(reached)} up to now: intervals hold over readings at "
            "the planned looks alone, and any other may alarm more often than planned where there is nothing. Act on "
            "the first reading of each look."
        )
        return Looks(readings=readings, false_alarm=None, sentence=sentence)
    if spec.analysis.peeking != "fixed_horizon":
        sentence = f"Read {_times(readings)}; the plan allows that, and intervals hold over all readings."
        return Looks(readings=readings, false_alarm=None, sentence=sentence)
    if readings == 1:
        return Looks(readings=1, false_alarm=spec.analysis.alpha, sentence=_ONCE)
    chance = false_alarm_after(min(readings, _MOST), spec.analysis.alpha)
    sentence = (
        f"Read {_times(readings)}, and the plan is one to be read once: where there is nothing, at least one of so "
        f"many readings alarms in {percent(chance)} of experiments instead of {percent(spec.analysis.alpha)}. Act on "
        "the first reading, or register planned looks or `peeking: always_valid` for the next experiment."
    )
    return Looks(readings=readings, false_alarm=chance, sentence=sentence)


def false_alarm_after(readings: int, alpha: float) -> float:
    """Return how often at least one of equally spaced readings alarms where there is nothing.

    P. Armitage, C. K. McPherson, B. C. Rowe (1969), "Repeated significance tests on accumulating data", JRSS A 132(2).

    Example:
        >>> [round(false_alarm_after(readings, 0.05), 3) for readings in (1, 2, 5, 10)]
        [0.05, 0.083, 0.142, 0.193]
    """
    from scipy.special import ndtri

    from cxcausal.stats.sequential_integration import crossing

    bound = float(-ndtri(alpha / 2))
    found = crossing([float(at) for at in range(1, readings + 1)], [bound] * readings, 0.0)
    return found.lower + found.upper


def overlaps_of(root: Path, spec: ExperimentSpec, result: RunResult, kept: "Kept") -> tuple[Overlap, ...]:
    """Return the other experiments of the project whose newest kept units are of these customers, at the same time.

    Customers are compared by the hashes that runs keep, under whatever name their column has.
    """
    from cxcausal.data.kept import shared_units

    if kept.path is None or spec.data.unit is None:
        return ()
    mine = _span({"data": {**vars(result.data)}})
    found = []
    for folder, results in _newest_elsewhere(root, spec.id):
        units = shared_units(kept.path, folder) if _meet(mine, _span(results)) else 0
        if units:
            found.append(Overlap(experiment=results["experiment"], run_id=results["run_id"], units=told(units)))
    return tuple(found)


def _newest_elsewhere(root: Path, experiment: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield, of every other experiment, the newest kept units, and what their run found."""
    from cxcausal.tracking.layout import KEPT_UNITS, RESULTS, run_folders

    newest: dict[str, Path] = {}
    for folder in run_folders(root):
        if folder.parent.name != experiment and (folder / KEPT_UNITS).is_file() and (folder / RESULTS).is_file():
            newest[folder.parent.name] = folder
    for folder in newest.values():
        yield folder / KEPT_UNITS, json.loads((folder / RESULTS).read_bytes())


def _span(results: Mapping[str, Any]) -> tuple[str, str]:
    """Return from when to when an experiment's units were observed, as far as its data say."""
    data = results["data"]
    return data.get("enrolled_from") or "", data.get("data_cut") or "9999"


def _meet(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _looks(number: int) -> str:
    return "one look" if number == 1 else f"{number} looks"


def _times(readings: int) -> str:
    return "once" if readings == 1 else f"{readings} times"
