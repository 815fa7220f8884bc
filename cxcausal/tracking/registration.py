"""Whether the plan that was run is the plan that was registered before anyone had seen a result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.lifecycle import why_seen
from cxcausal.tracking.redaction import without_secrets_in

RegistrationStatus = Literal["registered", "plan_changed", "not_registered", "retrospective"]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What the ledger knows of a plan's registration.

    Attributes:
        status: `registered` before the first analysis; `plan_changed` since it was; `not_registered` at all;
            `retrospective` where the plan says so, was registered only after a first analysis, or was amended when
            results had been seen.
        sentence: what page one says.
        changed: the plan's top-level keys that differ from the registered plan, where the status is plan_changed.
        at, actor, actor_source: when (ISO 8601, UTC) and by whom it was registered; ledger_hash: that line's hash.
    """

    status: RegistrationStatus
    sentence: str
    changed: tuple[str, ...] = ()
    at: str | None = None
    actor: str | None = None
    actor_source: str | None = None
    ledger_hash: str | None = None

    @property
    def registered(self) -> bool:
        """Whether the verdict stays free of the cap for plans that were not registered."""
        return self.status == "registered"


def register(root: Path, experiment: str, plan_hash: str, plan: Mapping[str, Any], *, actor: Actor) -> LedgerLine:
    """Write the plan into the ledger: `register` the first time, `amend` for a plan that differs from the last.

    A plan that is the registered one already adds no line; its line is returned.

    Args:
        root: the project's root.
        experiment: the plan's id.
        plan_hash: the hash of the resolved plan.
        plan: the resolved plan; kept in the ledger, so that a later change can be named.
        actor: who registers.
    """
    with ledger.writing(root) as chain:
        earlier = _registrations(chain.lines, experiment)
        if earlier and earlier[-1].payload["plan_hash"] == plan_hash:
            return earlier[-1]
        entry = ledger.Entry(
            kind="amend" if earlier else "register",
            experiment=experiment,
            actor=actor,
            payload={"plan_hash": plan_hash, "plan": plan},
        )
        return ledger.append_to(root, chain, entry)


def registration_of(root: Path, experiment: str, plan_hash: str, plan: Mapping[str, Any]) -> Registration:
    """Return how the plan about to be run stands to what the ledger holds.

    Call it before the run's own line is written: an analysis that came before the registration makes it late.
    """
    return standing(ledger.read(root), experiment, plan_hash, plan)


def standing(lines: Sequence[LedgerLine], experiment: str, plan_hash: str, plan: Mapping[str, Any]) -> Registration:
    """Return how a plan stands to these lines of the ledger: those above the run's own."""
    entries = _registrations(lines, experiment)
    same = _first_with(entries, plan_hash)
    if plan.get("retrospective") is True:
        return _told("retrospective", "Retrospective: the plan was written after the events it studies.", same)
    if not entries:
        return _told("not_registered", "Not registered before the data were analysed.", None)
    if same is None:
        return _changed(entries[-1], plan)
    late = why_seen(same.payload, analysed=_analysed_before(lines, experiment, same))
    if late is not None:
        how = "Registered" if same.kind == "register" else "Amended"
        return _told("retrospective", f"{how} {_when(same)}, {late}.", same)
    return _told("registered", f"Registered {_when(same)}, before the first analysis.", same)


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the top-level keys whose values differ, in alphabetical order.

    Example:
        >>> changed_keys({"a": 1, "b": {"x": 1}}, {"a": 1, "b": {"x": 2}, "c": 0})
        ('b', 'c')
    """
    old, new = without_secrets_in(before), without_secrets_in(after)
    absent = object()
    return tuple(sorted(key for key in {*old, *new} if old.get(key, absent) != new.get(key, absent)))


def _registrations(lines: Sequence[LedgerLine], experiment: str) -> tuple[LedgerLine, ...]:
    """Return the lines that registered or amended this experiment's plan, oldest first."""
    return tuple(line for line in lines if line.experiment == experiment and line.kind in {"register", "amend"})


def _first_with(entries: tuple[LedgerLine, ...], plan_hash: str) -> LedgerLine | None:
    """Return the first registration of the plan that is in force, or None where another one is."""
    if not entries or entries[-1].payload["plan_hash"] != plan_hash:
        return None
    return next(line for line in entries if line.payload["plan_hash"] == plan_hash)


def _analysed_before(lines: Sequence[LedgerLine], experiment: str, entry: LedgerLine) -> bool:
    """Return whether a line above `entry` analysed this experiment's data."""
    above = lines[: lines.index(entry)]
    return any(line.experiment == experiment and line.kind in {"analyse", "rerun"} for line in above)


def _changed(last: LedgerLine, plan: Mapping[str, Any]) -> Registration:
    """Return that the plan differs from the one last registered, and where."""
    keys = changed_keys(last.payload["plan"], plan)
    named = f" in: {', '.join(keys)}" if keys else " in how it is written down"
    sentence = f"The plan was changed after it was registered {_when(last)}; it differs{named}."
    return _told("plan_changed", sentence, last, keys)


def _when(line: LedgerLine) -> str:
    """Return day and person for a sentence."""
    return f"on {line.at[:10]} by {line.actor}"


def _told(
    status: RegistrationStatus, sentence: str, line: LedgerLine | None, changed: tuple[str, ...] = ()
) -> Registration:
    """Return the record; without a line, nobody and never."""
    if line is None:
        return Registration(status=status, sentence=sentence, changed=changed)
    return Registration(
        status=status,
        sentence=sentence,
        changed=changed,
        at=line.at,
        actor=line.actor,
        actor_source=line.actor_source,
        ledger_hash=line.hash,
    )
