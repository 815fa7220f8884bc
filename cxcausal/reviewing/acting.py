"""What people do about a run: amend its plan, approve it, decide upon it, stop the experiment, print its page again."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.reviewing.registering import outcomes_seen

if TYPE_CHECKING:
    from cxcausal.core.record import State
    from cxcausal.core.results import Verdict
    from cxcausal.tracking.actor import Actor
    from cxcausal.tracking.ledger_chain import LedgerLine
    from cxcausal.tracking.rendering import Rendered


@dataclass(frozen=True, kw_only=True)
class Acted:
    """A line that the ledger has now: of which experiment and run, by whom, when; `payload` says the rest."""

    kind: str
    experiment: str
    run_id: str | None
    by: str
    at: str
    ledger_hash: str
    payload: dict[str, object]


def amend(
    plan: str | Path,
    reason: str,
    *,
    results_seen: bool | None = None,
    root: Path | None = None,
    actor: str | None = None,
    progress: Progress = SILENT,
) -> Acted:
    """Put a changed plan in the place of the registered one, with the reason and the difference.

    Args:
        plan: path of the plan's file, changed already.
        reason: why.
        results_seen: whether anybody has seen results; where the ledger has an analysis, that is a fact.
        root: the project's root.
        actor: who amends.
        progress: told how far the work is.

    Raises:
        PlanError: the plan is wrong.
        GateError: nothing is registered or changed, or what is said of the results contradicts the ledger.
    """
    from cxcausal.tracking.acts import Change
    from cxcausal.tracking.acts import amend as enter

    resolved = load_experiment(plan, root=root)
    with placing(resolved):
        outcomes = () if resolved.spec.retrospective else outcomes_seen(resolved, progress)
    change = Change(
        experiment=resolved.spec.id,
        plan_hash=resolved.plan_hash,
        plan=resolved.plan,
        reason=reason,
        results_seen=results_seen,
        outcomes=outcomes,
    )
    return _acted(enter(resolved.project.root, change, _actor(resolved.project.root, actor)))


def approve(folder: Path, name: str, *, actor: str | None = None) -> Acted:
    """Approve a run, or the newest run of an experiment, as one of the plan's approvers.

    Raises:
        GateError: who asks is not among the approvers, or ran, registered or owns it.
    """
    from cxcausal.tracking.acts import approve as enter

    root = _root(folder)
    return _acted(enter(root, name, _actor(root, actor)))


def decide(
    folder: Path, name: str, decision: "Verdict", *, reason: str | None = None, actor: str | None = None
) -> Acted:
    """Decide upon a run, or upon the newest run of an experiment; against the rule's verdict only with a reason.

    Raises:
        GateError: who asks ran the analysis, or gives no reason.
    """
    from cxcausal.tracking.acts import decide as enter

    root = _root(folder)
    return _acted(enter(root, name, decision, reason, _actor(root, actor)))


def stop(folder: Path, experiment: str, *, reason: str | None = None, actor: str | None = None) -> Acted:
    """Write that an experiment takes no more customers.

    Raises:
        GateError: it has not begun, or was stopped before.
    """
    from cxcausal.tracking.acts import stop as enter

    root = _root(folder)
    return _acted(enter(root, experiment, reason, _actor(root, actor)))


def report(folder: Path, name: str, *, actor: str | None = None) -> "Rendered":
    """Print the page of a run, or of an experiment's newest run, again: with approvals and decisions made since."""
    from cxcausal.report.render import render_report
    from cxcausal.tracking.rendering import render_again

    root = _root(folder)
    return render_again(root, name, _actor(root, actor), lambda result, head: render_report(result, ledger_head=head))


def states(folder: Path) -> "dict[str, State]":
    """Return how far every experiment on record has come."""
    from cxcausal.tracking import ledger
    from cxcausal.tracking.lifecycle import state_of

    lines = ledger.read(_root(folder))
    return {name: state_of(lines, name) for name in dict.fromkeys(line.experiment for line in lines) if name}


def _root(folder: Path) -> Path:
    from cxcausal.core.spec.project import find_root

    return find_root(folder) or folder


def _actor(root: Path, asserted: str | None) -> "Actor":
    from cxcausal.tracking.actor import resolve_actor

    return resolve_actor(root, asserted)


def _acted(line: "LedgerLine") -> Acted:
    payload = {key: value for key, value in line.payload.items() if key != "plan"}
    return Acted(
        kind=line.kind,
        experiment=line.experiment,
        run_id=line.payload.get("run_id"),
        by=line.actor,
        at=line.at,
        ledger_hash=line.hash,
        payload=payload,
    )
