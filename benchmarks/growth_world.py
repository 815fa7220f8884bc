"""The data of the growth curves: a long table per number of rows, and a wide one with columns of every kind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CHUNK = 1_000_000
METRICS = (1, 2, 5, 10, 20, 40)
COVARIATES = (5, 10, 20, 50, 100)
SEGMENTS = (1, 2, 3, 5, 10, 20, 50)
LEVELS = (2, 5, 10, 20, 50)
ARMS = (2, 3, 5, 10)
HOUSEHOLD = 2
"""Customers per household, so that there are as many more households as there are more customers."""
EVENTS_PER_ROW = 5 / 14
_SEGMENT_LEVELS = 4
_ZERO, _END, _DAY = np.datetime64("2026-01-01T00:00:00"), "2026-07-01", 86_400
Columns = dict[str, np.ndarray]


def write_long(path: Path, rows: int, *, seed: int = 7) -> None:
    """Write customers with ids, households, an event, spend before and after, refunds, times and two segments."""
    rng = np.random.default_rng(seed)
    _write(path, rows, lambda start, n: _long(rng, start, n))


def write_events(path: Path, rows: int, *, seed: int = 8) -> None:
    """Write the orders of `rows` customers, five for every fourteen of them, in no order."""
    rng = np.random.default_rng(seed)
    _write(path, int(rows * EVENTS_PER_ROW), lambda start, n: _orders(rng, rows, start, n))


def write_csv(path: Path, source: Path) -> None:
    """Write a Parquet file anew as CSV."""
    import duckdb

    duckdb.sql(f"COPY (SELECT * FROM read_parquet('{source}')) TO '{path}' (HEADER)")  # noqa: S608 - ours


def write_wide(path: Path, rows: int, *, seed: int = 9) -> None:
    """Write customers with as many metrics, covariates, segments and arms as any curve needs."""
    rng = np.random.default_rng(seed)
    _write(path, rows, lambda _, n: _wide(rng, n), chunk=CHUNK // 8)


def _long(rng: np.random.Generator, start: int, n: int) -> Columns:
    at = np.arange(start, start + n)
    treated = np.repeat(rng.random(-(-n // HOUSEHOLD)) < 0.5, HOUSEHOLD)[:n]
    taste = rng.standard_normal(n)
    buys = rng.random(n) < 0.2
    spend = np.where(buys, np.exp(3 + 0.6 * taste + 0.5 * rng.standard_normal(n)), 0.0)
    back = np.where(rng.random(n) < 0.01, -5.0, 0.0)
    return {
        "customer": at * 7_919 % 1_000_003 + 1_000_003 * at,  # in no simple order, and no two alike
        "household": at // HOUSEHOLD,
        "arm": _texts("arm", treated.astype(int)),
        "churned": (rng.random(n) < 0.14 - 0.01 * treated).astype(np.int8),
        "spend": (spend + back).astype(np.float32),
        "spend_pre": np.exp(3 + 0.6 * taste).astype(np.float32),
        "entered": _ZERO + rng.integers(0, 60 * _DAY, n).astype("timedelta64[s]"),
        "region": _texts("region", rng.integers(0, 4, n)),
        "tier": _texts("tier", rng.integers(0, 3, n)),
    }


def _orders(rng: np.random.Generator, customers: int, start: int, n: int) -> Columns:
    at = rng.integers(0, customers, n)
    return {
        "order": np.arange(start, start + n),
        "customer": at * 7_919 % 1_000_003 + 1_000_003 * at,
        "at": _ZERO + rng.integers(-90 * _DAY, 150 * _DAY, n).astype("timedelta64[s]"),
        "amount": rng.gamma(2.0, 20.0, n).round(2),
    }


def _wide(rng: np.random.Generator, n: int) -> Columns:
    taste = rng.standard_normal(n).astype(np.float32)
    columns = {f"arm{k}": _texts("arm", rng.integers(0, k, n)) for k in ARMS}
    for index in range(max(METRICS)):
        if index % 2:
            columns[f"m{index}"] = (rng.random(n) < 0.1).astype(np.int8)
        else:
            columns[f"m{index}"] = (taste + rng.standard_normal(n).astype(np.float32)) * 10
    for index in range(max(COVARIATES)):
        columns[f"x{index}"] = 0.3 * taste + rng.standard_normal(n).astype(np.float32)
    columns |= {f"s{index}": _texts("level", rng.integers(0, _SEGMENT_LEVELS, n)) for index in range(max(SEGMENTS))}
    return columns | {f"l{k}": _texts("level", rng.integers(0, k, n)) for k in LEVELS}


def _texts(name: str, codes: np.ndarray) -> np.ndarray:
    texts: np.ndarray = np.array([f"{name}{code}" for code in range(int(codes.max()) + 1)])
    found: np.ndarray = texts[codes]
    return found


def _write(path: Path, rows: int, made: Callable[[int, int], Columns], *, chunk: int = CHUNK) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer: pq.ParquetWriter | None = None
    for start in range(0, rows, chunk):
        table = pa.table(made(start, min(chunk, rows - start)))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
