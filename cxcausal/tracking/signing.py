"""Who may approve and decide: rules over the ledger's lines, kept when a line is written and when it is audited."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cxcausal.core.errors import Problem
from cxcausal.tracking.ledger_chain import RECORDING, LedgerLine
from cxcausal.tracking.lifecycle import PLANNING

_REFUSED = {
    "author": "ran the analysis",
    "registrar": "registered or amended the plan",
    "owner": "owns the experiment",
}


def approval_breaches(
    lines: Sequence[LedgerLine], run: LedgerLine, actor: str, plan: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield why `actor` may not approve a run.

    Args:
        lines: of the ledger, above the approval.
        run: the line that recorded the run.
        actor: who would approve.
        plan: the run's plan.
    """
    where = f"run {run.payload['run_id']}"
    approvers = [str(one) for one in plan.get("approvers") or ()]
    if not any(_same(actor, one) for one in approvers):
        mend = "name them under `approvers` in the plan, by an amendment" if not approvers else "approve as one of them"
        named = f"the plan names {', '.join(approvers)}" if approvers else "the plan names nobody"
        yield Problem(where=where, code="G121", what=f"{actor} is not among those who may approve: {named}", mend=mend)
    role = _role(lines, run, actor, plan)
    if role is not None:
        what = f"{actor} {_REFUSED[role]} and can't approve it"
        yield Problem(where=where, code="G122", what=what, mend="let another of the plan's approvers approve it")


def decision_breaches(run: LedgerLine, actor: str, decision: str, reason: str | None) -> Iterator[Problem]:
    """Yield why `actor` may not decide upon a run in this way."""
    where = f"run {run.payload['run_id']}"
    if _same(actor, run.actor):
        what = f"{actor} ran the analysis and can't decide upon it"
        yield Problem(where=where, code="G123", what=what, mend="let somebody else decide: cxcausal decide … --as WHO")
    if decision != run.payload["verdict"] and not (reason or "").strip():
        what = f"the rule's verdict is {run.payload['verdict']}, and {decision} goes against it without a reason"
        yield Problem(where=where, code="G124", what=what, mend="say why: --reason 'one sentence'")


def audited_signatures(
    lines: Sequence[LedgerLine], plans: Mapping[str, Mapping[str, Any]], path: str
) -> Iterator[tuple[str, Problem]]:
    """Yield the lines that nobody should have been able to write, with the run that they are about.

    Args:
        lines: of the whole ledger.
        plans: run id → its plan, where that is known.
        path: of the ledger, for the places.
    """
    runs: dict[str, LedgerLine] = {}
    for position, line in enumerate(lines):
        if line.kind in RECORDING:
            runs[line.payload["run_id"]] = line
        elif line.kind in {"approve", "decide"}:
            run_id = str(line.payload.get("run_id"))
            for found in _breaches(lines[:position], runs.get(run_id), line, plans):
                code = {"approve": "I717", "decide": "I718"}[line.kind]
                what = f"a line that could not have been written by cxcausal: {found}"
                mend = "find out who wrote this line; the approval or decision does not count"
                yield run_id, Problem(where=f"{path}:{position + 1}", code=code, what=what, mend=mend)


def _breaches(
    above: Sequence[LedgerLine], run: LedgerLine | None, line: LedgerLine, plans: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Yield in words what is wrong with one approval or decision."""
    if run is None or run.experiment != line.experiment:
        yield "no line above it recorded that run"
        return
    if line.kind == "decide":
        yield from (found.what for found in decision_breaches(run, line.actor, line.payload["decision"], _reason(line)))
        if line.payload["verdict"] != run.payload["verdict"]:
            yield "it states another verdict than the run's"
        return
    if line.payload.get("manifest") != run.payload["manifest"]:
        yield "it approves other files than the run's"
    plan = plans.get(run.payload["run_id"]) or registered_plan(above, run)
    if plan is not None:
        yield from (found.what for found in approval_breaches(above, run, line.actor, plan))


def registered_plan(lines: Sequence[LedgerLine], run: LedgerLine) -> Mapping[str, Any] | None:
    """Return the plan that the ledger has for a run, where it was registered."""
    wanted = run.payload["plan_hash"]
    plans = (line for line in lines if line.kind in PLANNING and line.experiment == run.experiment)
    return next((line.payload["plan"] for line in plans if line.payload["plan_hash"] == wanted), None)


def _role(lines: Sequence[LedgerLine], run: LedgerLine, actor: str, plan: Mapping[str, Any]) -> str | None:
    """Return what binds an actor to a run, or None where nothing does."""
    if _same(actor, run.actor):
        return "author"
    if any(line.kind in PLANNING and line.experiment == run.experiment and _same(actor, line.actor) for line in lines):
        return "registrar"
    return "owner" if _same(actor, str(plan.get("owner") or "")) else None


def _same(one: str, other: str) -> bool:
    """Return whether two names are one: case and space at the ends don't make another person."""
    return one.strip().casefold() == other.strip().casefold()


def _reason(line: LedgerLine) -> str | None:
    reason: str | None = line.payload.get("reason")
    return reason
