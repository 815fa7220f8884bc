"""What moved between a run and its parent: causes, drift, history and the decision, as one record."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cxcausal.core.movement import FEWEST_TOLD, Cause, Cut, EffectMovement, Movement, Pooled, told
from cxcausal.core.results import Estimate, RunResult
from cxcausal.core.whom_pairs import WhomPair
from cxcausal.reviewing.causes import Found, Rerun, found_between, history_of
from cxcausal.reviewing.pairing_rules import whom_pair
from cxcausal.reviewing.surroundings import looks_of, overlaps_of

if TYPE_CHECKING:
    from cxcausal.data.kept import Kept
    from cxcausal.data.movements import Cause as UnitCause

_COUNTED: "tuple[UnitCause, ...]" = ("erased", "restated", "late", "matured", "new")
_ACTED_ON = frozenset({"ship", "ship_with_monitoring", "pilot"})
_FEWEST_CUTS = 2


def movement_of(rerun: Rerun, result: RunResult, kept: "Kept") -> Movement:
    """Return what moved since the parent.

    Raises:
        DataError: the data are not those of the earlier run any more, and nobody accepted that.
        MachineError: the disk refuses.
    """
    from cxcausal.pipeline.movement_sentences import with_sentences
    from cxcausal.tracking.parents import code_differences, environment_differences
    from cxcausal.tracking.registration import changed_keys

    parent, before = rerun.parent, rerun.parent.results
    code = code_differences(rerun.resolved.project.root, parent.manifest)
    environment = environment_differences(parent.manifest)
    own = own_cause(code, environment, erased=parent.erased)
    with rerun.progress.stage("telling what moved"):
        found = found_between(rerun, result, kept, own)
    changes = found.changes
    whom = whom_pair(before, result.to_dict())
    return with_sentences(
        rerun.spec,
        result,
        Movement(
            parent=parent.run_id,
            parent_created_at=before["created_at"],
            verdict_before=before["verdict"],
            arm_before=before["recommended_arm"],
            flipped=flipped(before["verdict"], before["recommended_arm"], result, whom),
            effects=tuple(_with_history(rerun, result, found, one) for one in found.movements),
            units={} if changes is None else {cause: told(changes.of(cause)) for cause in _COUNTED},
            restated=_restated(found),
            together=found.together,
            plan_changed=() if rerun.same_plan else changed_keys(parent.plan, rerun.resolved.plan),
            code=code,
            environment=environment,
            accepted=rerun.accepted,
            data_cut=rerun.data_cut,
            looks=looks_of(rerun.resolved.project.root, rerun.spec, result, rerun.data_cut),
            overlaps=overlaps_of(rerun.resolved.project.root, rerun.spec, result, kept),
            whom=whom,
        ),
    )


def _restated(found: Found) -> dict[str, float]:
    """Return the shares of restated values by column, unless they are of so few that they might point at somebody."""
    units = 0 if found.changes is None else found.changes.both
    shares = {name.partition(":")[2] or name: share for name, share in found.restated.items()}
    return {name: share for name, share in shares.items() if share > 0 and round(share * units) >= FEWEST_TOLD}


def flipped(verdict: str, arm: str | None, now: RunResult, whom: WhomPair | None = None) -> bool:
    """Tell whether a decision is another one: another verdict, or another arm or rule to be acted on.

    A rule is acted on where the verdict lets an arm go ahead, and part of the decision where the plan has a `policy`.
    """
    other_rule = whom is not None and whom.changed and bool(now.plan.get("policy"))
    return verdict != now.verdict or (verdict in _ACTED_ON and (arm != now.recommended_arm or other_rule))


def own_cause(code: tuple[str, ...], environment: tuple[str, ...], *, erased: bool = False) -> Cause:
    """Return to what a change on the very same units is put down.

    The project's commit alone changes with every line of the ledger, so that another environment counts before it, and
    so do customers who were erased from what the parent kept: those units are then not quite the same.

    Example:
        >>> own_cause(("the package",), ("numpy 2.1 → 2.2",)), own_cause(("the project's commit",), ("python",))
        ('code_and_environment', 'environment')
        >>> own_cause(("the project's commit",), (), erased=True)
        'erased'
    """
    if environment:
        return "code_and_environment" if code == ("the package",) else "environment"
    if erased and code != ("the package",):
        return "erased"
    return "code" if code else "unexplained"


def _with_history(rerun: Rerun, result: RunResult, found: Found, moved: EffectMovement) -> EffectMovement:
    """Return an effect's movement with its drift, and with the effects of all cuts so far pooled."""
    from cxcausal.pipeline.movement import drift_of

    contrast = (moved.metric, moved.arm, moved.control)
    known, fresh = found.known.get(contrast), found.fresh.get(contrast)
    history = _history(rerun, result, found, contrast)
    alpha = rerun.spec.analysis.alpha
    drift = None if known is None or fresh is None else drift_of(known, fresh, alpha)
    return replace(moved, drift=drift, history=history, pooled=_pooled(history, 1 - alpha))


def _history(rerun: Rerun, result: RunResult, found: Found, contrast: tuple[str, str, str]) -> tuple[Cut, ...]:
    """Return the effect among every cut's own customers, by the values of now; nobody counts in two cuts."""
    parent = rerun.parent
    ends = {**history_of(parent.results), parent.run_id: parent.results["data"]["data_cut"]}
    cuts: list[Cut] = []
    for run, effects in found.cuts:
        row, end = effects.get(contrast), result.data.data_cut if run is None else ends[run]
        cuts.extend(() if row is None else _cut(run or result.run_id, end, row))
    return tuple(cuts)


def _cut(run_id: str, data_cut: str | None, row: Estimate) -> tuple[Cut, ...]:
    """Return an effect as a cut's own, where it has a standard error that can be relied on."""
    from cxcausal.pipeline.movement import comparable

    if row.point is None or not row.se or not comparable(row):
        return ()
    units = (row.n_treated or 0) + (row.n_control or 0)
    return (Cut(run_id=run_id, data_cut=data_cut, point=row.point, se=row.se, units=units),)


def _pooled(history: tuple[Cut, ...], level: float) -> Pooled | None:
    """Return the effects of all cuts as draws around one mean."""
    from cxcausal.stats.random_effects import random_effects

    if len(history) < _FEWEST_CUTS:
        return None
    found = random_effects([cut.point for cut in history], [cut.se for cut in history], level)
    return Pooled(
        cuts=len(history),
        point=found.point,
        low=found.low,
        high=found.high,
        level=level,
        tau=found.tau2**0.5,
        i2=found.i2,
        q=found.q,
        p=found.p,
    )
