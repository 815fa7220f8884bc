"""Past units that nobody treated, read for planning: every row counts as the control's, whatever arm it names."""

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import ibis

from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.spec.filter_grammar import columns_of
from cxcausal.core.spec.models import ExperimentSpec, Policy
from cxcausal.data.dataset import Dataset
from cxcausal.data.engine import Opened
from cxcausal.data.engines import Session, refuse_table, start_engine
from cxcausal.data.fingerprint import fingerprint_of, hash_inputs
from cxcausal.data.roles import filter_of, formulas_of, roles_of
from cxcausal.data.sources import Confines, find_source
from cxcausal.data.units import prepare_units


def open_history(  # noqa: PLR0913 - the edges' settings
    spec: ExperimentSpec,
    project_root: Path,
    path: str,
    *,
    wanted: Collection[str],
    cluster: str | None,
    timezone: str = "UTC",
    progress: Progress = SILENT,
) -> Dataset:
    """Return past units, ready to answer the queries of planning.

    Only the columns of the metrics, their covariates, the cluster and the plan's filter are read; the treatment's
    column may be absent. Outcomes are taken as complete: no window is looked at.

    Args:
        spec: the resolved plan.
        project_root: where relative paths start, after the working directory.
        path: a file or glob; the operator's own word, so it may lie anywhere.
        wanted: names of the metrics to be planned for.
        cluster: the column of what is randomised whole; None where units are, or where nothing is asked about it.
        timezone: the project's.
        progress: told what is being read.

    Raises:
        DataError, PlanError, MachineError: as `cxcausal.data.opening.open_dataset`.
    """
    past = _past(spec, wanted, cluster)
    roles = roles_of(past)
    source = find_source(past.data, Confines(root=project_root.absolute()), on=path, sources={})
    refuse_table(source, "plan --history")
    inputs = hash_inputs(source, progress)
    session = Session(timezone=timezone, progress=progress)
    engine = start_engine(source, root=project_root.absolute(), session=session)
    with ExitStack() as unless_opened, progress.stage(f"reading {source.label}"):
        unless_opened.callback(engine.close)
        needed = tuple(name for name in roles.needed if name != roles.arm)
        opened = engine.open(source, past.data, needed)
        engine.lock((opened,))
        treated_as_control = in_one_arm(opened, roles.arm, spec.control)
        units = prepare_units(engine, treated_as_control, past, roles)
        unless_opened.pop_all()
    return Dataset(
        inputs=inputs,
        fingerprint=fingerprint_of(inputs),
        data_cut=None,
        levels={},
        engine=engine,
        opened=treated_as_control,
        units=units,
    )


def in_one_arm(opened: Opened, column: str, arm: str) -> Opened:
    """Return the rows with the treatment's column replaced by one arm, whether or not they have it."""
    table = opened.table.mutate(**{column: ibis.literal(arm)})
    row, file = (None if value is None else table[value.get_name()] for value in (opened.row, opened.file))
    return replace(opened, table=table, row=row, file=file)


def _past(spec: ExperimentSpec, wanted: Collection[str], cluster: str | None) -> ExperimentSpec:
    """Return the plan with nothing in it but what past units are asked for."""
    kept = {
        role: tuple(metric for metric in getattr(spec.metrics, role) if metric.name in wanted)
        for role in ("success", "guardrails", "secondary")
    }
    treatment = spec.design.treatment.model_copy(update={"received": None})
    expr, metrics = filter_of(spec), [metric for role in kept.values() for metric in role]
    asked = {column for metric in metrics for column in (*metric.columns, metric.response, metric.covariate)}
    asked |= {name for made, tree in formulas_of(spec).items() if made in asked for name in columns_of(tree)}
    asked |= {cluster, spec.data.weight, *(() if expr is None else columns_of(expr))}
    blocks = {
        "unit": None,
        "randomization_unit": None,
        "cluster": () if cluster is None else (cluster,),
        "time_zero": None,
        "observed_until": None,
        "events": None,
        "columns": {name: column for name, column in spec.data.columns.items() if name in asked},
    }
    return spec.model_copy(
        update={
            "data": spec.data.model_copy(update=blocks),
            "design": spec.design.model_copy(update={"treatment": treatment, "strata": (), "epochs": None}),
            "metrics": spec.metrics.model_copy(update={**kept, "exploratory": ()}),
            "covariates": (),
            "effect_modifiers": (),
            "policy": Policy(),
            "segments": (),
        }
    )
