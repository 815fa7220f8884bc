"""Fresh customers, read in the plan's own way and batch by batch: what a model looks at, and who may be contacted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import numpy as np

from cxcausal.core.errors import DataError, PlanError
from cxcausal.core.hashing import Keys, mixed
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.rows import Codes, Flags, Floats, Text
from cxcausal.core.spec.filter_grammar import Expr
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.columns import Reader
from cxcausal.data.engine import Engine, Opened, Table, Value
from cxcausal.data.engines import Session, refuse_table, start_engine
from cxcausal.data.file_checks import refuse_bad_files
from cxcausal.data.filters import FilterCompiler
from cxcausal.data.fingerprint import fingerprint_of, hash_inputs
from cxcausal.data.formulas import formula_rules, with_formulas
from cxcausal.data.fresh_columns import Asked, Wanted, asked_of
from cxcausal.data.fresh_dates import dated_columns, refuse_other_dates
from cxcausal.data.functions import digest
from cxcausal.data.history import in_one_arm
from cxcausal.data.memory import memory_limit
from cxcausal.data.roles import Roles, formulas_of
from cxcausal.data.rules import Terms, broken_rules, rules_of
from cxcausal.data.sources import Confines, find_source
from cxcausal.data.steady import Unchanged, stamps_of
from cxcausal.data.units import numeric_texts

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 100_000
_MEMORY = 600_000_000
"""Bytes that the engine may use here: it only hands rows on, and a copy of a text file spills to the disk."""
_LAYOUT = frozenset({"D203", "D208", "D219"})
"""Encoding, delimiter and a note of them: what a plan says of its own data."""
_MEND = "correct it in this file: fresh customers are read as the run read its data"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some customers, in the order of the file.

    Attributes:
        numbers: modifier → shape (n,), NaN where missing. texts: modifier → text column.
        eligible: who may be contacted, shape (n,). inside: who is of the plan's population (its filter), shape (n,).
        key: a hash of each id, shape (n,), by which equals are told apart.
        mark: another, which is quick to make: it tells whether the rows come in the same order again, shape (n,).
    """

    numbers: Mapping[str, Floats]
    texts: Mapping[str, Text]
    eligible: Flags
    inside: Flags
    key: Keys
    mark: Keys

    @property
    def n(self) -> int:
        """How many customers."""
        return len(self.key)

    def of(self, some: Flags) -> "Batch":
        """Return some of them; itself where they are all."""
        if some.all():
            return self
        return Batch(
            numbers={name: values[some] for name, values in self.numbers.items()},
            texts={name: replace(text, codes=text.codes[some]) for name, text in self.texts.items()},
            eligible=self.eligible[some],
            inside=self.inside[some],
            key=self.key[some],
            mark=self.mark[some],
        )


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """An open file of fresh customers.

    Attributes:
        label: names the file in messages. files: what is read. rows: how many there are.
        unit: the column of ids; None where the plan has none, and rows are counted instead.
        inputs, fingerprint: what was read, by the hash of its bytes.
        left_out: columns of the plan's filter that can't be known of fresh customers.
        seed: salts the keys.
    """

    label: str
    files: tuple[Path, ...]
    rows: int
    unit: str | None
    inputs: tuple[tuple[str, str], ...]
    fingerprint: str
    left_out: tuple[str, ...]
    seed: int
    engine: Engine
    table: Table
    unchanged: Callable[[], Unchanged]

    def batches(self) -> Iterator[Batch]:
        """Yield all customers, in the order of the file.

        Raises:
            DataError: the file changed since it was opened, or is damaged.
            MachineError: the engine has too little memory.
        """
        seen = 0
        for found in self._stream(self.table.select(*(name for name in self.table.columns if name != "unit"))):
            yield _batch(found, seen, self.seed)
            seen += found.num_rows

    def ids(self) -> "Iterator[tuple[pa.Array, Keys]]":
        """Yield the ids as they are stored, and their marks, in the order of the file.

        Where the plan has no ids, they are the numbers of rows, from 1.

        Raises:
            DataError, MachineError: as `batches`.
        """
        import pyarrow as pa  # noqa: PLC0415 - heavy

        if self.unit is None:
            for start in range(0, self.rows, BATCH):
                place = np.arange(start, min(start + BATCH, self.rows), dtype=np.uint64)
                yield pa.array(place + 1), place
            return
        for found in self._stream(self.table.select("unit", "mark")):
            yield found["unit"], _mark(found["mark"])

    def repeated(self) -> int:
        """Return how many ids stand in several rows."""
        counted = self.table.group_by("unit").aggregate(n=self.table.count())
        several = counted.filter(counted.n > 1)
        return int(self.engine.fetch(several.aggregate(n=several.count()))[0][0])

    def _stream(self, table: Table) -> "Iterator[pa.RecordBatch]":
        """Yield rows as the engine hands them out, which is in the order of the file."""
        engine = self.engine
        with self.unchanged(), engine.translated():
            yield from engine.backend.con.sql(engine.noted(engine.sql(table))).to_arrow_reader(BATCH)


