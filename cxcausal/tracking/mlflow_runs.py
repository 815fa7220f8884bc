"""MLflow's runs as they stand in its store, read in one pass over its tables and without importing MLflow."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cxcausal.core.errors import IntegrityError, MachineError, Problem

PREFIX = "cx/"
_SECONDS = 3.0
_RUNS = """
SELECT r.run_uuid, e.name, r.name, r.status, r.start_time, r.lifecycle_stage, e.lifecycle_stage, r.artifact_uri
FROM runs r JOIN experiments e USING (experiment_id) WHERE e.name LIKE 'cx/%'
"""
_OF_CX = "run_uuid IN (SELECT r.run_uuid FROM runs r JOIN experiments e USING (experiment_id) WHERE e.name LIKE 'cx/%')"
_PARAMS = f"SELECT run_uuid, key, value FROM params WHERE {_OF_CX}"  # noqa: S608 - a constant
_TAGS = f"SELECT run_uuid, key, value FROM tags WHERE {_OF_CX}"  # noqa: S608 - a constant
_METRICS = f"SELECT run_uuid, key, value, timestamp, step, is_nan FROM metrics WHERE {_OF_CX}"  # noqa: S608 - see above
_LATEST = f"SELECT run_uuid, key, value, timestamp, step, is_nan FROM latest_metrics WHERE {_OF_CX}"  # noqa: S608 - ditto
_INPUTS = """
SELECT i.destination_id, d.name, d.digest, t.value
FROM inputs i JOIN datasets d ON i.source_id = d.dataset_uuid
LEFT JOIN input_tags t ON t.input_uuid = i.input_uuid AND t.name = 'cx.sha256'
WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN'
"""

Points = Mapping[str, tuple[tuple[float, int, int], ...]]
"""Metric → its points: value (NaN where MLflow says so), milliseconds, step."""


@dataclass(frozen=True, kw_only=True)
class MlflowRun:
    """One run in MLflow; `latest` is what its pages show of `metrics`. `artifacts` is its address of files."""

    mlflow_id: str
    experiment: str
    name: str | None
    status: str | None
    started_ms: int | None
    active: bool
    artifacts: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Points = field(default_factory=dict)
    latest: Points = field(default_factory=dict)
    inputs: frozenset[tuple[str, str, str | None]] = frozenset()


def runs_in_sqlite(path: Path) -> tuple[MlflowRun, ...]:
    """Return every run of our experiments, deleted ones as well; none where the store does not exist.

    MLflow takes seconds to import and reads runs one by one, so its tables are read as they lie.

    Raises:
        IntegrityError: the file is damaged.
        MachineError: it is locked, or has other tables than the MLflow that we know.
    """
    if not path.exists():
        return ()
    try:
        with closing(_opened(path)) as store:
            return _read(store)
    except sqlite3.DatabaseError as error:
        raise _unread(path, error) from error


def _unread(path: Path, error: sqlite3.DatabaseError) -> MachineError | IntegrityError:
    """Return what keeps a store from being read: damage is a matter of the record, anything else of the machine."""
    if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        mend = "move this file away, then run `cxcausal sync`, which makes a new one with every run"
        return IntegrityError(Problem(where=f"mlflow {path.name}", code="I748", what="the store is damaged", mend=mend))
    what = f"the database could not be read as the MLflow we know: {error.sqlite_errorname}"
    mend = "see whether another process has it locked, and whether MLflow is the one of the lock file"
    return MachineError(Problem(where=path.name, code="E611", what=what, mend=mend))


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_SECONDS)


def _read(store: sqlite3.Connection) -> tuple[MlflowRun, ...]:
    """Read every table once and put the runs together."""
    params, tags = _texts(store.execute(_PARAMS)), _texts(store.execute(_TAGS))
    metrics, latest = _points(store.execute(_METRICS)), _points(store.execute(_LATEST))
    inputs: defaultdict[str, set[tuple[str, str, str | None]]] = defaultdict(set)
    for run, name, digest, sha in store.execute(_INPUTS):
        inputs[run].add((name, digest, sha))
    return tuple(
        MlflowRun(
            mlflow_id=run,
            experiment=experiment,
            name=name,
            status=status,
            started_ms=started,
            active=stage == "active" and of_all == "active",
            artifacts=artifacts,
            params=params.get(run, {}),
            tags=tags.get(run, {}),
            metrics=metrics.get(run, {}),
            latest=latest.get(run, {}),
            inputs=frozenset(inputs.get(run, ())),
        )
        for run, experiment, name, status, started, stage, of_all, artifacts in store.execute(_RUNS)
    )


def _texts(rows: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """Return run → key → value."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for run, key, value in rows:
        found[run][key] = value
    return found


def _points(rows: Iterable[tuple[str, str, float, int, int, int]]) -> dict[str, Points]:
    """Return run → metric → its points, in order."""
    found: defaultdict[str, dict[str, list[tuple[float, int, int]]]] = defaultdict(dict)
    for run, key, value, moment, step, is_nan in rows:
        found[run].setdefault(key, []).append((float("nan") if is_nan else float(value), moment, step))
    return {run: {key: tuple(sorted(points)) for key, points in of.items()} for run, of in found.items()}
