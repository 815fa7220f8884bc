"""Locking a plan before its outcomes exist."""

from dataclasses import dataclass
from pathlib import Path

from cxcausal.core.errors import DataError, GateError, Problem
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.core.spec.resolve import Resolved
from cxcausal.running import opened, registration_now


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A plan that is locked in the ledger, and why `run` would refuse it, where it would."""

    experiment: str
    plan_hash: str
    at: str
    actor: str
    ledger_hash: str
    new: bool
    warnings: tuple[str, ...] = ()


def register(
    plan: str | Path, *, root: Path | None = None, actor: str | None = None, progress: Progress = SILENT
) -> Registered:
    """Lock a plan in the ledger before its outcomes exist; a plan that is locked already stays as it is.

    A plan with `retrospective: true` may be registered at any time: its verdict is capped all the same.

    Raises:
        PlanError: the plan is wrong.
        GateError: outcomes exist already, so that nobody can know whether the plan came first; or another plan of
            this experiment is registered, which only an amendment changes.
    """
    from cxcausal.pipeline.support import unsupported
    from cxcausal.tracking.actor import resolve_actor
    from cxcausal.tracking.acts import plan_in_force
    from cxcausal.tracking.ledger import read
    from cxcausal.tracking.registration import register as lock

    resolved = load_experiment(plan, root=root)
    before = registration_now(resolved)
    in_force = plan_in_force(read(resolved.project.root), resolved.spec.id)
    if in_force is not None and in_force.payload["plan_hash"] != resolved.plan_hash:
        raise GateError(_needs_amendment(resolved, before.sentence))
    if before.status != "registered" and not resolved.spec.retrospective:
        with placing(resolved):
            _refuse_lateregistration_now(resolved, progress)
    line = lock(
        resolved.project.root,
        resolved.spec.id,
        resolved.plan_hash,
        resolved.plan,
        actor=resolve_actor(resolved.project.root, actor),
    )
    return Registered(
        experiment=resolved.spec.id,
        plan_hash=resolved.plan_hash,
        at=line.at,
        actor=line.actor,
        ledger_hash=line.hash,
        new=line.hash != before.ledger_hash,
        warnings=tuple(f"`run` will refuse it: {resolved.placed(found)}" for found in unsupported(resolved.spec)),
    )


def _refuse_lateregistration_now(resolved: Resolved, progress: Progress) -> None:
    """Raise where any planned outcome has a value already."""
    seen = outcomes_seen(resolved, progress)
    if seen:
        raise GateError(
            Problem(
                where="data.source",
                code="G101",
                what=f"outcomes exist already ({', '.join(seen)}), so nobody could know that the plan came before them",
                mend="register before the data arrive; for old data say `retrospective: true` (the verdict is capped)",
            )
        )


def outcomes_seen(resolved: Resolved, progress: Progress) -> tuple[str, ...]:
    """Return the planned outcomes that have values already; none where their file or columns do not exist yet.

    Raises:
        DataError: the data are not what the plan says.
    """
    from cxcausal.pipeline.preconditions import outcomes_seen as seen_in

    try:
        with opened(resolved, None, progress) as dataset:
            return seen_in(resolved.spec, dataset)
    except DataError as error:
        if all(_is_of_the_future(resolved, problem) for problem in error.problems):
            return ()
        raise


def _needs_amendment(resolved: Resolved, how: str) -> Problem:
    what = f"another plan of this experiment is registered. {how}"
    mend = f"cxcausal amend {resolved.plan_path} --reason 'why' --results-not-seen (or --results-seen)"
    return Problem(where=resolved.spec.id, code="G102", what=what, mend=mend)


def _is_of_the_future(resolved: Resolved, problem: Problem) -> bool:
    """Tell whether a problem only says that the file, or a column of outcomes in it, isn't there yet."""
    metrics = (metric for _, metric in resolved.spec.metrics.with_roles())
    awaited = {name for metric in metrics for name in (*metric.columns, metric.response)}
    return problem.code == "D104" or (
        problem.code == "D210" and any(problem.where.endswith(f" column {name}") for name in awaited)
    )
