"""The enrolled units in typed form: arms, ids, texts, numbers and maturity, validated before anything is estimated."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cxcausal.core.adjusting import needs_rows
from cxcausal.core.answers import Cap
from cxcausal.core.entry import Entry
from cxcausal.core.epochs import EPOCH
from cxcausal.core.errors import DataError, Problem
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.arms import undeclared_arms
from cxcausal.data.clock import Clock, calendar_of, clock_of, date_problems
from cxcausal.data.columns import PADDED, Reader, is_whole
from cxcausal.data.engine import Engine, Opened, Table, Value
from cxcausal.data.epochs import epoch_problems, epoch_rules, with_epochs
from cxcausal.data.filters import FilterCompiler
from cxcausal.data.formulas import formula_rules, with_formulas
from cxcausal.data.functions import bucket_of
from cxcausal.data.nobody import Condition
from cxcausal.data.roles import Roles
from cxcausal.data.rules import Terms, broken_rules, rules_of
from cxcausal.data.suspicions import Suspects, suspicions

MAX_LEVELS = 50
MAX_COVARIATE_LEVELS = 1_000
_FEWEST_IDS = 30
_UNITS = "units"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The size of a numeric column's values over the enrolled units, and whether all are whole, and none missing."""

    largest: float
    whole: bool
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Units:
    """Enrolled units.

    Attributes:
        table: columns `arm`, `mature` (true where the whole window was observed), `id:`, `text:` and `number:` with
            the name in the data, `bucket:` where folds are made of ids, and `row` where the store numbers its rows,
            with `file` where there are several;
            `stored:` and the name of one of the former is that column as it is stored (see `key`).
        rows: rows in the file, before the filter.
        unit, randomization_unit: their column in `table`; None where every row is one.
        arms: the arms of the plan.
        numbers: by numeric column.
        levels: by text column, sorted; the empty text where a value is missing.
        data_cut: the latest end of observation, as an ISO date.
        matures_on: when the last unit will have been observed for long enough.
        enrolled_from, enrolled_to: the first and the last time zero, as ISO dates; None where not declared.
        maturity_known: windows, time zero and the end of observation are all declared.
        caps: by metric, where the values of its capped column are cut.
        days_to_mature: from time zero to the end of the longest window, with the time that its events take to settle.
        entry: what came before enrolment, where columns are made of event tables.
    """

    table: Table
    rows: int
    unit: str | None
    randomization_unit: str | None
    arms: tuple[str, ...]
    numbers: Mapping[str, Bounds]
    levels: Mapping[str, tuple[str, ...]]
    data_cut: str | None
    matures_on: str | None
    maturity_known: bool
    enrolled_from: str | None = None
    enrolled_to: str | None = None
    caps: Mapping[str, Cap] = field(default_factory=dict)
    days_to_mature: int | None = None
    entry: Entry | None = None

    def key(self, column: str) -> str:
        """Return the column to group by instead: as it is stored, with null for the empty text, where there is one.

        Texts that are computed per row cost more to group than all else in a pass; stored ones are grouped by code.
        """
        stored = f"stored:{column}"
        return stored if stored in self.table.columns else column


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which columns of the data become which columns of the units.

    Attributes:
        ids, texts, numbers: by role. clock: when a unit was observed. eligible: who may be contacted.
        conditions: what the plan asks of rows, by the column of the units that counts for whom it holds; empty where
            units are read again that were let in before.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    clock: Clock
    eligible: Value | None = None
    conditions: Mapping[str, Condition] = field(default_factory=dict)


def prepare_units(engine: Engine, opened: Opened, spec: ExperimentSpec, roles: Roles) -> Units:
    """Filter, type and validate the rows of a plan.

    Raises:
        DataError: values contradict the plan; all problems at once.
        PlanError: the filter or a map does not fit the columns.
    """
    decimal = spec.data.csv.decimal if opened.source.kind == "csv" else "."
    stored = Reader(table=opened.table, declared=spec.data.columns, decimal=decimal)
    opened = with_formulas(opened, stored, roles.formulas)
    reader = replace(stored, table=opened.table)
    numeric = numeric_texts(engine, reader, (*roles.covariates, *roles.filtered))
    compiler = FilterCompiler(reader=reader, numeric=numeric)
    rows = _enrolled(roles, opened, compiler)
    ids_adjusted = tuple(name for name in roles.covariates if name in {spec.data.unit, spec.randomization_unit})
    covariates = tuple(name for name in roles.covariates if _is_number(reader, name, numeric))
    texts = tuple(dict.fromkeys((*roles.texts, *(name for name in roles.covariates if name not in covariates))))
    clock = clock_of(spec, reader)
    terms = Terms(
        reader=reader,
        roles=roles,
        numeric_covariates=covariates,
        csv=opened.source.kind == "csv",
        time_zero=clock.zero,
        observed_until=clock.until,
    )
    problems = (
        *date_problems(spec, reader),
        *epoch_problems(opened.source.label, spec, roles),
        *(_like_an_id(opened.source.label, name, "is the plan's own identifier") for name in ids_adjusted),
        *undeclared_arms(engine, opened, rows, reader, spec),
        *broken_rules(
            engine,
            opened,
            rows,
            (*rules_of(terms), *formula_rules(reader, roles.formulas), *epoch_rules(spec, clock)),
        ),
    )
    if problems:
        raise DataError(problems)
    numbers = tuple(dict.fromkeys((*roles.numeric, *covariates)))
    layout = Layout(
        ids=roles.ids,
        texts=texts,
        numbers=numbers,
        clock=clock,
        eligible=_eligible(roles, compiler),
        conditions=_conditions(roles, opened, rows, compiler),
    )
    table = with_epochs(_typed(rows, opened, spec, reader, layout), spec)
    if opened.kept or spec.epochs:
        table = engine.keep(_UNITS, table)
    units = profiled(engine, opened, table, spec, layout)
    problems = tuple(suspicions(_suspects(engine, opened, rows, reader, units), spec, roles))
    if problems:
        raise DataError(problems)
    return units


