"""Other kinds of files as cases: Parquet, JSON and packed files, with odd types and with damage."""

import gzip
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.case import Ended
from tests.fuzz.cookbook import RECIPES
from tests.fuzz.csvs import Bench, ended
from tests.fuzz.damage import MUTATIONS
from tests.fuzz.draw import Rng, between, chance, pick, rng_of
from tests.fuzz.judging import faults
from tests.fuzz.sheets import CELLS, damaged
from tests.fuzz.world import Dialect, Sheet, customers, written

_ALLOWED = (0, 4, 5)
_DATA_DECIDE = frozenset({"D107", "D131", "D132"})
_BYTES = ("flip", "flip", "flip", "cut", "put in", "repeat", "drop", "zeros", "empty", "packed")
_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    10**30,
    1.5,
    float("nan"),
    float("inf"),
    -0.0,
    1e308,
    "",
    "x",
    "1",
    "nan",
    [1, 2],
    [],
    {"a": 1},
    {},
    "2026-01-05",
    *CELLS[:20],
)
_TYPES: tuple[tuple[pa.DataType, Any], ...] = (
    (pa.bool_(), True),
    (pa.int8(), 1),
    (pa.uint64(), 2**64 - 1),
    (pa.float16(), 1.0),
    (pa.float32(), 0.1),
    (pa.decimal128(38, 10), Decimal("1.5")),
    (pa.decimal256(60, 2), Decimal("1.25")),
    (pa.date32(), date(2026, 1, 5)),
    (pa.date64(), date(2026, 1, 5)),
    (pa.timestamp("ns"), datetime(2026, 1, 5)),  # noqa: DTZ001 - a time without a zone is one of the kinds
    (pa.timestamp("us", tz="America/New_York"), datetime(2026, 1, 5, tzinfo=UTC)),
    (pa.time64("us"), 5),
    (pa.duration("s"), 5),
    (pa.binary(), b"\xff\x00"),
    (pa.large_string(), "gold"),
    (pa.null(), None),
    (pa.list_(pa.int64()), [1]),
    (pa.struct([("a", pa.int64())]), {"a": 1}),
    (pa.map_(pa.string(), pa.int64()), [("a", 1)]),
    (pa.dictionary(pa.int8(), pa.string()), "gold"),
)


def run_file(bench: Bench, seed: int, number: int) -> Ended:
    """Make a file of a number, run it, and judge what comes of it."""
    rng = rng_of("files", seed, number)
    recipe, sheet = pick(rng, tuple(one for one in RECIPES if not one.events)), customers(0)
    steps: tuple[str, ...] = ()
    if chance(rng, 0.3):
        sheet, steps = damaged(rng, sheet)
    name = pick(rng, tuple(_MAKERS))
    data, more = _MAKERS[name](rng, sheet)
    steps = (*steps, name, *more)
    if not more or chance(rng, 0.4):
        step = pick(rng, _BYTES)
        data, steps = MUTATIONS[step](rng, data), (*steps, step)
    table = {"table": pick(rng, ("units", "units", "units", "seen", "unit"))} if name.endswith("duckdb") else {}
    done = bench.run(recipe, {name: data}, source=name, **table)
    allowed = (*_ALLOWED, 3) if set(done.codes) <= _DATA_DECIDE else _ALLOWED
    return ended(("files", seed, number), (recipe.name, *steps), done, faults(done, allowed), {name: data})


def _records(sheet: Sheet) -> list[dict[str, Any]]:
    return [{name: cell or None for name, cell in zip(sheet.header, row, strict=False)} for row in sheet.rows]


def _parquet(rng: Rng, sheet: Sheet) -> tuple[bytes, tuple[str, ...]]:
    """Return a Parquet file; often one of its columns is of an odd type."""
    table = pa.Table.from_pandas(pd.DataFrame(_records(sheet), dtype=object), preserve_index=False)
    steps: tuple[str, ...] = ()
    if chance(rng, 0.6) and table.num_columns:
        kind, value = pick(rng, _TYPES)
        at = between(rng, 0, table.num_columns - 1)
        values = [value if chance(rng, 0.9) else None for _ in range(table.num_rows)]
        name = pick(
            rng, (table.column_names[at], table.column_names[at], pick(rng, table.column_names), "file_row_number")
        )
        table = table.set_column(at, name, pa.array(values, type=kind))
        steps = (f"{table.column_names[at]} of {kind}",)
    stream = io.BytesIO()
    try:
        pq.write_table(table, stream, compression=pick(rng, ("snappy", "none", "zstd", "gzip")))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        return b"PAR1", ("not to be written",)
    return stream.getvalue(), steps


