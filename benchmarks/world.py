"""A large randomised data set: two arms 85/15, a rare and a very rare event, zero-inflated spend, three segments."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CHUNK = 1_000_000
METRICS = ("visit", "conversion", "spend", "spend_pre", "x0")
SEGMENTS = ("region", "tier", "channel")
LEVELS = (4, 3, 5)


def write_world(path: Path, rows: int, *, seed: int = 7) -> None:
    """Write `rows` customers as Parquet with one row group per million, floats in single precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    writer: pq.ParquetWriter | None = None
    for start in range(0, rows, CHUNK):
        table = _chunk(rng, min(CHUNK, rows - start))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _chunk(rng: np.random.Generator, n: int) -> pa.Table:
    treated = rng.random(n) < 0.85
    taste = rng.standard_normal(n)
    visit = rng.random(n) < 0.046 + 0.01 * treated
    buys = rng.random(n) < 0.003 + 0.001 * treated
    spend = np.where(buys, np.exp(3 + 0.6 * taste + 0.5 * rng.standard_normal(n)), 0.0)
    before = np.where(rng.random(n) < 0.05, np.exp(3 + 0.6 * taste), 0.0)
    columns = {
        "arm": np.where(treated, "mail", "none"),
        "visit": visit.astype(np.int8),
        "conversion": buys.astype(np.int8),
        "spend": spend.astype(np.float32),
        "spend_pre": before.astype(np.float32),
    }
    columns |= {f"x{i}": rng.standard_normal(n).astype(np.float32) for i in range(12)}
    columns |= {
        name: np.array([f"{name}{i}" for i in range(k)])[rng.integers(0, k, n)]
        for name, k in zip(SEGMENTS, LEVELS, strict=True)
    }
    return pa.table(columns)