def _suspects(engine: Engine, opened: Opened, rows: Table, reader: Reader, units: Units) -> Suspects:
    """Return what is of the right type and may all the same not be what the plan says it is."""
    return Suspects(
        engine=engine,
        opened=opened,
        rows=rows,
        reader=reader,
        levels=units.levels,
        numbers=tuple(units.numbers),
        fractional=frozenset(name for name, bounds in units.numbers.items() if not bounds.whole),
        beyond=frozenset(name for name, bounds in units.numbers.items() if bounds.largest > 1),
    )


def numeric_texts(engine: Engine, reader: Reader, names: tuple[str, ...]) -> frozenset[str]:
    """Return those undecided text columns of which every value is a number, without padding such as 010."""
    undecided = [name for name in dict.fromkeys(names) if reader.holds_text(name)]
    declared = {name: column.type for name, column in reader.declared.items()}
    open_names = [name for name in undecided if declared.get(name) is None and not reader.maps_to_text(name)]
    numeric = {name for name in undecided if name in reader.declared_numbers}
    if open_names:
        odd = {f"c{index}": _odd(reader, name).fill_null(False).sum() for index, name in enumerate(open_names)}
        counts = engine.fetch(reader.table.aggregate(**odd))[0]
        numeric |= {name for name, count in zip(open_names, counts, strict=True) if not count}
    return frozenset(numeric)


def _odd(reader: Reader, name: str) -> Value:
    unreadable = reader.unreadable(name)
    return unreadable | reader.table[name].re_search(PADDED)


def _is_number(reader: Reader, name: str, numeric: frozenset[str]) -> bool:
    column = reader.declared.get(name)
    if reader.maps_to_text(name) or (column is not None and column.type is not None):
        return name in reader.declared_numbers
    return reader.holds_numbers(name) or name in numeric


def _enrolled(roles: Roles, opened: Opened, compiler: FilterCompiler) -> Table:
    return opened.table if roles.condition is None else opened.table.filter(compiler.compile(roles.condition))


def _eligible(roles: Roles, compiler: FilterCompiler) -> Value | None:
    """Return who may be contacted; where a value is missing nobody may."""
    if roles.eligible is None:
        return None
    return compiler.compile_at("policy.eligible", roles.eligible).fill_null(False)


def _conditions(roles: Roles, opened: Opened, rows: Table, compiler: FilterCompiler) -> Mapping[str, Condition]:
    """Return what the plan asks of rows."""
    found = {}
    if roles.condition is not None:
        effect = "leaves no rows"
        found["n"] = Condition(
            key="data.filter", tree=roles.condition, effect=effect, rows=opened.table, compiler=compiler
        )
    if roles.eligible is not None:
        effect = "lets nobody be contacted"
        own = replace(compiler, reader=replace(compiler.reader, table=rows))
        found["eligible"] = Condition(
            key="policy.eligible", tree=roles.eligible, effect=effect, rows=rows, compiler=own
        )
    return found


def _typed(rows: Table, opened: Opened, spec: ExperimentSpec, reader: Reader, layout: Layout) -> Table:
    clock = layout.clock
    columns = {"arm": reader.arm(spec.design.treatment.column, spec.arms), "mature": clock.mature}
    columns |= {f"id:{name}": reader.id(name) for name in layout.ids}
    columns |= {f"bucket:{name}": bucket_of(reader.id(name)) for name in layout.ids if needs_rows(spec)}
    columns |= {f"text:{name}": reader.key(name) for name in layout.texts}
    columns |= {f"number:{name}": reader.number(name) for name in layout.numbers}
    columns |= {} if clock.zero is None else {"time_zero": clock.zero[1]}
    columns |= {} if clock.until is None else {"observed_until": clock.until[1]}
    columns |= {} if layout.eligible is None else {"eligible": layout.eligible}
    columns |= {} if opened.kept else _stored(reader, spec, layout.texts)
    columns |= {} if opened.row is None else {"row": opened.row}
    columns |= {} if opened.file is None else {"file": opened.file}
    return rows.select(**columns)


