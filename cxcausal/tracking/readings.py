"""What was read before a run: other data of its experiment, and the same data under the name of another experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from cxcausal.core.record import Earlier
from cxcausal.tracking.ledger_chain import RECORDING, LedgerLine


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one run read and found: the hash of its data, the end of observation that was asked for, its verdict."""

    fingerprint: str
    cut: str | None
    verdict: str


def reading_of(line: LedgerLine) -> Reading:
    """Return the reading that a line recorded."""
    told = line.payload
    return Reading(fingerprint=told["data_fingerprint"], cut=told.get("data_cut"), verdict=told["verdict"])


def earlier_than(lines: Sequence[LedgerLine], experiment: str, run_id: str | None) -> tuple[LedgerLine, ...]:
    """Return the lines that recorded analyses before a run; all of them where the run is not on record yet."""
    recording = (line for line in lines if line.kind in RECORDING)
    return tuple(takewhile(lambda line: (line.experiment, line.payload["run_id"]) != (experiment, run_id), recording))


def readings(before: Sequence[LedgerLine], experiment: str, now: Reading) -> int:
    """Return how often an experiment was read, this reading included; the same data again are no other reading."""
    seen = [reading_of(line) for line in before if line.experiment == experiment]
    return len({(one.fingerprint, one.cut) for one in (*seen, now)})


def told_before(before: Sequence[LedgerLine], experiment: str, now: Reading) -> tuple[Earlier, ...]:
    """Return what else was found, oldest first: by this experiment, and on the same data by any other.

    An analysis that read and found what this one did tells nothing new, nor does one that repeats another.
    """
    found: dict[tuple[str, Reading], Earlier] = {}
    for line in before:
        reading, own = reading_of(line), line.experiment == experiment
        if (own and reading != now) or (not own and reading.fingerprint == now.fingerprint):
            told = Earlier(
                on=line.at, by=line.actor, verdict=reading.verdict, experiment=None if own else line.experiment
            )
            found.setdefault((line.experiment, reading), told)
    return tuple(found.values())
