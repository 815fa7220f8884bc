"""What the ledger says about an experiment beside its numbers: its state, amendments, approval and decision."""

from dataclasses import dataclass
from typing import Literal

State = Literal["draft", "registered", "running", "stopped", "decided"]
STATES: tuple[State, ...] = ("draft", "registered", "running", "stopped", "decided")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One key of the plan, dotted, before and after an amendment; None where it was not there."""

    key: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """One change of a registered plan.

    Attributes:
        on: when, ISO 8601. by: who. reason: why; None where none was given.
        seen: whether results may have been known: said so, analysed before, or outcomes that existed already.
        why_seen: how that is known, as the end of a sentence; None where they were not.
        changes: what changed in the resolved plan.
    """

    on: str
    by: str
    reason: str | None = None
    seen: bool
    why_seen: str | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Who signed, and when (ISO 8601)."""

    by: str
    on: str


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What was decided upon a run, by whom, when, and why; `against` where the rule's verdict was another."""

    decision: str
    verdict: str
    by: str
    on: str
    reason: str | None = None
    against: bool = False


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An analysis before this one: when, by whom, its verdict, and of which experiment where that is another one."""

    on: str
    by: str
    verdict: str
    experiment: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecordFacts:
    """How an experiment stands on record, as of the ledger's line before the page.

    Attributes:
        state: of the experiment. amendments: oldest first.
        approvals: of this run. ruling: the last decision upon this run.
        registered_on: the day of the registration in force; after_cut: whether the data end before it.
        readings: how many different data of the experiment were analysed up to this run, its own among them.
        earlier: what other readings found, and what other experiments found on the same data.
        read_on: what was read in place of the plan's own data; None where it was those.
    """

    state: State
    amendments: tuple[Amendment, ...] = ()
    approvals: tuple[Signed, ...] = ()
    ruling: Ruling | None = None
    registered_on: str | None = None
    after_cut: bool = False
    readings: int = 1
    earlier: tuple[Earlier, ...] = ()
    read_on: str | None = None
