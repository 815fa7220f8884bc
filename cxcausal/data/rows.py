"""The analysed units as columns in memory, for what can't be computed from sums; they are written nowhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cxcausal.core.hashing import Keys, mixed
from cxcausal.core.rows import ELIGIBLE, TIME_ZERO, Floats, Rows, RowsWanted, Text
from cxcausal.data.engine import Engine, Table, Value
from cxcausal.data.functions import bucket_of, digest
from cxcausal.data.units import Units

if TYPE_CHECKING:
    import pyarrow as pa

_HASH_KEY = "cxcausal-rows-v1"
"""Sixteen letters that pandas' SipHash wants; it protects nothing, and only has to stay the same."""
_SECONDS = 86_400.0


def rows_of(engine: Engine, units: Units, wanted: RowsWanted) -> Rows:
    """Return the analysed units, in an order that depends neither on that of the data nor on the plan's metrics.

    Args:
        engine: with the data.
        units: enrolled units, typed and validated.
        wanted: the columns.

    Raises:
        MachineError: the units do not fit into the memory that the engine may use.
    """
    table = units.table.filter(units.table.mature)
    found = engine.columns(table.select(**_columns(table, units, wanted)))
    texts = tuple(dict.fromkeys(name[5:] for name in found.column_names if name.startswith("text:")))
    numbers = tuple(dict.fromkeys(name[7:] for name in found.column_names if name.startswith("number:")))
    key, order = _ordered(found, units, wanted)
    days = {TIME_ZERO: _days(found["time_zero"])[order]} if "time_zero" in found.column_names else {}
    days |= {ELIGIBLE: _numbers(found["eligible"])[order]} if "eligible" in found.column_names else {}
    return Rows(
        arms=units.arms,
        arm=_coded(found["arm"], units.arms)[order].astype(np.int8),
        key=key[order],
        numbers={name: _numbers(found[f"number:{name}"])[order] for name in numbers} | days,
        texts={name: _text(found[f"text:{name}"], order) for name in texts},
        clusters={name: _whole(found[f"id:{name}"])[order] for name in wanted.clusters},
        cluster_keys={name: _whole(found[f"bucket:{name}"])[order] for name in wanted.clusters},
    )


def _ordered(found: "pa.Table", units: Units, wanted: RowsWanted) -> tuple[Keys, npt.NDArray[np.intp]]:
    """Return what folds are hashed from, and the order of rows: by that, by covariates, and last by id.

    No outcome has a part in it, so that one metric more moves no row; where every row is a unit, as far as no two are
    alike in every covariate. Units that a run kept have other ids (hashed with
    a key): there only those change places who are of one bucket and alike in every covariate.
    """
    content = _content(found, found.column_names)
    covariates = [f"{kind}:{each}" for kind in ("text", "number") for each in wanted.covariates]
    alike = _content(found, ["arm", *(each for each in covariates if each in found.column_names)])
    if units.unit is None:
        order = np.lexsort((content, alike))
        return mixed(alike ^ _counted(alike, order)), order
    name = units.unit.removeprefix("id:")
    key = _whole(found[f"bucket:{name}"])
    return key, np.lexsort((content, _whole(found[f"id:{name}"]), alike, key))


def _counted(alike: Keys, order: npt.NDArray[np.intp]) -> Keys:
    """Return which of those that are alike a row is, from 0, in an order that holds them together."""
    ordered = alike[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    found = np.empty(len(order), dtype=np.uint64)
    found[order] = (np.arange(len(order)) - starts).astype(np.uint64)
    return found


def _columns(table: Table, units: Units, wanted: RowsWanted) -> dict[str, Value]:
    """Return what is read: no id, but of every id a hash that tells the same ones apart, and its bucket."""
    names = [f"text:{name}" for name in (*wanted.texts, *wanted.covariates)]
    names += [f"number:{name}" for name in (*wanted.numbers, *wanted.covariates)]
    names += ["time_zero"] if wanted.time_zero else []
    names += ["eligible"] if wanted.eligible else []
    columns = {name: table[name] for name in ("arm", *names) if name in table.columns}
    ids = dict.fromkeys((*wanted.clusters, *(() if units.unit is None else (units.unit.removeprefix("id:"),))))
    columns |= {f"id:{name}": digest(table[f"id:{name}"].cast("string")) for name in ids}
    return columns | {f"bucket:{name}": _bucket(table, name) for name in ids}


def _bucket(table: Table, name: str) -> Value:
    kept = f"bucket:{name}"
    return table[kept] if kept in table.columns else bucket_of(table[f"id:{name}"])


def _whole(column: "pa.ChunkedArray") -> npt.NDArray[np.uint64]:
    return np.asarray(column.to_numpy()).astype(np.int64).view(np.uint64)


def _numbers(column: "pa.ChunkedArray") -> Floats:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _days(column: "pa.ChunkedArray") -> Floats:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    micros = column.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(micros.to_numpy(), dtype=np.float64) / (1e6 * _SECONDS)


def _coded(column: "pa.ChunkedArray", levels: tuple[str, ...]) -> npt.NDArray[np.int32]:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    return np.asarray(pc.index_in(column, value_set=pa.array(levels)).to_numpy(), dtype=np.int32)


def _text(column: "pa.ChunkedArray", order: npt.NDArray[np.intp]) -> Text:
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    filled = pc.fill_null(column, "")
    levels = tuple(sorted(pc.unique(filled).to_pylist()))
    return Text(codes=_coded(filled, levels)[order], levels=levels)


def _hashed(column: "pa.ChunkedArray") -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of every value, the same on every machine."""
    from pandas.util import hash_array  # noqa: PLC0415 - heavy

    values = np.asarray(column.to_pandas(), dtype=object)
    return np.asarray(hash_array(values, hash_key=_HASH_KEY, categorize=False), dtype=np.uint64)


def _content(found: "pa.Table", names: Sequence[str]) -> Keys:
    """Return a hash of every row's values in some columns but its ids, in whatever order they are named."""
    total = np.zeros(found.num_rows, dtype=np.uint64)
    for name in sorted(name for name in names if not name.startswith(("id:", "bucket:"))):
        column = found[name]
        kind = str(column.type)
        values = _hashed(column.cast("string")) if kind.startswith(("string", "large_string", "dict")) else None
        if values is None:
            numbers = _days(column) if kind.startswith(("timestamp", "date")) else _numbers(column)
            values = np.where(np.isnan(numbers), np.nan, numbers + 0.0).view(np.uint64)
        with np.errstate(over="ignore"):
            total = mixed(total ^ values, len(name))
    return total
