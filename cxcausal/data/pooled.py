"""Units whose arms nobody looks at: the data of an A/A run, which may come from before the experiment."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cxcausal.core.errors import DataError
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.dataset import Dataset
from cxcausal.data.engines import Session, refuse_table, start_engine
from cxcausal.data.fingerprint import fingerprint_of, hash_inputs
from cxcausal.data.history import in_one_arm
from cxcausal.data.opening import open_dataset
from cxcausal.data.roles import Roles, roles_of
from cxcausal.data.sources import Confines, Source, find_source
from cxcausal.data.units import prepare_units


def open_pooled(
    spec: ExperimentSpec,
    project_root: Path,
    *,
    data_roots: tuple[Path, ...] = (),
    on: str | None = None,
    timezone: str = "UTC",
    progress: Progress = SILENT,
) -> Dataset:
    """Return the data of a plan with every unit in the control arm, whatever arm it was in, if in any.

    The treatment's column is not read, and may be absent, where the plan has shares. Without shares, where the filter
    speaks of arms, and over event tables, the data are opened as they are. Outcomes of past units, whose data lack the
    treatment's column and the times that the plan names, are taken as complete.

    Args:
        spec: the resolved plan.
        project_root: where relative paths start.
        data_roots: further folders that data may lie in.
        on: a path that replaces `data.source` and may lie anywhere.
        timezone: the project's.
        progress: told what is being read.

    Raises:
        PlanError, DataError, MachineError: as `cxcausal.data.opening.open_dataset`.
    """
    roles, confines = roles_of(spec), Confines(root=project_root.absolute(), data_roots=data_roots)
    source = find_source(spec.data, confines, on=on, sources=None)
    refuse_table(source, "aa")
    without_shares = spec.shares is None and not spec.epochs
    if without_shares or roles.arm in roles.filtered or spec.data.events is not None:
        session = Session(timezone=timezone, progress=progress)
        return open_dataset(spec, project_root, data_roots=data_roots, on=on, session=session)
    try:
        return _opened(spec, source, project_root, timezone, progress)
    except DataError as error:
        past = _without_times(spec)
        if spec.epochs or past == spec or not _only_about(error, roles):
            raise
        return _opened(past, source, project_root, timezone, progress)


def _opened(spec: ExperimentSpec, source: Source, root: Path, timezone: str, progress: Progress) -> Dataset:
    roles, inputs = roles_of(spec), hash_inputs(source, progress)
    session = Session(timezone=timezone, progress=progress)
    engine = start_engine(source, root=root.absolute(), session=session)
    with ExitStack() as unless_opened, progress.stage(f"reading {source.label}"):
        unless_opened.callback(engine.close)
        needed = tuple(name for name in roles.needed if name != roles.arm)
        opened = engine.open(source, spec.data, needed)
        engine.lock((opened,))
        pooled = in_one_arm(opened, roles.arm, spec.control)
        units = prepare_units(engine, pooled, spec, roles)
        unless_opened.pop_all()
    levels: Mapping[str, Any] = {name: units.levels[name] for name in spec.segments}
    return Dataset(
        inputs=inputs,
        fingerprint=fingerprint_of(inputs),
        data_cut=units.data_cut,
        levels=levels,
        engine=engine,
        opened=pooled,
        units=units,
    )


def _without_times(spec: ExperimentSpec) -> ExperimentSpec:
    times = {"time_zero": None, "observed_until": None}
    return spec.model_copy(update={"data": spec.data.model_copy(update=times)})


def _only_about(error: DataError, roles: Roles) -> bool:
    """Tell whether nothing is wrong but that columns of times are not there."""
    places = [f" column {name}" for name in roles.times]
    return all(problem.code == "D210" and problem.where.endswith(tuple(places)) for problem in error.problems)