@contextmanager
def open_fresh(
    spec: ExperimentSpec,
    project_root: Path,
    path: str,
    wanted: Wanted,
    *,
    timezone: str = "UTC",
    progress: Progress = SILENT,
) -> Iterator[Fresh]:
    """Open a file of fresh customers, and refuse what a model can't be applied to.

    Types, value maps, formulas and number signs are the plan's. Columns of modifiers, ids and conditions are needed and
    no other, in any order.

    Args:
        spec: the plan that the model was learned with.
        project_root: where relative paths start, after the working directory.
        path: a file or glob; the operator's own word, so it may lie anywhere.
        wanted: what the model looks at.
        timezone: the project's.
        progress: told what is being read.

    Raises:
        DataError: a column is missing or of another kind, or an id is missing.
        PlanError: the file is a table of a database.
        MachineError: memory or a permission is wanting.
    """
    asked = asked_of(spec, wanted)
    source = find_source(asked.data, Confines(root=project_root.absolute()), on=path, sources={})
    refuse_table(source, "score")
    stamps = stamps_of((source,))
    with Unchanged(stamps):
        inputs = hash_inputs(source, progress)
        refuse_bad_files(source, inputs, asked.needed)
    session = Session(timezone=timezone, progress=progress)
    engine = start_engine(source, root=project_root.absolute(), session=session)
    with ExitStack() as until:
        until.callback(engine.close)
        with progress.stage(f"reading {source.label}"), Unchanged(stamps):
            engine.backend.raw_sql(f"SET memory_limit='{min(memory_limit(), _MEMORY)}B'")
            with _read_as_the_run():
                opened = engine.open(source, asked.data, asked.needed)
            engine.lock((opened,))
            table = _typed(engine, opened, spec, asked, wanted)
        yield Fresh(
            label=source.label,
            files=source.files,
            rows=opened.rows,
            unit=spec.data.unit,
            inputs=inputs,
            fingerprint=fingerprint_of(inputs),
            left_out=asked.left_out,
            seed=spec.analysis.seed,
            engine=engine,
            table=table,
            unchanged=lambda: Unchanged(stamps),
        )


def _typed(engine: Engine, opened: Opened, spec: ExperimentSpec, asked: Asked, wanted: Wanted) -> Table:
    """Return what is handed out of the rows, once no value contradicts the plan."""
    csv = opened.source.kind == "csv"
    formulas = {name: tree for name, tree in formulas_of(spec).items() if name in asked.data.formulas}
    stored = Reader(table=opened.table, declared=asked.data.columns, decimal=asked.data.csv.decimal if csv else ".")
    rows = in_one_arm(with_formulas(opened, stored, formulas), spec.design.treatment.column, spec.control)
    reader = replace(stored, table=rows.table)
    compiler = FilterCompiler(reader=reader, numeric=numeric_texts(engine, reader, asked.conditions))
    dated = tuple(dict.fromkeys((*dated_columns(asked.inside), *dated_columns(asked.eligible))))
    refuse_other_dates(engine, rows.table, rows.source.label, dated)
    with _of_these_data(f"{rows.source.label}: data.filter"):
        inside = _condition(compiler, asked.inside)
    with _of_these_data(f"{rows.source.label}: policy.eligible"):
        eligible = _condition(compiler, asked.eligible)
    whole, some = rows.table, rows.table.filter(inside & eligible)
    told = [(whole, rules_of(_terms(rows, spec, asked, reader, wanted, ids=True)))]
    told += [(some, rules_of(_terms(rows, spec, asked, reader, wanted, ids=False)))]
    told += [(some, tuple(formula_rules(reader, formulas)))]
    problems = [problem for table, rules in told for problem in broken_rules(engine, rows, table, rules)]
    if problems:
        raise DataError(replace(problem, mend=_MEND) for problem in problems)
    columns = {f"number:{name}": reader.number(name) for name in wanted.numbers}
    columns |= {f"text:{name}": reader.key(name) for name in wanted.texts}
    columns |= {"eligible": eligible, "inside": inside}
    columns |= _identity(reader, spec.data.unit)
    return rows.table.select(**columns)