def _stored(reader: Reader, spec: ExperimentSpec, texts: tuple[str, ...]) -> dict[str, Value]:
    """Return the arm and the texts as they are stored, where that tells the same groups apart."""
    arm = spec.design.treatment.column
    arms = {"stored:arm": reader.table[arm]} if reader.arm_is_its_own_key(arm, spec.arms) else {}
    return arms | {f"stored:text:{name}": reader.table[name] for name in texts if reader.is_its_own_key(name)}


def profiled(engine: Engine, opened: Opened, table: Table, spec: ExperimentSpec, layout: Layout) -> Units:
    """Return a typed table of units with what is known of its columns: levels, bounds, dates.

    Raises:
        DataError: there are no rows, nobody may be contacted, or a text has too many levels.
    """
    units = _counted(engine, opened, table, layout)
    calendar = calendar_of(engine, table, layout.clock)
    unit, randomized = spec.data.unit, spec.randomization_unit
    return Units(
        table=table,
        rows=opened.rows,
        unit=None if unit is None else f"id:{unit}",
        randomization_unit=None if randomized is None else f"id:{randomized}",
        arms=spec.arms,
        numbers=_bounds(engine, table, layout.numbers),
        levels=_levels(engine, table, _grouping(layout, spec), spec, opened.source.label, units),
        data_cut=calendar.data_cut,
        matures_on=calendar.matures_on,
        maturity_known=layout.clock.known,
        enrolled_from=calendar.enrolled_from,
        enrolled_to=calendar.enrolled_to,
        days_to_mature=layout.clock.days,
    )


def _counted(engine: Engine, opened: Opened, table: Table, layout: Layout) -> int:
    """Return how many units there are; refuse none, and a condition of the plan that holds for none."""
    counts = {"n": table.count()}
    counts |= {name: table[name].sum() for name in layout.conditions if name in table.columns}
    found = dict(zip(counts, engine.fetch(table.aggregate(**counts))[0], strict=True))
    label = opened.source.label
    for name, condition in layout.conditions.items():
        if not found[name]:
            raise DataError(condition.problem(engine, label))
    if not found["n"]:
        raise DataError(Problem(where=label, code="D212", what="there are no rows", mend="check data.filter"))
    return int(found["n"])


def _grouping(layout: Layout, spec: ExperimentSpec) -> tuple[str, ...]:
    return (*layout.texts, EPOCH) if spec.epochs else layout.texts


def _bounds(engine: Engine, table: Table, numbers: tuple[str, ...]) -> Mapping[str, Bounds]:
    if not numbers:
        return {}
    parts: dict[str, Value] = {}
    for index, name in enumerate(numbers):
        value = table[f"number:{name}"]
        parts[f"m{index}"] = value.abs().max()
        parts[f"w{index}"] = is_whole(value).all()
        parts[f"c{index}"] = value.notnull().all()
    found = iter(engine.fetch(table.aggregate(**parts))[0])
    return {
        name: Bounds(largest=largest or 0.0, whole=whole is not False, complete=complete)
        for name, largest, whole, complete in zip(numbers, found, found, found, strict=True)
    }


def _levels(
    engine: Engine, table: Table, texts: tuple[str, ...], spec: ExperimentSpec, label: str, units: int
) -> Mapping[str, tuple[str, ...]]:
    levels: dict[str, tuple[str, ...]] = {}
    problems = []
    for name in texts:
        grouping = name in {*spec.segments, *spec.design.strata}
        most = MAX_LEVELS if grouping else MAX_COVARIATE_LEVELS
        stored = f"stored:text:{name}"
        column = table[stored if stored in table.columns else f"text:{name}"]
        distinct = table.select(level=column).distinct().limit(most + 2)  # null and the empty text are one
        levels[name] = tuple(sorted({level or "" for (level,) in engine.fetch(distinct)}))
        if len(levels[name]) > most:
            problems.append(_like_an_id(label, name, f"has more than {most} different values, like an identifier"))
        elif len(levels[name]) == units >= _FEWEST_IDS and not grouping:
            problems.append(_like_an_id(label, name, "has another value in every row, like an identifier"))
    if problems:
        raise DataError(problems)
    return levels


def _like_an_id(label: str, name: str, what: str) -> Problem:
    return Problem(
        where=f"{label} column {name}",
        code="D315",
        what=f"the column {what}",
        mend="group its values before, or remove it from the plan's segments, strata, covariates and policy",
    )
