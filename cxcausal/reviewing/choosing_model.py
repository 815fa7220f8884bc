"""Which run's model fresh customers are scored by, and why another one may not be."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.core.errors import GateError, Problem, UsageError
from cxcausal.core.model_facts import CURRENT
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.project import Project, find_root, read_project
from cxcausal.core.spec.resolve import spec_of

if TYPE_CHECKING:
    from cxcausal.tracking.model_folder import SavedModel

REFUSED = frozenset({"stop", "no_decision", "withheld"})
_ANYWAY = "say --despite-verdict to score all the same; the ledger then says so"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A run's model, and the plan it was learned with.

    Attributes:
        project: around it. experiment, run_id: whose it is. spec: the plan as the run read it.
        notes: what a reader should know, such as that the plan's file is another one by now.
    """

    project: Project
    experiment: str
    run_id: str
    saved: "SavedModel"
    spec: ExperimentSpec
    notes: tuple[str, ...] = ()


def chosen_model(experiment: str | Path, run_id: str | None, root: Path | None, *, despite_verdict: bool) -> Chosen:
    """Return the model of a run, or of the newest run that has one.

    Args:
        experiment: the path of a plan, or an experiment's id.
        run_id: the run that is meant; None for the newest one with a model.
        root: the project's root.
        despite_verdict: whether a run that concluded nothing good is taken all the same.

    Raises:
        UsageError: there is no such run, or it has no model.
        GateError: the run's verdict or grade does not allow it.
        IntegrityError: its files are not those that were recorded, or are gone.
    """
    from cxcausal.tracking.layout import PLAN
    from cxcausal.tracking.model_folder import MODEL, read_model
    from cxcausal.tracking.parents import analyses_of
    from cxcausal.tracking.recorded_run import read_run

    project, name, plan_hash = _named(experiment, root)
    found = _run_with_model(project.root, name, run_id)
    run = read_run(project.root, found)
    saved = read_model(run.directory / MODEL)
    _refuse_other(saved, run.directory, run.results["plan_hash"])
    notes = _gated(saved, despite_verdict=despite_verdict)
    if run_id is None and found != (newest := str(analyses_of(project.root, name)[-1].payload["run_id"])):
        notes += (f"The newest run, {newest}, left no model here; this is the one of {found}.",)
    if plan_hash is not None and plan_hash != saved.facts.plan_hash:
        notes += ("The plan changed since that run; customers are read and chosen by the plan of the run.",)
    return Chosen(
        project=project,
        experiment=name,
        run_id=run.directory.name,
        saved=saved,
        spec=spec_of(json.loads((run.directory / PLAN).read_bytes())),
        notes=notes,
    )


def _named(experiment: str | Path, root: Path | None) -> tuple[Project, str, str | None]:
    """Return the project, the experiment's id and, where its plan is at hand, the plan's hash."""
    from cxcausal.core.spec.load import load_experiment
    from cxcausal.reviewing.rerunning import plan_of
    from cxcausal.tracking.layout import runs_folder, safe_name

    path = Path(experiment)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        resolved = load_experiment(path, root=root)
        return resolved.project, resolved.spec.id, resolved.plan_hash
    folder = (root or find_root(Path.cwd()) or Path.cwd()).resolve()
    name = safe_name(str(experiment))
    try:
        resolved = load_experiment(plan_of(name, folder), root=folder)
    except UsageError:
        if not (runs_folder(folder) / name).is_dir():
            raise
        return read_project(folder)[0], name, None
    return resolved.project, name, resolved.plan_hash


def _run_with_model(root: Path, experiment: str, run_id: str | None) -> str:
    """Return the id of the run that is meant."""
    from cxcausal.tracking.layout import runs_folder
    from cxcausal.tracking.manifest import lists
    from cxcausal.tracking.model_folder import MODEL_FILE
    from cxcausal.tracking.parents import analyses_of

    known = [str(line.payload["run_id"]) for line in analyses_of(root, experiment)]
    wanted = known if run_id is None else [one for one in known if one == run_id.upper()]
    folder = runs_folder(root) / experiment
    for name in reversed(wanted):
        # By the record: a model that was taken away is no reason to fall back on an older one.
        if (folder / name).is_dir() and lists(folder / name, MODEL_FILE):
            return name
    mend = f"`cxcausal audit log {experiment}` names its runs"
    if run_id is not None and not wanted:
        what = f"the experiment '{experiment}' has no finished run {run_id[:26]}"
        raise UsageError(Problem(where="--run", code="U642", what=what, mend=mend))
    whose = f"no run of '{experiment}' on this disk" if run_id is None else f"the run {run_id[:26]} is not one that"
    what = f"{whose} has a model of who responds"
    mend = "give the plan a `policy:` block or `effect_modifiers:`, then analyse it with `cxcausal run`"
    raise UsageError(Problem(where="score", code="U643", what=what, mend=mend))


def _refuse_other(saved: "SavedModel", directory: Path, plan_hash: str) -> None:
    """Refuse a model that is of another run than the folder it lies in."""
    from cxcausal.core.errors import IntegrityError

    facts = saved.facts
    if (facts.run_id, facts.plan_hash) != (directory.name, plan_hash):
        what, mend = "the model is of another run or plan", "restore the run's folder from a copy"
        where = f"{directory.parent.name}/{directory.name}/model"
        raise IntegrityError(Problem(where=where, code="I642", what=what, mend=mend))


def _gated(saved: "SavedModel", *, despite_verdict: bool) -> tuple[str, ...]:
    """Return what is to be told of the run's verdict, or refuse."""
    facts = saved.facts
    where = f"{facts.experiment}/{facts.run_id}"
    if facts.rule == CURRENT:
        what = "the run recommends to keep the rule in use, so there is nobody to choose"
        mend = "contact customers by that rule, or name another run with --run"
        raise GateError(Problem(where=where, code="U645", what=what, mend=mend))
    if facts.verdict not in REFUSED and facts.grade != "D":
        return ()
    said = f"the run's verdict is {facts.verdict.replace('_', ' ')}, its evidence grade {facts.grade}"
    if not despite_verdict:
        raise GateError(Problem(where=where, code="U644", what=said, mend=_ANYWAY))
    return (f"Scored despite the verdict: {said}.",)
