"""From lines of the ledger to how an experiment stands: draft, registered, running, stopped or decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from cxcausal.core.record import STATES, Amendment, Change, RecordFacts, Ruling, Signed, State
from cxcausal.tracking.ledger_chain import RECORDING, LedgerLine
from cxcausal.tracking.plan_changes import plan_changes
from cxcausal.tracking.readings import Reading, earlier_than, readings, told_before

_REACHED: Mapping[str, State] = {
    "register": "registered",
    "amend": "registered",
    "assign": "running",
    "analyse": "running",
    "rerun": "running",
    "stop": "stopped",
    "decide": "decided",
}
"""The state that a line of each kind brings an experiment to; none ever goes back."""
PLANNING = frozenset({"register", "amend"})


def state_of(lines: Sequence[LedgerLine], experiment: str) -> State:
    """Return how far an experiment has come.

    Args:
        lines: of the ledger, oldest first; those of other experiments don't count.
        experiment: its id.
    """
    reached = [
        STATES.index(_REACHED[line.kind]) for line in lines if _is_of(line, experiment) and line.kind in _REACHED
    ]
    return STATES[max(reached, default=0)]


def amendments_of(lines: Sequence[LedgerLine], experiment: str) -> tuple[Amendment, ...]:
    """Return the changes of an experiment's registered plan, oldest first."""
    plan: Mapping[str, Any] | None = None
    analysed = False
    found = []
    for line in (line for line in lines if _is_of(line, experiment)):
        analysed = analysed or line.kind in RECORDING
        if line.kind == "amend":
            found.append(_amendment(line, plan or {}, analysed=analysed))
        if line.kind in PLANNING:
            plan = line.payload["plan"]
    return tuple(found)


def why_seen(payload: Mapping[str, Any], *, analysed: bool) -> str | None:
    """Return how it is known that results may have been seen before an amendment; None where they were not."""
    if analysed:
        return "after the results had first been analysed"
    if payload.get("results_seen") is True:
        return "after results had been seen"
    return "when outcomes existed already" if payload.get("outcomes") else None


def record_of(
    lines: Sequence[LedgerLine],
    experiment: str,
    run_id: str | None = None,
    *,
    data_cut: str | None = None,
    reading: Reading | None = None,
) -> RecordFacts:
    """Return what stands on record about an experiment, and about one of its runs.

    Args:
        lines: of the ledger, oldest first.
        experiment: its id.
        run_id: the run whose approvals and decision are wanted.
        data_cut: the day up to which the run's data were observed.
        reading: what the run read and found; without it, nothing is told of earlier readings.
    """
    own = [line for line in lines if _is_of(line, experiment)]
    upon = [line for line in own if run_id is not None and line.payload.get("run_id") == run_id]
    rulings = [_ruling(line) for line in upon if line.kind == "decide"]
    before = earlier_than(lines, experiment, run_id)
    registered = next((line.at[:10] for line in reversed(own) if line.kind in PLANNING), None)
    return RecordFacts(
        state=state_of(own, experiment),
        amendments=amendments_of(own, experiment),
        approvals=tuple(Signed(by=line.actor, on=line.at) for line in upon if line.kind == "approve"),
        ruling=rulings[-1] if rulings else None,
        registered_on=registered,
        after_cut=registered is not None and data_cut is not None and data_cut[:10] < registered,
        readings=1 if reading is None else readings(before, experiment, reading),
        earlier=() if reading is None else told_before(before, experiment, reading),
    )


def _is_of(line: LedgerLine, experiment: str) -> bool:
    return line.experiment == experiment


def _amendment(line: LedgerLine, before: Mapping[str, Any], *, analysed: bool) -> Amendment:
    why = why_seen(line.payload, analysed=analysed)
    changes = line.payload.get("changes")
    told = plan_changes(before, line.payload["plan"]) if changes is None else tuple(Change(**one) for one in changes)
    return Amendment(
        on=line.at, by=line.actor, reason=line.payload.get("reason"), seen=why is not None, why_seen=why, changes=told
    )


def _ruling(line: LedgerLine) -> Ruling:
    payload = line.payload
    return Ruling(
        decision=payload["decision"],
        verdict=payload["verdict"],
        by=line.actor,
        on=line.at,
        reason=payload.get("reason"),
        against=payload["decision"] != payload["verdict"],
    )
