"""What others need for the same numbers: SQL on the engine itself, pandas, and tea-tasting on three backends."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.plans import SHARES
from benchmarks.world import METRICS, SEGMENTS

THREADS = 2
Task = Callable[[Path], Callable[[], object]]
_RATES = ("visit", "conversion")
_BITS = 60


def bare_sql(path: Path, *, segments: int, fixed_point: bool = False) -> Callable[[], object]:
    """The same sums as one SQL statement on DuckDB; in fixed point they don't depend on threads or row order."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    keys, source = ", ".join(("arm", *SEGMENTS[:segments])), f"read_parquet('{path}')"
    if fixed_point:
        statement = _in_fixed_point(connection, keys, source)
    else:
        sums = ", ".join(f"count({m}), sum({m}), sum({m}::double * {m}), min({m}), max({m})" for m in METRICS)
        statement = f"SELECT {keys}, count(*), {sums} FROM {source} GROUP BY {keys}"  # noqa: S608 - ours
    return lambda: connection.execute(statement).fetchall()


def _in_fixed_point(connection: Any, keys: str, source: str) -> str:
    """Return whole-number sums: of amounts in 60 bits, with the halves of their squares apart."""
    amounts = [name for name in METRICS if name not in _RATES]
    largest = connection.execute(f"SELECT {', '.join(f'max(abs({m}))' for m in amounts)} FROM {source}").fetchone()  # noqa: S608
    scales = {name: 2.0 ** (_BITS - len(bin(int(top)))) for name, top in zip(amounts, largest, strict=True)}
    whole = ", ".join(f"{m}, cast({m}::double * {scale!r} AS bigint) AS q_{m}" for m, scale in scales.items())
    halves = ", ".join(f"{m}, q_{m}, q_{m} >> 30 AS h_{m}, q_{m} & 1073741823 AS l_{m}" for m in amounts)
    rates = ", ".join(_RATES)
    sums = [f"count({m}), sum({m}::bigint), sum({m}::bigint * {m}), min({m}), max({m})" for m in _RATES]
    sums += [
        f"count({m}), sum(q_{m}), sum(h_{m} * h_{m}), sum(h_{m} * l_{m}), sum(l_{m} * l_{m}), min({m}), max({m})"
        for m in amounts
    ]
    inner = f"SELECT {keys}, {rates}, {halves} FROM (SELECT {keys}, {rates}, {whole} FROM {source})"  # noqa: S608
    return f"SELECT {keys}, count(*), {', '.join(sums)} FROM ({inner}) GROUP BY {keys}"  # noqa: S608 - ours


def by_pandas(path: Path, *, segments: int) -> Callable[[], object]:
    """The same table of means and variances with pandas, reading only the columns that it needs."""
    import pandas as pd

    names = SEGMENTS[:segments]

    def table() -> object:
        frame = pd.read_parquet(path, columns=["arm", *METRICS, *names])
        overall = frame.groupby("arm")[list(METRICS)].agg(["count", "mean", "var"])
        return overall, [frame.groupby(["arm", name])[list(METRICS)].agg(["count", "mean", "var"]) for name in names]

    return table


def tea_tasting(path: Path, *, backend: str, adjusted: bool = False) -> Callable[[], object]:
    """Five metrics and the split check with tea-tasting; it has no segments."""
    import tea_tasting as tt

    covariates = {"spend": "spend_pre"} if adjusted else {}
    metrics = {name: tt.Mean(name, covariates.get(name)) for name in METRICS}
    split = tt.SampleRatio({arm: float(share) for arm, share in SHARES.items()})
    experiment = tt.Experiment({**metrics, "split": split}, variant="arm")
    read = _readers(path)[backend]
    return lambda: experiment.analyze(read(), control="none")


def _readers(path: Path) -> dict[str, Callable[[], Any]]:
    columns = ["arm", *METRICS]

    def polars() -> Any:
        import polars as pl

        return pl.scan_parquet(path)

    def pandas() -> Any:
        import pandas as pd

        return pd.read_parquet(path, columns=columns)

    connections: list[Any] = []

    def duckdb() -> Any:
        import ibis

        if not connections:
            connections.append(ibis.duckdb.connect(threads=THREADS).read_parquet(path))
        return connections[0]

    return {"polars": polars, "pandas": pandas, "duckdb": duckdb}


PEERS: dict[str, Task] = {
    "bare SQL, 3 segments": partial(bare_sql, segments=3),
    "bare SQL in fixed point, 3 segments": partial(bare_sql, segments=3, fixed_point=True),
    "pandas, 3 segments": partial(by_pandas, segments=3),
    "bare SQL": partial(bare_sql, segments=0),
    "tea-tasting on polars": partial(tea_tasting, backend="polars"),
    "tea-tasting on DuckDB": partial(tea_tasting, backend="duckdb"),
    "tea-tasting on pandas": partial(tea_tasting, backend="pandas"),
    "tea-tasting on polars, spend adjusted": partial(tea_tasting, backend="polars", adjusted=True),
}
