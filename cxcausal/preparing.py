"""What is done before the data: planning and assigning, wired from the plan, the data edge and the record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.errors import Problem, UsageError
from cxcausal.core.progress import SILENT, Progress, Wrote
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.core.spec.resolve import Resolved

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.data.retossing import Shares
    from cxcausal.pipeline.aa import AaAsked
    from cxcausal.pipeline.aa_result import AaResult
    from cxcausal.planning.assignment import Coin
    from cxcausal.planning.assumptions import Assumptions
    from cxcausal.planning.moments import Base
    from cxcausal.planning.result import Assigned, AssignmentCheck, PlanResult
    from cxcausal.tracking.assignments import AssignmentRecord

TOSSES = 500
"""A rate of 5 % is then known to about two and a half percentage points."""

__all__ = ["aa", "assign", "check_assignment", "plan"]


@dataclass(frozen=True, kw_only=True)
class _Past:
    """What is known of every metric, and of the past data, if any, that it comes from."""

    bases: "Mapping[str, Base]"
    units: int | None = None
    inputs: tuple[tuple[str, str], ...] = ()


def plan(
    path: str | Path,
    *,
    root: Path | None = None,
    history: str | None = None,
    stated: "Assumptions | None" = None,
    progress: Progress = SILENT,
) -> "PlanResult":
    """Tell whether an experiment can answer its question: power, smallest effects, units and weeks per metric and arm.

    Args:
        path: the plan file.
        root: the project's root.
        history: past units that nobody treated, as a file or glob; every row counts, whatever arm it names.
        stated: what no data say, or what shall win over them.
        progress: told how far the work is.

    Raises:
        PlanError: the plan is wrong, or this version has no power for what it asks.
        UsageError: a stated number is about no planned metric, or can't be.
        DataError: the past data are not what the plan says.

    Example:
        >>> plan("experiments/proactive_outreach.yaml", history="data/2025.parquet").answer  # doctest: +SKIP
        'answerable'
    """
    from cxcausal.pipeline.whom_ahead import whom_ahead
    from cxcausal.planning.assumptions import Assumptions, check
    from cxcausal.planning.moments import stated_bases
    from cxcausal.planning.plan import compute, horizon_of, refuse_unplannable

    resolved, assumed = load_experiment(path, root=root), stated or Assumptions()
    with placing(resolved):
        refuse_unplannable(resolved.spec)
        check(assumed, resolved.spec)
        past = _Past(bases=stated_bases(resolved.spec, assumed))
        if history is not None:
            past = _history(resolved, history, assumed, progress)
        horizon = horizon_of(resolved.spec, assumed, past.units)
        with progress.stage("computing power"):
            computed = compute(resolved.spec, resolved.plan_hash, past.bases, horizon)
        return replace(computed, inputs=past.inputs, notes=(*computed.notes, *whom_ahead(resolved.spec)))


def assign(  # noqa: PLR0913 - each is an option of the command
    path: str | Path,
    units: str,
    out: Path,
    *,
    salt: str = "",
    hold_out: str = "0",
    root: Path | None = None,
    actor: str | None = None,
    progress: Progress = SILENT,
) -> "Assigned":
    """Put units into arms by a salted hash, write who is where to `out`, and record it in the ledger.

    Args:
        path: the plan file; its shares, `data.randomization_unit` and `design.strata` count.
        units: the file of those to be assigned.
        out: a file in .csv or .parquet.
        salt: any text that customers and staff don't know; needed again to check the assignment.
        hold_out: the share of randomised units that is left out of the file, as `1/20` or `0.05`: under one salt the
            same units in every experiment, so that all of them together can be compared with nothing at all.
        root: the project's root.
        actor: who assigns, for the ledger.
        progress: told how far the work is.

    Raises:
        PlanError: the plan has no shares or no unit.
        DataError: the units are not what the plan says.
        UsageError: `out` is of another kind, or holds another assignment.
    """
    from cxcausal.data.assignment_file import assignment_bytes, assignment_kind
    from cxcausal.data.enrolment import read_enrolment
    from cxcausal.planning.assignment import assign as derive
    from cxcausal.planning.assignment import held_out
    from cxcausal.tracking.actor import resolve_actor
    from cxcausal.tracking.assignments import record_assignment
    from cxcausal.tracking.files import write_atomic

    resolved, kind = load_experiment(path, root=root), assignment_kind(out)
    spec, project = resolved.spec, resolved.project
    with placing(resolved, units, option="--units"):
        coin = replace(_coin(resolved, salt), hold_out=Fraction(hold_out))
        found = read_enrolment(spec, project.root, units, with_arm=False, timezone=project.timezone, progress=progress)
    with progress.stage("dealing units into arms"):
        left_out = held_out(coin, found.strata)
        arms = derive(coin, {unit: stratum for unit, stratum in found.strata.items() if unit not in left_out})
        enrolled = [replace(row, arm=arms[str(row.coin)]) for row in found.units if str(row.coin) in arms]
        content = assignment_bytes(kind, spec, enrolled)
    _refuse_overwriting(out, content)
    record = _record(resolved, coin, found.fingerprint, content, (*arms.values(), *[None] * len(left_out)))
    with progress.stage("writing and recording"):
        write_atomic(out, content)
        line = record_assignment(project.root, spec.id, record, actor=resolve_actor(project.root, actor))
    progress.tell(Wrote(what="assignment", path=str(out)))
    return _assigned(spec.id, out, record, rows=len(enrolled), ledger_hash=line.hash)


def _record(
    resolved: Resolved, coin: "Coin", units_hash: str, content: bytes, given: Sequence[str | None]
) -> "AssignmentRecord":
    """Return what the ledger keeps; `given` is the arm of every randomised unit, None where it is held out."""
    from hashlib import sha256

    from cxcausal.tracking.assignments import AssignmentRecord

    return AssignmentRecord(
        plan_hash=resolved.plan_hash,
        salt_hash=coin.salt_hash,
        method="stratified" if resolved.spec.design.strata else "hash",
        units_hash=units_hash,
        output_hash=sha256(content).hexdigest(),
        counts={arm: given.count(arm) for arm in resolved.spec.arms},
        hold_out=str(coin.hold_out),
        held_out=given.count(None),
    )


def _assigned(experiment: str, out: Path, record: "AssignmentRecord", *, rows: int, ledger_hash: str) -> "Assigned":
    from cxcausal.planning.result import Assigned

    return Assigned(
        experiment=experiment,
        path=str(out),
        sha256=record.output_hash,
        method=record.method,
        rows=rows,
        counts=record.counts,
        salt_hash=record.salt_hash,
        ledger_hash=ledger_hash,
        held_out=record.held_out,
    )


def check_assignment(
    path: str | Path, log: str, *, salt: str = "", root: Path | None = None, progress: Progress = SILENT
) -> "AssignmentCheck":
    """Derive every arm of a log again, and tell how many differ, and whether the ledger knows the salt.

    The hold-out is the ledger's: a unit of it that stands in the log is one that differs.

    Args:
        path: the plan file.
        log: a file with the plan's unit, treatment and strata columns; where the plan has strata, the whole log.
        salt: that of the assignment.
        root: the project's root.
        progress: told how far the work is.
    """
    from cxcausal.data.enrolment import read_enrolment
    from cxcausal.planning.assignment import mismatches
    from cxcausal.planning.checking import checked
    from cxcausal.tracking.assignments import last_assignment

    resolved = load_experiment(path, root=root)
    spec, project = resolved.spec, resolved.project
    line = last_assignment(project.root, spec.id)
    hold_out = Fraction("0" if line is None else str(line.payload.get("hold_out", "0")))
    with placing(resolved, log, option="--check"):
        coin = replace(_coin(resolved, salt), hold_out=hold_out)
        found = read_enrolment(spec, project.root, log, with_arm=True, timezone=project.timezone, progress=progress)
    recorded = None if line is None else str(line.payload["salt_hash"])
    with progress.stage("deriving every arm again"):
        wrong = mismatches(coin, found.strata, [(str(row.coin), row.arm) for row in found.units])
    return checked(spec, coin, recorded, rows=len(found.units), wrong=wrong)


def aa(
    path: str | Path,
    *,
    root: Path | None = None,
    on: str | None = None,
    tosses: int = TOSSES,
    seed: int | None = None,
    progress: Progress = SILENT,
) -> "AaResult":
    """Tell how often a plan would alarm for nothing on these very data: A/A, with the coin tossed anew many times.

    The real arms are forgotten before anything is estimated, so this may be read at any time; nothing is recorded.
    It works before the experiment as well, on past units that have no arm, where the plan has shares.

    Args:
        path: the plan file.
        root: the project's root.
        on: a data file or glob to read in place of the plan's `data.source`.
        tosses: how often the coin is tossed.
        seed: what decides the tosses; the plan's `analysis.seed` by default.
        progress: told how far the work is.

    Raises:
        PlanError: the plan is wrong, asks for what this version can't do, or nobody tosses a coin in its design.
        DataError: the data are not what the plan says, or have no outcome for anyone.

    Example:
        >>> aa("experiments/proactive_outreach.yaml", tosses=200).answer  # doctest: +SKIP
        'as_promised'
    """
    from cxcausal.data.pooled import open_pooled
    from cxcausal.data.retossing import coin_of, shares_of
    from cxcausal.pipeline.aa import (
        refuse_without_coin,
        refuse_without_outcomes,
        tossed_often,
        without_treatment,
    )
    from cxcausal.pipeline.preconditions import refuse_repeated_units
    from cxcausal.pipeline.support import refuse_unsupported

    resolved = load_experiment(path, root=root)
    project, spec = resolved.project, without_treatment(resolved.spec)
    roots = tuple(Path(folder) for folder in project.data_roots)
    with placing(resolved, on):
        refuse_without_coin(spec)
        refuse_unsupported(spec)
        with open_pooled(
            spec, project.root, data_roots=roots, on=on, timezone=project.timezone, progress=progress
        ) as dataset:
            refuse_repeated_units(spec, dataset)
            refuse_without_outcomes(spec, dataset)
            shares = shares_of(dataset, spec)
            with progress.stage("tossing the coin", total=tosses) as tossing:
                coin = coin_of(dataset, spec, shares)
                asked = _tossing(spec, shares, seed, tosses=tosses, plan_hash=resolved.plan_hash)
                return tossed_often(spec, dataset, coin, asked, tossing.reach)


def _tossing(spec: "ExperimentSpec", shares: "Shares", seed: int | None, *, tosses: int, plan_hash: str) -> "AaAsked":
    """Return what an A/A run is asked for, and where its shares come from."""
    from cxcausal.pipeline.aa import AaAsked

    return AaAsked(
        tosses=tosses,
        seed=spec.analysis.seed if seed is None else seed,
        shares={name: {arm: float(share) for arm, share in arms.items()} for name, arms in shares.items()},
        shares_from="plan" if spec.shares or spec.epochs else "data",
        plan_hash=plan_hash,
    )


def _history(resolved: Resolved, path: str, stated: "Assumptions", progress: Progress) -> _Past:
    """Return what past data say of every metric, but for what is stated."""
    from cxcausal.core.queries import FlowQuery
    from cxcausal.data.history import open_history
    from cxcausal.planning.moments import history_queries, past_bases, planned_metrics, whole_cluster

    spec, project = resolved.spec, resolved.project
    wanted = {metric.name for metric in planned_metrics(spec)}
    cluster = None if stated.icc and stated.cluster_size is not None else whole_cluster(spec)
    with (
        placing(resolved, path, option="--history"),
        open_history(
            spec, project.root, path, wanted=wanted, cluster=cluster, timezone=project.timezone, progress=progress
        ) as past,
    ):
        answers = past.answer((*history_queries(spec, cluster), FlowQuery()))
        flow: Any = answers[FlowQuery()]
        return _Past(bases=past_bases(spec, answers, stated, cluster), units=flow.analysed, inputs=past.inputs)


def _refuse_overwriting(out: Path, content: bytes) -> None:
    """Refuse to write over another assignment: who was told to be where must not be lost."""
    if out.is_file() and out.read_bytes() != content:
        what = "the file exists and holds something else than this assignment"
        raise UsageError(Problem(where=str(out), code="U223", what=what, mend="choose another --out, or move it away"))


def _coin(resolved: Resolved, salt: str) -> "Coin":
    from cxcausal.planning.assignment import Coin
    from cxcausal.planning.checking import shares_of

    return Coin(experiment=resolved.spec.id, salt=salt, shares=shares_of(resolved.spec))
