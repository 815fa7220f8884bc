"""What the ledger keeps of an assignment: with which salt (as a hash), from which units, and how many went where."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.ledger_chain import LedgerLine


@dataclass(frozen=True, kw_only=True)
class AssignmentRecord:
    """One assignment, without an id.

    Attributes:
        plan_hash: of the resolved plan. salt_hash: SHA-256 of the salt. method: `hash` or `stratified`.
        units_hash: over the files of units; output_hash: of the file that was written.
        counts: randomised units per arm.
        hold_out: the share kept out of every experiment, as a fraction; held_out: how many randomised units that is.
    """

    plan_hash: str
    salt_hash: str
    method: Literal["hash", "stratified"]
    units_hash: str
    output_hash: str
    counts: Mapping[str, int]
    hold_out: str = "0"
    held_out: int = 0

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the ledger's line says; nothing of a hold-out where there is none."""
        without = () if self.held_out else ("hold_out", "held_out")
        return {key: value for key, value in asdict(self).items() if key not in without}


def record_assignment(root: Path, experiment: str, record: AssignmentRecord, *, actor: Actor) -> LedgerLine:
    """Write an assignment into the ledger; the very assignment that stands there last adds no line."""
    with ledger.writing(root) as chain:
        last = _last(chain.lines, experiment)
        if last is not None and dict(last.payload) == dict(record.payload):
            return last
        entry = ledger.Entry(kind="assign", experiment=experiment, actor=actor, payload=dict(record.payload))
        return ledger.append_to(root, chain, entry)


def last_assignment(root: Path, experiment: str) -> LedgerLine | None:
    """Return the line of an experiment's latest assignment, or None.

    Raises:
        IntegrityError: the chain is broken.
    """
    return _last(ledger.read(root), experiment)


def _last(lines: tuple[LedgerLine, ...], experiment: str) -> LedgerLine | None:
    mine = (line for line in reversed(lines) if line.kind == "assign" and line.experiment == experiment)
    return next(mine, None)
