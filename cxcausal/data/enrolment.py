"""The units that are to be assigned, or were: the one place where ids leave the engine, for a file of the operator."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cxcausal.core.errors import DataError, PlanError, Problem
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Opened
from cxcausal.data.engines import Session, refuse_table, start_engine
from cxcausal.data.fingerprint import fingerprint_of, hash_inputs
from cxcausal.data.history import in_one_arm
from cxcausal.data.roles import Roles
from cxcausal.data.rules import Terms, broken_rules, rules_of
from cxcausal.data.sources import Confines, find_source
from cxcausal.data.steady import Unchanged, stamps_of

Id = str | int
"""Whole numbers stay whole numbers, so that the file that is written joins with the one that was read."""


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """One unit, what is randomised with it, its strata and, in a log, its arm."""

    unit: Id
    coin: Id
    stratum: tuple[str, ...]
    arm: str


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """The units of a file in the order of their ids, each once.

    Attributes:
        units: their ids, strata and arms.
        inputs, fingerprint: what was read, by the hash of its bytes.
        strata: by randomised unit, as text.
    """

    units: tuple[Enrolled, ...]
    inputs: tuple[tuple[str, str], ...]
    fingerprint: str
    strata: dict[str, tuple[str, ...]]


def read_enrolment(
    spec: ExperimentSpec,
    project_root: Path,
    path: str,
    *,
    with_arm: bool,
    timezone: str = "UTC",
    progress: Progress = SILENT,
) -> Enrolment:
    """Return the units of a file; the plan's filter is not applied: the file holds exactly those that are enrolled.

    Args:
        spec: the resolved plan, whose `data.unit`, `data.randomization_unit` and `design.strata` are read.
        project_root: where relative paths start, after the working directory.
        path: a file or glob; the operator's own word, so it may lie anywhere.
        with_arm: read the arm as well: the file is a log.
        timezone: the project's.
        progress: told what is being read.

    Raises:
        PlanError: the plan names no unit.
        DataError: a column or an id is missing, a household lies in two strata, or the file changed meanwhile.
    """
    if spec.data.unit is None:
        mend = "name the column of the customers' ids"
        raise PlanError(Problem(where="data.unit", code="P903", what="there are no ids to assign by", mend=mend))
    source = find_source(spec.data, Confines(root=project_root.absolute()), on=path, sources={})
    refuse_table(source, "assign")
    unchanged = Unchanged(stamps_of((source,)))
    inputs = hash_inputs(source, progress)
    session = Session(timezone=timezone, progress=progress)
    engine = start_engine(source, root=project_root.absolute(), session=session)
    try:
        with unchanged, progress.stage(f"reading {source.label}"):
            opened = _opened(engine, spec, engine.open(source, spec.data, _needed(spec, with_arm)), with_arm)
            engine.lock((opened,))
            units = _units(engine, opened, spec)
    finally:
        engine.close()
    return Enrolment(
        units=units, inputs=inputs, fingerprint=fingerprint_of(inputs), strata=_strata(units, spec, source.label)
    )


def _needed(spec: ExperimentSpec, with_arm: bool) -> tuple[str, ...]:  # noqa: FBT001 - private, named at its call
    arm = (spec.design.treatment.column,) if with_arm else ()
    names = (spec.data.unit, spec.randomization_unit, *spec.design.strata, *arm)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _opened(engine: Engine, spec: ExperimentSpec, opened: Opened, with_arm: bool) -> Opened:  # noqa: FBT001 - as above
    """Return the rows, after a check that no id and, in a log, no arm is missing."""
    column = spec.design.treatment.column
    rows = opened if with_arm else in_one_arm(opened, column, spec.control)
    roles = Roles(
        arm=column,
        ids=tuple(dict.fromkeys((str(spec.data.unit), str(spec.randomization_unit)))),
        texts=spec.design.strata,
        covariates=(),
        numbers=(),
        times=(),
        filtered=(),
        declared=(),
        formulas={},
    )
    terms = Terms(reader=_reader(spec, rows), roles=roles, numeric_covariates=())
    problems = tuple(broken_rules(engine, rows, rows.table, rules_of(terms)))
    if problems:
        raise DataError(problems)
    return rows


def _reader(spec: ExperimentSpec, opened: Opened) -> Reader:
    return Reader(table=opened.table, declared=spec.data.columns)


def _units(engine: Engine, opened: Opened, spec: ExperimentSpec) -> tuple[Enrolled, ...]:
    reader = _reader(spec, opened)
    columns = {
        "unit": reader.id(str(spec.data.unit)),
        "coin": reader.id(str(spec.randomization_unit)),
        "arm": reader.arm(spec.design.treatment.column, spec.arms),
    }
    columns |= {f"s{place}": reader.key(name) for place, name in enumerate(spec.design.strata)}
    found = engine.fetch(opened.table.select(**columns).distinct())
    rows = (Enrolled(unit=unit, coin=coin, arm=arm, stratum=tuple(strata)) for unit, coin, arm, *strata in found)
    return tuple(sorted(rows, key=lambda row: (str(row.unit), str(row.coin), row.stratum, row.arm)))


def _strata(units: tuple[Enrolled, ...], spec: ExperimentSpec, label: str) -> dict[str, tuple[str, ...]]:
    problems = tuple(_contradictions(units, spec, label))
    if problems:
        raise DataError(problems)
    return {str(row.coin): row.stratum for row in units}


def _contradictions(units: tuple[Enrolled, ...], spec: ExperimentSpec, label: str) -> Iterator[Problem]:
    """Yield units in two households, and households in two strata; counted, and never named."""
    households: dict[str, str] = {}
    strata: dict[str, tuple[str, ...]] = {}
    moved = sum(households.setdefault(str(row.unit), str(row.coin)) != str(row.coin) for row in units)
    torn = sum(strata.setdefault(str(row.coin), row.stratum) != row.stratum for row in units)
    if moved:
        what = f"{moved} values stand with more than one '{spec.randomization_unit}'"
        mend = "give every unit one, so that it can go into one arm"
        yield Problem(where=f"{label} column {spec.data.unit}", code="D330", what=what, mend=mend)
    if torn:
        what = f"units of one '{spec.randomization_unit}' lie in different strata ({torn} of them)"
        mend = f"stratify by what is the same for all units of one '{spec.randomization_unit}'"
        yield Problem(where=f"{label} column {spec.randomization_unit}", code="D331", what=what, mend=mend)
