"""A rerun: the plan over fresh data, held against the run before it, and recorded beside it."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.core.errors import PlanError, Problem, UsageError
from cxcausal.core.movement import Movement
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.results import RunResult
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.placing import placing
from cxcausal.core.spec.resolve import spec_of
from cxcausal.reviewing.causes import Rerun
from cxcausal.running import Again, Attempt, Run, completed, opened, tracked

if TYPE_CHECKING:
    from cxcausal.data.kept import Kept

_PLANS = ("*.yaml", "*.yml")


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is asked of a rerun.

    Attributes:
        on: a data file or glob to read in place of the plan's `data.source`.
        data_cut: an ISO date that replaces `data.observed_until`.
        parent: the run to be held against; the newest by default.
        accept_changes: why data that would be refused are right.
        actor: who asks, for the ledger.
    """

    on: str | None = None
    data_cut: str | None = None
    parent: str | None = None
    accept_changes: str | None = None
    actor: str | None = None


AS_PLANNED = Query()
"""The plan's own data and end of observation, against the newest run."""


@dataclass(frozen=True, kw_only=True)
class Rerunned:
    """A finished rerun: the run, and what moved since its parent."""

    run: Run
    movement: Movement


def rerun(
    experiment: str | Path, asked: Query = AS_PLANNED, *, root: Path | None = None, progress: Progress = SILENT
) -> Rerunned:
    """Analyse an experiment again on the data of now, and tell what moved since the run before, and why.

    The earlier run stays as it is; the new one is recorded beside it, with a line in the ledger that names both.

    Args:
        experiment: the path of a plan, or the id of one in `experiments/`.
        asked: data, end of observation, parent and actor.
        root: the project's root; by default the nearest one above the plan, or above the working folder.
        progress: told how far the work is.

    Raises:
        UsageError: there is no such plan, or no run of it yet.
        PlanError, DataError, GateError, MachineError: as `run_experiment`; and where plan or data are not those of
            the earlier run any more, and nobody accepted that.
        IntegrityError: the earlier run is not what was recorded.
    """
    from cxcausal.pipeline.preconditions import refuse_repeated_units
    from cxcausal.pipeline.reading import refuse_early
    from cxcausal.pipeline.support import refuse_unsupported
    from cxcausal.reviewing.refusing import refuse_other_experiment
    from cxcausal.tracking.parents import parent_of

    resolved = load_experiment(plan_of(experiment, root), root=root)
    parent = parent_of(resolved.project.root, resolved.spec.id, asked.parent)
    spec = completed(_cut(resolved.spec, asked.data_cut))
    now = Rerun(
        resolved=resolved,
        spec=spec,
        parent=parent,
        progress=progress,
        on=asked.on,
        data_cut=asked.data_cut,
        accepted=asked.accept_changes,
    )
    with placing(resolved, asked.on):
        refuse_unsupported(spec)
        if asked.accept_changes is None:
            refuse_other_experiment(spec_of(parent.plan), spec)
        with opened(replace(resolved, spec=spec), asked.on, progress) as dataset:
            refuse_repeated_units(spec, dataset)
            refuse_early(spec, dataset)
            run = tracked(resolved, dataset, asked.actor, progress, _again(now), Attempt(on=asked.on))
    assert run.result.movement is not None  # noqa: S101 - `_again` made it
    return Rerunned(run=run, movement=run.result.movement)


def _again(now: Rerun) -> Again:
    """Return what makes a run this rerun."""
    from cxcausal.reviewing.moving import movement_of

    def compare(_: Path, result: RunResult, kept: "Kept") -> RunResult:
        return replace(result, movement=movement_of(now, result, kept))

    entry = {"parent": now.parent.run_id, "data_cut": now.data_cut, "accepted": now.accepted}
    return Again(spec=now.spec, compare=compare, entry={key: text for key, text in entry.items() if text is not None})


def _cut(spec: ExperimentSpec, data_cut: str | None) -> ExperimentSpec:
    """Return the plan with another end of observation.

    Raises:
        UsageError: the text is no date.
    """
    from cxcausal.data.roles import is_date

    if data_cut is None:
        return spec
    if not is_date(data_cut):
        what, mend = f"'{data_cut}' is not a date", "write it as 2026-11-15"
        raise UsageError(Problem(where="--data-cut", code="R805", what=what, mend=mend))
    if spec.data.time_zero is None:
        what = "the plan has no data.time_zero, so an end of observation would change nothing"
        mend = "leave --data-cut out, or register a plan with data.time_zero and windows"
        raise UsageError(Problem(where="--data-cut", code="R806", what=what, mend=mend))
    return spec.model_copy(update={"data": spec.data.model_copy(update={"observed_until": data_cut})})


def plan_of(experiment: str | Path, root: Path | None = None) -> Path:
    """Return the path of a plan that is named by its path or by its id.

    Raises:
        UsageError: there is no such file, and no plan of that id in `experiments/`.
    """
    from cxcausal.core.spec.project import find_root

    path = Path(experiment)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        return path
    folder = (root or find_root(Path.cwd()) or Path.cwd()) / "experiments"
    plans = sorted(found for pattern in _PLANS for found in folder.glob(pattern))
    ids = []
    for plan in plans:
        ids.append(_id_of(plan, folder.parent) or "")
        if ids[-1] == str(experiment):
            return plan
    near = get_close_matches(str(experiment), ids, 1)
    meant = f"did you mean '{near[0]}'? " if near else ""
    what = f"no plan in experiments/ has the id '{experiment}'"
    mend = f"{meant}`cxcausal list` shows the ids; or give the path of the plan"
    raise UsageError(Problem(where="EXPERIMENT", code="R807", what=what, mend=mend))


def _id_of(plan: Path, root: Path) -> str | None:
    """Return the id of a plan that can be read."""
    try:
        return load_experiment(plan, root=root).spec.id
    except PlanError:
        return None
