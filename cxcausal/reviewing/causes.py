"""The effects between a run and its parent, one cause after the other, from the units that both kept."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from cxcausal.core.errors import DataError, PlanError
from cxcausal.core.movement import Cause, EffectMovement
from cxcausal.core.progress import Progress
from cxcausal.core.results import RunResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.resolve import Resolved, spec_of
from cxcausal.running import completed, opened

if TYPE_CHECKING:
    from cxcausal.data.engine import Table
    from cxcausal.data.kept import Kept
    from cxcausal.data.movements import Between, UnitChanges
    from cxcausal.pipeline.movement import Effects, Stage
    from cxcausal.tracking.parents import Parent


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """A rerun while it is compared with its parent.

    Attributes:
        resolved: the plan of now. spec: what is analysed: the same, but for the end of observation that was asked for.
        on: data in place of the plan's. data_cut: that end of observation. accepted: why changes are accepted.
    """

    resolved: Resolved
    spec: ExperimentSpec
    parent: "Parent"
    progress: Progress
    on: str | None = None
    data_cut: str | None = None
    accepted: str | None = None

    @property
    def same_plan(self) -> bool:
        """Whether both runs have the same plan."""
        return bool(self.parent.results["plan_hash"] == self.resolved.plan_hash)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found between two runs.

    Attributes:
        movements: every effect from then to now.
        changes: how many units each cause concerns. restated: shares by column.
        known, fresh: effects among units analysed before, as they are now, and among those analysed for the first time.
        cuts: effects by the run that was the first to analyse their units, oldest first, over the values of now; the
            last is this run's own, without a name. Empty where units can't be told from one run to the next.
        together: why the causes in the data can't be told apart; None where they were.
    """

    movements: tuple[EffectMovement, ...]
    changes: "UnitChanges | None" = None
    restated: Mapping[str, float]
    known: "Effects"
    fresh: "Effects"
    cuts: "tuple[tuple[str | None, Effects], ...]" = ()
    together: str | None = None


def found_between(rerun: Rerun, result: RunResult, kept: "Kept", own: Cause) -> Found:
    """Return the effects from then to now, cause by cause where the units of both runs are there.

    Args:
        rerun: what is compared.
        result: of now.
        kept: what this run kept of its units.
        own: to what a change on the very same units is put down; `erased` where customers were erased from what the
            parent kept, so that these are not all of its units.

    Raises:
        DataError: the data are not those of the earlier run any more, and nobody accepted that.
    """
    from cxcausal.pipeline.movement import Stage, headlines, movements, stored_headlines

    stored, now = stored_headlines(rerun.parent.results), headlines(result.effects)
    together = rerun.parent.why_none or kept.reason or _other_key(rerun)
    if together is None:
        try:
            with _later(rerun, kept) as (path, spec):
                return _taken_apart(rerun, (path, spec), (stored, now), own)
        except PlanError:
            together = "the earlier plan can't read the data of now"
    stages = (Stage(cause="data" if rerun.same_plan else "data_and_plan", effects=now),)
    return Found(movements=movements(stored, stages, now), restated={}, known={}, fresh={}, together=together)


def _other_key(rerun: Rerun) -> str | None:
    """Return that the parent's units were hashed with another key, with which every one of them would look new."""
    from cxcausal.tracking.project_key import key_name

    then = json.loads((rerun.parent.directory / "stages/kept.json").read_bytes()).get("key")
    other = then is not None and then != key_name(rerun.resolved.project.root)
    return "the project's key is not the one that the earlier run's units were hashed with" if other else None


@contextmanager
def _later(rerun: Rerun, kept: "Kept") -> Iterator[tuple[Path, ExperimentSpec]]:
    """Yield today's units as the earlier plan reads them, and that plan."""
    from cxcausal.data.kept import keep_units
    from cxcausal.tracking.project_key import project_key

    if rerun.same_plan:
        yield cast("Path", kept.path), rerun.spec
        return
    root, earlier = rerun.resolved.project.root, _earlier_plan(rerun)
    (root / ".cxcausal/tmp").mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=root / ".cxcausal/tmp") as folder:
        with opened(replace(rerun.resolved, spec=earlier), rerun.on, rerun.progress) as dataset:
            again = keep_units(dataset, earlier, Path(folder), project_key(root), earlier.reruns.max_units)
        yield cast("Path", again.path), earlier


def _earlier_plan(rerun: Rerun) -> ExperimentSpec:
    """Return the parent's plan, over the data of now."""
    from cxcausal.data.roles import is_date

    earlier = spec_of(rerun.parent.plan)
    data = {"source": rerun.spec.data.source, "table": rerun.spec.data.table}
    until = rerun.spec.data.observed_until
    if until is not None and is_date(until) and earlier.data.observed_until is not None:
        data["observed_until"] = until
    changed = {"data": earlier.data.model_copy(update=data), "reruns": rerun.spec.reruns}
    return completed(earlier.model_copy(update=changed))


