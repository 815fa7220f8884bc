"""Acts beside analyses that go into the ledger: amend, approve, decide, stop; each is refused or adds one line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxcausal.core.errors import GateError, Problem, UsageError
from cxcausal.core.results import Verdict
from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.layout import PLAN, runs_folder
from cxcausal.tracking.ledger_chain import RECORDING, LedgerLine
from cxcausal.tracking.lifecycle import PLANNING, state_of
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.plan_changes import plan_changes
from cxcausal.tracking.signing import approval_breaches, decision_breaches, registered_plan


@dataclass(frozen=True, kw_only=True)
class Change:
    """A plan that is to take the place of the registered one.

    Attributes:
        experiment, plan_hash, plan: the resolved plan.
        reason: why it changes.
        results_seen: what the actor says; None where nothing was said.
        outcomes: planned outcomes that have values already.
    """

    experiment: str
    plan_hash: str
    plan: Mapping[str, Any]
    reason: str
    results_seen: bool | None
    outcomes: tuple[str, ...] = ()


def amend(root: Path, change: Change, actor: Actor) -> LedgerLine:
    """Write an amendment with its difference from the plan in force.

    Raises:
        GateError: nothing is registered or changed, no reason is given, or it is denied that results were seen.
    """
    with ledger.writing(root) as chain:
        before = plan_in_force(chain.lines, change.experiment)
        analysed = any(line.experiment == change.experiment and line.kind in RECORDING for line in chain.lines)
        problem = _amendment_problem(change, before, analysed=analysed)
        if before is None or problem is not None:
            raise GateError(problem or _not_registered(change.experiment))
        payload = {
            "plan_hash": change.plan_hash,
            "plan": change.plan,
            "reason": change.reason.strip(),
            "results_seen": analysed or change.results_seen,
            "outcomes": change.outcomes,
            "changes": plan_changes(before.payload["plan"], change.plan),
        }
        entry = ledger.Entry(kind="amend", experiment=change.experiment, actor=actor, payload=payload)
        return ledger.append_to(root, chain, entry)


def approve(root: Path, name: str, actor: Actor) -> LedgerLine:
    """Write that `actor` approves a run, or the newest run of an experiment; twice by the same adds no line.

    Raises:
        GateError: the actor may not approve it, or its files are not those on record.
        UsageError: there is no such run on record.
    """
    with ledger.writing(root) as chain:
        run = recorded_run(chain.lines, name)
        plan = _plan_of(root, chain.lines, run)
        problems = tuple(approval_breaches(chain.lines, run, actor.name, plan))
        if problems:
            raise GateError(problems)
        payload = {"run_id": run.payload["run_id"], "manifest": run.payload["manifest"]}
        for line in chain.lines:
            if line.kind == "approve" and line.actor == actor.name and line.payload == payload:
                return line
        entry = ledger.Entry(kind="approve", experiment=run.experiment, actor=actor, payload=payload)
        return ledger.append_to(root, chain, entry)


def decide(root: Path, name: str, decision: Verdict, reason: str | None, actor: Actor) -> LedgerLine:
    """Write what was decided upon a run, or upon the newest run of an experiment.

    Raises:
        GateError: the actor ran it, or goes against the rule without a reason.
        UsageError: there is no such run on record.
    """
    with ledger.writing(root) as chain:
        run = recorded_run(chain.lines, name)
        problems = tuple(decision_breaches(run, actor.name, decision, reason))
        if problems:
            raise GateError(problems)
        payload = {
            "run_id": run.payload["run_id"],
            "decision": decision,
            "verdict": run.payload["verdict"],
            "reason": (reason or "").strip() or None,
        }
        entry = ledger.Entry(kind="decide", experiment=run.experiment, actor=actor, payload=payload)
        return ledger.append_to(root, chain, entry)


def stop(root: Path, experiment: str, reason: str | None, actor: Actor) -> LedgerLine:
    """Write that an experiment takes no more customers.

    Raises:
        UsageError: it has not begun.
        GateError: it was stopped already.
    """
    with ledger.writing(root) as chain:
        state = state_of(chain.lines, experiment)
        mend = "see `cxcausal list` for the experiments and their states"
        if state == "draft":
            what = f"no experiment of the name {experiment!r} was registered or run"
            raise UsageError(Problem(where="ledger", code="U241", what=what, mend=mend))
        if state not in {"registered", "running"}:
            raise GateError(Problem(where=experiment, code="G126", what=f"it is {state} already", mend=mend))
        payload = {"reason": (reason or "").strip() or None}
        return ledger.append_to(
            root, chain, ledger.Entry(kind="stop", experiment=experiment, actor=actor, payload=payload)
        )


def recorded_run(lines: Sequence[LedgerLine], name: str) -> LedgerLine:
    """Return the line that recorded a run, by its id, or the newest run of an experiment.

    Raises:
        UsageError: no line did.
    """
    runs = [line for line in lines if line.kind in RECORDING and name in {line.payload["run_id"], line.experiment}]
    if runs:
        return runs[-1]
    what = f"no run or experiment of the name {name!r} is on record"
    raise UsageError(Problem(where="ledger", code="U241", what=what, mend="see `cxcausal audit log` for what there is"))


def plan_in_force(lines: Sequence[LedgerLine], experiment: str) -> LedgerLine | None:
    """Return the line of the plan that an experiment is registered with, or None."""
    planned = [line for line in lines if line.kind in PLANNING and line.experiment == experiment]
    return planned[-1] if planned else None


def _amendment_problem(change: Change, before: LedgerLine | None, *, analysed: bool) -> Problem | None:
    """Return why an amendment is refused."""
    where = change.experiment
    if before is None:
        return _not_registered(where)
    if before.payload["plan_hash"] == change.plan_hash:
        what = f"the plan is the one that is in force since {before.at[:10]}"
        return Problem(where=where, code="G125", what=what, mend="change the plan's file first, then amend")
    if not change.reason.strip():
        return Problem(where=where, code="G127", what="an amendment needs a reason", mend="say why: --reason 'why'")
    if analysed and change.results_seen is False:
        what = "the ledger has an analysis before this amendment, so results were seen"
        return Problem(where=where, code="G128", what=what, mend="say --results-seen; nobody can deny it")
    if not analysed and change.results_seen is None:
        what = "it must be said whether anyone has seen results"
        return Problem(where=where, code="G129", what=what, mend="add --results-seen or --results-not-seen")
    return None


def _not_registered(experiment: str) -> Problem:
    what, mend = "no plan of this experiment is registered, so there is none to amend", "cxcausal register PLAN"
    return Problem(where=experiment, code="G120", what=what, mend=mend)


def _plan_of(root: Path, lines: Sequence[LedgerLine], run: LedgerLine) -> Mapping[str, Any]:
    """Return the plan of a recorded run, from its folder where that is as it was recorded, or from the ledger.

    Raises:
        IntegrityError: the folder is not what was recorded.
        GateError: neither has it.
    """
    folder = runs_folder(root) / run.experiment / run.payload["run_id"]
    if folder.is_dir() and verify_manifest(folder) == run.payload["manifest"]:
        plan: Mapping[str, Any] = json.loads((folder / PLAN).read_bytes())
        return plan
    registered = registered_plan(lines, run)
    if registered is None:
        what, mend = "its folder and its plan are not here", "approve it where it was run"
        raise GateError(Problem(where=f"run {folder.name}", code="G130", what=what, mend=mend))
    return registered
