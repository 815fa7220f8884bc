"""Making a recorded run once more from what was stored, and telling why any number is not what it was."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.canonical import canonical_json
from cxcausal.core.errors import CxCausalError, MachineError, PlanError, Problem
from cxcausal.core.plan_order import order_of, with_arms_in
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.protocols import DatasetWithRows as AnyDataset
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.project import find_root, read_project
from cxcausal.core.spec.resolve import Resolved, plan_hash
from cxcausal.reviewing.differences import differences, numbers_of
from cxcausal.reviewing.replay_classes import (
    ORDER,
    Changed,
    Class,
    Classified,
    UnitCounts,
    classified,
    machinery_changes,
    of_machinery,
    of_row_counts,
    of_units,
    worst,
)
from cxcausal.reviewing.replay_units import KeptUnits, kept_units
from cxcausal.running import completed, opened

if TYPE_CHECKING:
    from cxcausal.data.dataset import Dataset
    from cxcausal.tracking.recorded_run import RecordedRun

_NOT_THERE = frozenset({"D104"})


Kept = Callable[["RecordedRun", ExperimentSpec], AbstractContextManager[KeptUnits | None]]
"""Opens what a run kept of its units; None where it kept nothing."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What became of a run's numbers.

    Attributes:
        run_id, experiment: of the run. outcome: the class of its worst number.
        compared: how many values were. differences: those that are not what they were.
        changed: what is not as it was, whether or not it moved a number.
        units: how many units were late, restated or erased; None where the run kept none, or the data are the same.
        notes: what a reader must know to judge it.
    """

    run_id: str
    experiment: str
    outcome: Class
    compared: int
    differences: tuple[Classified, ...]
    changed: tuple[Changed, ...]
    units: UnitCounts | None = None
    notes: tuple[str, ...] = ()


class _Forgetful:
    """A store of stages that keeps nothing: a replay is a reading."""

    def save(self, stage: str, payload: Mapping[str, Any]) -> None:
        """Forget."""


def replay(
    folder: Path, run_id: str, *, on: str | None = None, kept: Kept = kept_units, progress: Progress = SILENT
) -> Replay:
    """Analyse a recorded run's stored plan and data once more and compare every number; nothing is written anywhere.

    Args:
        folder: any folder of the project.
        run_id: the run.
        on: where its data lie now, in place of where it read them.
        kept: opens what the run kept of its units.
        progress: told how far the work is.

    Raises:
        UsageError: there is no such run, or it recorded nothing.
        IntegrityError: the record itself was changed.
        PlanError: this version can't read the stored plan.
        MachineError: what the run read is not there any longer, and it kept no units.
    """
    from cxcausal.tracking.recorded_run import read_run

    root = find_root(folder) or folder
    with progress.stage("checking the record"):
        run = read_run(root, run_id)
        resolved = _resolved(run, root)
    changed = _machinery(run, root, resolved)
    with kept(run, resolved.spec) as units:
        try:
            with opened(resolved, on or _on(run, root), progress) as dataset:
                return _with_data(run, resolved, dataset, units, changed)
        except CxCausalError as error:
            if units is None or not {problem.code for problem in error.problems} <= _NOT_THERE:
                raise _without_data(run, error) from error
        return _from_units(run, resolved, units, changed)


def _with_data(
    run: "RecordedRun", resolved: Resolved, dataset: "Dataset", units: KeptUnits | None, changed: tuple[Changed, ...]
) -> Replay:
    """Compare with what the data of today give."""
    then = numbers_of(run.results)
    now = _analysed(run, resolved.spec, dataset)
    if dataset.fingerprint == run.results["data"]["fingerprint"]:
        return _told(run, classified(differences(then, numbers_of(now)), of_machinery(changed)), changed)
    changed = (*changed, _data(run, dataset))
    if units is None:
        note = "This run kept no units, so what became of its data is told from counts of rows alone."
        beside = (_BOTH,) if of_machinery(changed) != "UNEXPLAINED" else ()
        kind = _by_rows(run, now)
        return _told(run, classified(differences(then, numbers_of(now)), kind), changed, notes=(note, *beside))
    between = numbers_of(_analysed(run, resolved.spec, units.dataset))
    counts = units.changes(dataset)
    kind = _by_rows(run, now) if counts is None else of_units(counts)
    own, notes = _of_kept(run, changed)
    found = (*classified(differences(between, numbers_of(now)), kind), *classified(differences(then, between), own))
    moved = {one.name: one for one in sorted(found, key=lambda one: ORDER.index(one.kind))}
    return replace(_told(run, tuple(moved.values()), changed, notes=notes), units=counts)


def _of_kept(run: "RecordedRun", changed: tuple[Changed, ...]) -> tuple[Class, tuple[str, ...]]:
    """Return why the kept units give other numbers than the run had, and what must be said of it."""
    kind = of_machinery(changed)
    if not run.erased:
        return kind, ()
    if kind == "UNEXPLAINED":
        return "DATA_ERASED", (_ERASED,)
    return kind, (_ERASED, _BOTH)


def _by_rows(run: "RecordedRun", now: Mapping[str, Any]) -> Class:
    """Return what became of the data as far as counts of rows and the ledger tell."""
    erased = any(line.kind == "erase" and "files" not in line.payload for line in run.later)
    return of_row_counts(run.results["data"], now["data"], erased=erased)


def _from_units(run: "RecordedRun", resolved: Resolved, units: KeptUnits, changed: tuple[Changed, ...]) -> Replay:
    """Compare with what the kept units give."""
    found = differences(numbers_of(run.results), numbers_of(_analysed(run, resolved.spec, units.dataset)))
    note = "What this run read is not there any longer; its numbers were made of the units that it kept."
    own, notes = _of_kept(run, changed)
    return _told(run, classified(found, own), changed, notes=(note, *notes))


_ERASED = "Customers were erased from what this run kept, so its numbers can't be made again to the bit."
_BOTH = "Data and machinery both changed, and what each of them moved can't be told apart."


def _told(
    run: "RecordedRun", found: tuple[Classified, ...], changed: tuple[Changed, ...], notes: tuple[str, ...] = ()
) -> Replay:
    parts = {one.part for one in changed}
    if found and {"code", "environment"} <= parts and worst(found) == "CODE_CHANGED":
        notes = (*notes, "Code and environment both changed, and what each of them moved can't be told apart.")
    return Replay(
        run_id=run.results["run_id"],
        experiment=run.results["experiment"],
        outcome=worst(found),
        compared=len(numbers_of(run.results)),
        differences=found,
        changed=changed,
        notes=notes,
    )


def _analysed(run: "RecordedRun", spec: ExperimentSpec, dataset: AnyDataset) -> dict[str, Any]:
    """Return the result that the stored plan gives, as it would be stored."""
    from cxcausal.pipeline.analyse import RunContext, analyse
    from cxcausal.tracking.redaction import without_secrets_in

    then = run.results
    known = {name: then[name] for name in ("run_id", "plan", "plan_hash", "registered", "registration", "created_at")}
    result = analyse(spec, dataset, RunContext(**known, versions={}), _Forgetful())
    content: dict[str, Any] = json.loads(canonical_json(without_secrets_in(result)))
    return content


def _resolved(run: "RecordedRun", root: Path) -> Resolved:
    """Return the stored plan in the project as the run had it."""
    from pydantic import ValidationError

    project, _ = read_project(root)
    if run.start is not None:
        project = replace(project, timezone=run.start.timezone)
    # In what order arms are added up shows in the last digits, and JSON has its keys sorted.
    order = order_of(run.plan, ((row["arm"], row["control"]) for row in run.results["effects"]))
    try:
        spec = ExperimentSpec(**with_arms_in(order, run.plan))
    except ValidationError as error:
        what = "this version of cxcausal can't read the plan that the run stored"
        mend = f"replay it with cxcausal {run.manifest['machine']['packages'].get('cxcausal', '')}, which made it"
        raise PlanError(Problem(where=run.directory.name, code="E621", what=what, mend=mend)) from error
    cut = None if run.start is None else run.start.rerun.get("data_cut")
    if cut is not None:
        spec = spec.model_copy(update={"data": spec.data.model_copy(update={"observed_until": cut})})
    stored = run.directory / "plan/resolved.json"
    resolved = Resolved(spec=spec, project=project, provenance={}, plan_path=stored, plan_hash=run.results["plan_hash"])
    return replace(resolved, spec=completed(spec))


def _machinery(run: "RecordedRun", root: Path, resolved: Resolved) -> tuple[Changed, ...]:
    """Return how code and environment differ from those of the run."""
    from cxcausal.tracking.code_state import package_sha256
    from cxcausal.tracking.manifest import lock_file, machine

    found = machinery_changes(run.manifest, package_sha256(), machine(), lock_file(root))
    secret = "***" in json.dumps(run.plan)
    now = plan_hash(ExperimentSpec(**run.plan))[:16]
    if not secret and not resolved.plan_hash.startswith(now):
        found += (Changed(part="code", what="what the stored plan means", then=resolved.plan_hash[:16], now=now),)
    return found


def _data(run: "RecordedRun", dataset: "Dataset") -> Changed:
    """Return that the data are others, by the names of what differs."""
    known = {digest for _, digest in run.results["data"]["inputs"]}
    names = [name for name, digest in dataset.inputs if digest not in known] or ["which files there are"]
    then, now = run.results["data"]["fingerprint"], dataset.fingerprint
    return Changed(part="data", what=", ".join(names), then=then[:16], now=now[:16])


def _on(run: "RecordedRun", root: Path) -> str | None:
    """Return what the run read in place of its plan's source."""
    if run.start is None or run.start.on is None:
        return None
    return run.start.on if "://" in run.start.on else str(root / run.start.on)


def _without_data(run: "RecordedRun", error: CxCausalError) -> CxCausalError:
    """Return that the data are gone; any other error stays what it is."""
    if not {problem.code for problem in error.problems} <= _NOT_THERE:
        return error
    names = ", ".join(name for name, _ in run.results["data"]["inputs"])
    what = f"what this run read is not there any longer ({names}), and it kept no units to replay from"
    return MachineError(Problem(where="RUN", code="E620", what=what, mend="say where it lies now: --on DATA"))
