"""The analysed units of a run, kept for its reruns: typed values beside keyed hashes of ids, never an id itself."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis

from cxcausal.core.epochs import EPOCH
from cxcausal.core.errors import DataError, MachineError, Problem
from cxcausal.core.maturity import days_to_mature
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.clock import Clock
from cxcausal.data.counts import is_unique
from cxcausal.data.dataset import Dataset
from cxcausal.data.engine import Engine, Opened, Table
from cxcausal.data.roles import roles_of
from cxcausal.data.sources import Source
from cxcausal.data.steady import Unchanged
from cxcausal.data.units import Layout, profiled
from cxcausal.data.winsorized import with_caps

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "units.parquet"
KEY, NTH = "key", "nth"
"""Columns of a kept file: the keyed hash of a unit, and which of its rows this is, from 1."""
_SALT = "kept_key"
_DIGITS = 32
_BATCH = 100_000
_CLOCKED = ("mature", "observed_until")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was kept of a run's units.

    Attributes:
        path: the file; None where nothing was kept.
        units: rows in it.
        size: its bytes.
        reason: why nothing was kept, as the end of a sentence.
    """

    path: Path | None = None
    units: int = 0
    size: int = 0
    reason: str | None = None


def keep_units(dataset: Dataset, spec: ExperimentSpec, folder: Path, key: bytes, most: int) -> Kept:
    """Write one row per enrolled unit to `folder/units.parquet`, where the plan's data lie in the embedded engine.

    Values are typed, after filter, maps, formulas and events. Every id is hashed with the project's key inside the
    engine, so that equal ids can be told without knowing them.

    Args:
        dataset: open data.
        spec: the plan that they were opened with.
        folder: made with mode 0700; the file has mode 0600.
        key: the project's secret.
        most: with more units than this nothing is kept.

    Raises:
        MachineError: the disk refuses.
    """
    if not dataset.engine.at_home:
        return Kept(reason="the units lie in a database, and no row of it is written elsewhere")
    engine, table = dataset.engine, dataset.units.table
    with Unchanged(dataset.stamps), engine.doing("units kept for reruns"):
        units = int(engine.fetch(table.aggregate(n=table.count()))[0][0])
        if units > most:
            return Kept(units=units, reason=f"there are more than the {most:,} units of reruns.max_units")
        engine.load(_SALT, {"salt": [key.hex()]})
        try:
            with engine.translated():
                size = _write(folder, engine.backend.con.sql(_statement(dataset, spec)))
        finally:
            engine.forget(_SALT)
    return Kept(path=folder / FILE, units=units, size=size)


def kept_columns(spec: ExperimentSpec, table: Table) -> tuple[str, ...]:
    """Return the columns of a table of units that are kept: no row numbers, and nothing that is made of the others."""
    roles = roles_of(spec)
    numbers = (*roles.numeric, *roles.covariates)
    names = ["arm", "mature", "eligible", "time_zero", "observed_until", *(f"id:{name}" for name in roles.ids)]
    names += [f"bucket:{name}" for name in roles.ids]
    names += [f"text:{name}" for name in (*roles.texts, *roles.covariates, EPOCH)]
    names += [f"number:{name}" for name in numbers]
    return tuple(name for name in dict.fromkeys(names) if name in table.columns)


def read_kept(engine: Engine, name: str, path: Path, spec: ExperimentSpec) -> Table:
    """Return the rows of a kept file as a table inside the engine; its key is the unit's id, and stored only once.

    Raises:
        DataError: the file is damaged, or not there.
    """
    table = engine.backend.create_table(name, ibis.memtable(_rows(path)), temp=True)
    return table if spec.data.unit is None else table.mutate(**{f"id:{spec.data.unit}": table[KEY]})