def _taken_apart(
    rerun: Rerun, later: tuple[Path, ExperimentSpec], ends: "tuple[Effects, Effects]", own: Cause
) -> Found:
    """Return every cause's part, from tables that differ by one cause each."""
    from cxcausal.data.movements import between
    from cxcausal.pipeline.movement import movements
    from cxcausal.reviewing.refusing import refuse_strange

    (path, spec), (stored, now) = later, ends
    project = rerun.resolved.project
    with between(cast("Path", rerun.parent.kept), path, spec, project.root, project.timezone) as both:
        changes, restated = _with_erased(rerun, both.changes()), both.restated_shares()
        if rerun.accepted is None:
            refuse_strange(both, changes, restated)
        stages = _stages(both, changes, own, None if not rerun.same_plan else now)
        if not rerun.same_plan:
            stages = (*stages, _plan_stage(now))
        moved = movements(stored, stages, now)
        fresh: Effects = {}
        known = next(stage.effects for stage in stages if stage.cause == "late")
        if changes.matured or changes.new:
            moved = _with_mix(both, moved)
            fresh = _effects(both, both.newly_analysed(), "fresh")
        cuts = _cuts(rerun, both)
    found = Found(movements=moved, changes=changes, restated=restated, known=known, fresh=fresh, cuts=cuts)
    # Without names a changed row looks like one that is gone and a new one: nobody knows which units are new.
    return replace(found, fresh={}, cuts=()) if spec.data.unit is None and changes.erased else found


def _cuts(rerun: Rerun, both: "Between") -> "tuple[tuple[str | None, Effects], ...]":
    """Return the effects among the units that each run of the history was the first to analyse, as they are now."""
    from cxcausal.tracking.layout import KEPT_UNITS

    runs = rerun.parent.directory.parent
    kept = {run: runs / run / KEPT_UNITS for run in (*history_of(rerun.parent.results), rerun.parent.run_id)}
    there = {run: path for run, path in sorted(kept.items()) if path.is_file()}
    tables = zip((*there, None), both.cuts(tuple(there.values())), strict=True)
    return tuple((run, _effects(both, table, f"cut_{at}")) for at, (run, table) in enumerate(tables))


def history_of(results: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the runs whose own customers stand in the history of a run, with the end of observation of each."""
    effects = (results.get("movement") or {"effects": ()})["effects"]
    return {cut["run_id"]: cut["data_cut"] for effect in effects for cut in effect["history"]}


def _stages(both: "Between", changes: "UnitChanges", own: Cause, now: "Effects | None") -> "tuple[Stage, ...]":
    """Return the effects after each cause in the data; a cause that concerns nobody moves nothing.

    Args:
        both: the units of both runs.
        changes: how many each cause concerns.
        own: to what a change on the very same units is put down.
        now: the effects of this run, where they are those of today's units under the earlier plan.
    """
    from cxcausal.data.movements import STEPS
    from cxcausal.pipeline.movement import Stage

    stages = [Stage(cause=own, effects=_effects(both, both.table("same"), "same"))]
    for step in STEPS[1:]:
        units = changes.of(step)
        last = step == STEPS[-1]
        effects = now if last and now is not None else stages[-1].effects
        if units and not (last and now is not None):
            effects = _effects(both, both.table(step), step)
        stages.append(Stage(cause=cast("Cause", step), effects=effects, units=units))
    return tuple(stages[1:] if own == "erased" else stages)


def _with_erased(rerun: Rerun, changes: "UnitChanges") -> "UnitChanges":
    """Return the changes with the units that were erased from what the parent kept."""
    if not rerun.parent.erased:
        return changes
    kept = json.loads((rerun.parent.directory / "stages/kept.json").read_bytes())["units"]
    return replace(changes, erased=kept - (changes.now - changes.new))


def _plan_stage(now: "Effects") -> "Stage":
    from cxcausal.pipeline.movement import Stage

    return Stage(cause="plan", effects=now)


def _effects(both: "Between", units: "Table", name: str) -> "Effects":
    """Return the effects of one of the tables between two runs; none where it can't be analysed."""
    from cxcausal.pipeline.movement import effects_in

    try:
        dataset = both.dataset(units, name)
    except DataError:
        return {}
    found = effects_in(both.spec, dataset)
    both.forget(name)
    return found


def _with_mix(both: "Between", moved: tuple[EffectMovement, ...]) -> tuple[EffectMovement, ...]:
    """Return the movements with the steps of newly analysed units taken apart, where the plan has groups."""
    from cxcausal.pipeline.movement import mix_of

    try:
        before, now = both.dataset(both.table("late"), "before"), both.dataset(both.table("new"), "after")
    except DataError:
        return moved
    return tuple(
        replace(one, mix=mix_of(both.spec, (one.metric, one.arm, one.control), before, now, _newly(one)))
        for one in moved
    )


def _newly(moved: EffectMovement) -> float:
    """Return how far newly analysed units moved an effect."""
    return sum(step.change or 0.0 for step in moved.steps if step.cause in {"matured", "new"})