def _identity(reader: Reader, unit: str | None) -> dict[str, Value]:
    """Return the id as it is stored, and two hashes: one that is the same everywhere, and a quick one."""
    if unit is None:
        return {}
    return {
        "unit": reader.table[unit],
        "key": digest(reader.id(unit).cast("string")),
        "mark": reader.table[unit].hash(),
    }


def _terms(rows: Opened, spec: ExperimentSpec, asked: Asked, reader: Reader, wanted: Wanted, *, ids: bool) -> Terms:
    """Return what the rules of ids, or of all else, speak of."""
    unit = () if spec.data.unit is None else (spec.data.unit,)
    roles = Roles(
        arm=spec.design.treatment.column,
        ids=unit if ids else (),
        texts=(),
        covariates=(),
        numbers=(),
        times=(),
        filtered=asked.conditions,
        declared=(),
        formulas={},
    )
    declared = {name: column for name, column in reader.declared.items() if (name in unit) == ids}
    return Terms(
        reader=replace(reader, declared=declared),
        roles=roles,
        numeric_covariates=() if ids else wanted.numbers,
        csv=rows.source.kind == "csv",
    )


def _condition(compiler: FilterCompiler, tree: Expr | None) -> Value:
    """Return for whom a condition is true; where it can't be told it is not."""
    return ibis.literal(True) if tree is None else compiler.compile(tree).fill_null(False)


@contextmanager
def _of_these_data(where: str) -> Iterator[None]:
    """Say of a condition that does not fit the columns that it is these data that are of another kind."""
    try:
        yield
    except PlanError as error:
        problems = [replace(one, where=where, code="D642", mend=_MEND) for one in error.problems]
        raise DataError(problems) from None


@contextmanager
def _read_as_the_run() -> Iterator[None]:
    """Say of a file that is laid out otherwise that it must be mended: a plan that was run can't be any more."""
    try:
        yield
    except DataError as error:
        raise DataError(replace(one, mend=_MEND) if one.code in _LAYOUT else one for one in error.problems) from None


def _batch(found: "pa.RecordBatch", seen: int, seed: int) -> Batch:
    """Return rows as arrays; without ids, rows are told apart by their place."""
    names = found.schema.names
    place = np.arange(seen, seen + found.num_rows, dtype=np.uint64)
    return Batch(
        numbers={name[7:]: _numbers(found[name]) for name in names if name.startswith("number:")},
        texts={name[5:]: _text(found[name]) for name in names if name.startswith("text:")},
        eligible=_flags(found["eligible"]),
        inside=_flags(found["inside"]),
        key=_key(found["key"], seed) if "key" in names else mixed(place, seed),
        mark=_mark(found["mark"]) if "mark" in names else place,
    )


def _key(column: "pa.Array", seed: int) -> Keys:
    return mixed(np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.int64).view(np.uint64), seed)


def _mark(column: "pa.Array") -> Keys:
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.int64, copy=False).view(np.uint64)


def _flags(column: "pa.Array") -> Flags:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)


def _numbers(column: "pa.Array") -> Floats:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _text(column: "pa.Array") -> Text:
    """Return texts by their place among the levels of these rows."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    coded = column if pa.types.is_dictionary(column.type) else column.fill_null("").dictionary_encode()
    codes: Codes = np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int32)
    return Text(codes=codes, levels=tuple(coded.dictionary.to_pylist()))