def _rows(path: Path, columns: list[str] | None = None) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    try:
        return pq.read_table(path, columns=columns, page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as error:
        what, mend = "the kept units can't be read", "restore the run's folder from a copy, or compare with another run"
        raise DataError(Problem(where=f"kept/{path.name}", code="R801", what=what, mend=mend)) from error


def analysed_keys(path: Path) -> "pa.Table":
    """Return the key and number of every row of a kept file that its run analysed.

    Raises:
        DataError: the file is damaged, or not there.
    """
    rows = _rows(path, [KEY, NTH, "mature"])
    return rows.filter(rows["mature"]).drop_columns(["mature"])


def shared_units(one: Path, other: Path) -> int:
    """Return how many units two kept files have in common.

    Raises:
        DataError: a file is damaged, or not there.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    mine, others = (pc.unique(_rows(path, [KEY])[KEY]) for path in (one, other))
    return int(pc.sum(pc.is_in(mine, value_set=others)).as_py() or 0)


def kept_dataset(engine: Engine, table: Table, spec: ExperimentSpec, name: str) -> Dataset:
    """Return a table in the form of a kept file as data that answer queries, to the bit as those it was kept of.

    Args:
        engine: the embedded one, in which the table lies; closing the dataset closes it.
        table: with the columns of `kept_columns`.
        spec: the plan that the units were kept under.
        name: of the table in messages, and of the copy that the engine makes.
    """
    held = engine.keep(name, table.select(*kept_columns(spec, table)))
    opened = Opened(
        table=held,
        columns=tuple(held.columns),
        rows=int(engine.fetch(held.aggregate(n=held.count()))[0][0]),
        source=Source(kind="parquet", files=(), names=("kept units",)),
        first_row=1,
        row=None,
        kept=True,
    )
    units = with_caps(engine, profiled(engine, opened, held, spec, _layout(spec, held)), spec)
    return Dataset(
        inputs=(),
        fingerprint="",
        data_cut=units.data_cut,
        levels={name: units.levels[name] for name in spec.segments},
        engine=engine,
        opened=opened,
        units=units,
    )


def _layout(spec: ExperimentSpec, table: Table) -> Layout:
    """Return the roles that the columns of a kept table have."""

    def named(role: str) -> tuple[str, ...]:
        names = (name.removeprefix(f"{role}:") for name in table.columns if name.startswith(f"{role}:"))
        return tuple(name for name in names if name != EPOCH)

    moments = {name: (name, table[name]) if name in table.columns else None for name in ("time_zero", "observed_until")}
    clock = Clock(zero=moments["time_zero"], until=moments["observed_until"], days=days_to_mature(spec))
    return Layout(ids=named("id"), texts=named("text"), numbers=named("number"), clock=clock)


def _statement(dataset: Dataset, spec: ExperimentSpec) -> str:
    """Return what selects the rows of the kept file; the salt lies in a table, so that no statement holds it."""
    engine, units = dataset.engine, dataset.units
    names = kept_columns(spec, units.table)
    inner = engine.sql(units.table.select(*names))
    if units.unit is not None:
        identity, repeated = _quoted(units.unit), not is_unique(engine, units, units.unit)
        identity = f"CAST({identity} AS VARCHAR)"
    else:
        content = (f"coalesce(CAST({_quoted(name)} AS VARCHAR), '<none>')" for name in names if name not in _CLOCKED)
        identity, repeated = f"concat_ws('|', {', '.join(content)})", True
    columns = [f"{_hashed(identity)} AS {KEY}"]
    columns += [f"{_stored(name)} AS {_quoted(name)}" for name in names if name != units.unit]
    rows = f"SELECT {', '.join(columns)} FROM ({inner}) AS u, {_SALT}"  # noqa: S608 - quoted, and our own names
    if not repeated:
        return f"SELECT *, 1::INTEGER AS {NTH} FROM ({rows}) AS r"  # noqa: S608 - as before
    order = ", ".join(_quoted(name) for name in names if name not in {*_CLOCKED, units.unit})
    number = f"CAST(row_number() OVER (PARTITION BY {KEY} ORDER BY {order}) AS INTEGER)"
    return f"SELECT *, {number} AS {NTH} FROM ({rows}) AS r"  # noqa: S608 - as before


def _stored(name: str) -> str:
    """Return SQL for what is kept of a column: of an id its hash, of all others the value."""
    return _hashed(f"CAST({_quoted(name)} AS VARCHAR)") if name.startswith("id:") else _quoted(name)


def _hashed(text: str) -> str:
    """Return SQL for the first digits of a nested SHA-256 of the salt and a text; a missing one stays missing."""
    return f"left(sha256(salt || sha256(salt || {text})), {_DIGITS})"


def _quoted(name: str) -> str:
    """Return a name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def _write(folder: Path, found: Any) -> int:  # noqa: ANN401 - a DuckDB result
    """Write the rows of a result as they come, whole or not at all; return the bytes."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    target = folder / FILE
    partial = folder / f".{FILE}.{os.getpid()}.partial"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        reader = found.to_arrow_reader(_BATCH)
        with (
            os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle,
            pq.ParquetWriter(handle, reader.schema, compression="zstd", write_page_checksum=True) as writer,
        ):
            for batch in _batches(reader):
                writer.write_batch(batch)
        _synced(partial)
        partial.replace(target)
        return target.stat().st_size
    except OSError as error:
        what = f"could not write this file: {error.strerror or type(error).__name__}"
        mend = "check space and permissions of the project folder, or say reruns: {keep_units: false} in the plan"
        raise MachineError(Problem(where=f"kept/{FILE}", code="E601", what=what, mend=mend)) from error
    finally:
        partial.unlink(missing_ok=True)


def _batches(reader: "pa.RecordBatchReader") -> "Iterator[pa.RecordBatch]":
    """Yield what the engine hands out, batch by batch."""
    yield from reader


def _synced(path: Path) -> None:
    """Make a file survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