def _json(rng: Rng, sheet: Sheet) -> tuple[bytes, tuple[str, ...]]:
    """Return JSON records or lines; often some of its values are of odd types, or keys are absent."""
    records, steps = _records(sheet), []
    for _ in range(between(rng, 0, 3) if records else 0):
        record, key = pick(rng, records), pick(rng, sheet.header)
        kind = pick(rng, ("odd value", "absent key", "new key", "not a record", "odd column"))
        steps.append(kind)
        if kind == "odd value":
            record[key] = pick(rng, _VALUES)
        elif kind == "absent key":
            record.pop(key, None)
        elif kind == "new key":
            record[pick(rng, ("x", "", "Arm", f"{key} "))] = 1
        elif kind == "odd column":
            value = pick(rng, _VALUES)
            for one in records:
                one[key] = value
        else:
            records[between(rng, 0, len(records) - 1)] = pick(rng, ({}, {"x": 1}))
    if chance(rng, 0.5):
        return json.dumps(records, ensure_ascii=chance(rng, 0.5)).encode(), tuple(steps)
    return "\n".join(map(json.dumps, records)).encode(), tuple(steps)


def _packed(rng: Rng, sheet: Sheet) -> tuple[bytes, tuple[str, ...]]:
    """Return a packed CSV file, in one part or two, of which one may be no packed file at all."""
    plain = written(sheet, Dialect())
    at = between(rng, 0, len(plain))
    parts = (gzip.compress(plain[:at], mtime=0), pick(rng, (gzip.compress(plain[at:], mtime=0), b"tail", b"\0" * 40)))
    kind = pick(rng, ("whole", "two parts", "not packed"))
    if kind == "two parts":
        return b"".join(parts), (kind,)
    return (plain, (kind,)) if kind == "not packed" else (gzip.compress(plain, mtime=0), ())


def _stata(rng: Rng, sheet: Sheet) -> tuple[bytes, tuple[str, ...]]:
    """Return a Stata file of one of its versions, with numbers where all of a column are; or a text of that name."""
    if chance(rng, 0.1):
        return written(sheet, Dialect()), ("text in a Stata file",)
    frame, stream = pd.DataFrame(_records(customers(0)), dtype=object), io.BytesIO()
    for name in ("age", "before", "left", "spend", "orders", "calls", "answered", "score", "csat", "weight", "reached"):
        frame[name] = pd.to_numeric(frame[name])
    frame = frame.drop(columns=["note", "region", "tier"]).fillna({"stayed": ""})
    frame.to_stata(stream, write_index=False, version=pick(rng, (114, 117, 118, 119)))
    return stream.getvalue(), ()


@cache
def _good_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.duckdb"
        units = pd.DataFrame(_records(customers(0)), dtype="string")
        with duckdb.connect(str(path)) as connection:
            connection.register("rows", units)
            connection.execute("CREATE TABLE units AS SELECT * FROM rows")
            connection.execute("CREATE VIEW seen AS SELECT * FROM units")
        return path.read_bytes()


def _database(rng: Rng, sheet: Sheet) -> tuple[bytes, tuple[str, ...]]:
    """Return a database; or a text of that name."""
    return (written(sheet, Dialect()), ("text in a database",)) if chance(rng, 0.1) else (_good_database(), ())


_MAKERS: Mapping[str, Callable[[Rng, Sheet], tuple[bytes, tuple[str, ...]]]] = {
    "data/units.parquet": _parquet,
    "data/units.pq": _parquet,
    "data/units.json": _json,
    "data/units.jsonl": _json,
    "data/units.csv.gz": _packed,
    "data/units.json.gz": lambda rng, sheet: (gzip.compress(_json(rng, sheet)[0], mtime=0), ()),
    "data/units.tsv": lambda rng, sheet: (written(sheet, Dialect(delimiter=pick(rng, "\t,"))), ()),
    "data/units.dta": _stata,
    "data/units.duckdb": _database,
}
