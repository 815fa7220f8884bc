"""What a recorded run claims about itself, derived once more: its plan's hash, its registration, its verdict."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cxcausal.core.canonical import plain_json
from cxcausal.core.errors import Problem
from cxcausal.core.plan_hash import counting
from cxcausal.tracking.audit_runs import RESTORE, SeenRun, problem
from cxcausal.tracking.layout import PLAN
from cxcausal.tracking.ledger import LEDGER
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.registration import standing

_REDACTED = "***"
_CLOCKS_DIFFER = timedelta(hours=1)
"""Clocks of honest machines differ by less."""


def contradictions(seen: SeenRun) -> Iterator[Problem]:
    """Yield where manifest, ledger line, stored plan and results of one vouched run do not say the same."""
    assert seen.line is not None  # noqa: S101 - a vouched run has a line
    results, manifest, line = seen.results, seen.manifest, seen.line
    stated = {
        "run_id": results["run_id"],
        "plan_hash": results["plan_hash"],
        "data_fingerprint": results["data"]["fingerprint"],
        "verdict": results["verdict"],
        "grade": results["grade"],
        "registered": results["registered"],
    }
    for key, value in stated.items():
        if line.payload.get(key, value) != value:
            yield _claim(seen, key, "I709", f"is {value!r} in the results, and something else in line {line.seq}")
        if manifest.get(key, value) != value:
            yield _claim(seen, key, "I709", "is not the same in the results and in the manifest")
    if manifest["inputs"] != results["data"]["inputs"]:
        yield _claim(seen, "inputs", "I709", "are not the same in the results and in the manifest")
    yield from _plan(seen)


def unfounded(seen: Sequence[SeenRun], lines: Sequence[LedgerLine]) -> Iterator[Problem]:
    """Yield the runs that say they were registered, or were not, where the ledger above them says otherwise."""
    by_run = {run.line.hash: run for run in seen if run.line is not None and run.vouched}
    above: dict[str, list[LedgerLine]] = {}
    for line in lines:
        before = above.setdefault(line.experiment, [])
        run = by_run.get(line.hash)
        if run is not None:
            found = standing(before, line.experiment, run.results["plan_hash"], run.results["plan"])
            if run.results["registered"] is True and not found.registered:
                what = (
                    f"says that its plan was registered, and the lines above line {line.seq} do not: {found.sentence}"
                )
                yield _claim(run, "registered", "I715", what)
        before.append(line)


def late_registrations(seen: Sequence[SeenRun], lines: Sequence[LedgerLine]) -> Iterator[str]:
    """Yield for each experiment that its data end before its plan was registered: dates don't show which came first."""
    first = {line.experiment: line.at[:10] for line in reversed(lines) if line.kind == "register"}
    ends: dict[str, str] = {}
    for run in seen:
        cut, experiment = run.results["data"]["data_cut"], run.folder.parent.name
        if run.results["registered"] and cut is not None:
            ends[experiment] = min(cut[:10], ends.get(experiment, cut[:10]))
    for experiment, cut in sorted(ends.items()):
        if experiment in first and cut < first[experiment]:
            yield (
                f"{experiment}: data of a run end on {cut}, before the plan was registered on {first[experiment]}; "
                "dates alone do not show that the plan came first"
            )


def backdated(lines: Sequence[LedgerLine]) -> Iterator[str]:
    """Yield the lines that are dated well before the line they stand on, as where a clock was set back to register."""
    dates: dict[str, datetime] = {}
    for number, line in enumerate(lines, start=1):
        dates[line.hash] = at = _moment(line.at)
        above = dates.get(line.previous, at)
        if above - at > _CLOCKS_DIFFER:
            yield (
                f"{LEDGER}:{number} ({line.kind}) is dated {line.at[:16]}, and the line it stands on "
                f"{above:%Y-%m-%dT%H:%M}: a clock is wrong or was set back, so don't trust its date; "
                "the order of the lines holds"
            )


def _moment(text: str) -> datetime:
    """Return a line's time; the first of all times for a text that is none, so that it is told."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _plan(seen: SeenRun) -> Iterator[Problem]:
    """Yield whether the plan in the results is the plan of the folder, and whether its hash is what it says."""
    plan: Mapping[str, Any] = seen.results["plan"]
    found = sha256(plain_json(counting(plan))).hexdigest()
    if seen.artifacts.get(PLAN) not in {None, sha256(plain_json(dict(plan))).hexdigest()}:
        yield _claim(seen, PLAN, "I710", "is another plan than the one in the results")
    if found != seen.results["plan_hash"] and not _has_secrets(plan):
        yield _claim(seen, "plan_hash", "I710", "is not the hash of the plan that was kept")


def _has_secrets(value: object) -> bool:
    """Return whether a plan was kept without its secrets: its hash was taken with them."""
    if isinstance(value, Mapping):
        return any(_has_secrets(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_secrets(item) for item in value)
    return isinstance(value, str) and _REDACTED in value


def _claim(seen: SeenRun, key: str, code: str, what: str) -> Problem:
    return problem(f"{seen.name} {key}", code, what, RESTORE)
