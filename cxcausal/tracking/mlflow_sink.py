"""The only module that talks to MLflow: one run per analysis, written once however often it is asked."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cxcausal.core.errors import MachineError, Problem
from cxcausal.tracking.files import locked
from cxcausal.tracking.hush import hushed
from cxcausal.tracking.layout import STATE
from cxcausal.tracking.model_folder import model_files
from cxcausal.tracking.model_registry import register
from cxcausal.tracking.patience import Patience, patiently
from cxcausal.tracking.projection import ARTIFACTS, Input, Projection
from cxcausal.tracking.redaction import without_secrets
from cxcausal.tracking.sqlite_store import ailment_of, made_whole
from cxcausal.tracking.tracking_uri import (
    PROBE_SECONDS,
    SQLITE,
    is_server,
    is_sqlite,
    silence_of,
    sqlite_path,
    with_secrets,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

Told = TypeVar("Told")
UNTAKEN = "MLflow did not take this run"
_METRICS_PER_BATCH = 800
_LOCK_SECONDS = 120.0
_DATABASES = ("postgresql", "mysql")
HASTY = Patience(step=3.0, turn=10.0)
"""With a server, at the end of `run`: who asked waits for a verdict, and what is not sent now is sent by `sync`."""
CALM = Patience(step=30.0, turn=120.0)
"""With a server, in `sync`."""
_PERMANENT: Mapping[str, str] = {"MLFLOW_DISABLE_TELEMETRY": "true"}
_WHILE_TALKING: Mapping[str, str] = {
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
}


def send(root: Path, uri: str, directory: Path, projection: Projection, *, patience: Patience = HASTY) -> str:
    """Write one run into MLflow and return MLflow's id for it.

    A run that MLflow has in full already is left alone; one that was cut off half-way is completed.

    Args:
        root: the project's root, under which artifacts of a database store lie.
        uri: the resolved tracking address.
        directory: the run's folder.
        projection: what MLflow is told.
        patience: with a server; a file or a database has more of it, as it may have to be made first.

    Raises:
        MachineError: the store did not answer, refused or is damaged; nothing on disk has changed.
    """
    uri = with_secrets(uri)
    reason = silence_of(uri)
    if reason is not None:
        raise _unreachable(uri, reason)
    with _turn(root, uri, patience), _quiet(patience):
        _refuse_ailing(uri)
        return _send_guarded(root, uri, directory, projection, patience)


def asked(root: Path, uri: str, ask: Callable[[Any], Told], *, patience: Patience = CALM) -> Told:
    """Return what a store answers to `ask(client)`; nothing is written.

    Raises:
        MachineError: the store did not answer, refused or is damaged.
    """
    reason = silence_of(uri)
    if reason is not None:
        raise _unreachable(uri, reason)
    with _turn(root, uri, patience), _quiet(patience), _translated(uri):
        return patiently(ask, open_store(uri), seconds=patience.step)


def open_store(uri: str) -> "MlflowClient":
    """Return a client for this address and no other; a SQLite store is created or migrated by the first call."""
    from mlflow import MlflowClient  # noqa: PLC0415 - a second to import, and only runs that are recorded need it

    if is_sqlite(uri):
        sqlite_path(uri).parent.mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextlib.contextmanager
def _turn(root: Path, uri: str, patience: Patience) -> Iterator[None]:
    """Hold the store's lock: find-or-make of a run, and the first opening of a SQLite file, are one process's own."""
    seconds = patience.turn if is_server(uri) else _LOCK_SECONDS
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(_lock_file(root, uri), timeout=seconds))
        except MachineError as error:
            if error.problems[0].code != "E602":
                raise
            raise _unreachable(uri, f"other runs have kept it busy for {seconds:g} s") from None
        yield


def _refuse_ailing(uri: str) -> None:
    """Raise where a SQLite file can't be written; make it where there is none."""
    if not is_sqlite(uri):
        return
    path = sqlite_path(uri)
    ailment = ailment_of(path)
    if ailment is not None:
        raise _unreachable(uri, ailment.what, ailment.mend)
    with _translated(uri):
        made_whole(path, lambda making: _migrate(f"{SQLITE}{making}"))


def _migrate(uri: str) -> None:
    """Let MLflow make its tables."""
    open_store(uri).search_experiments(max_results=1)


def _send_guarded(root: Path, uri: str, directory: Path, projection: Projection, patience: Patience) -> str:
    """Send, in a thread of its own where a server could keep us waiting."""
    with _translated(uri):
        _ask_database(uri)
        client = open_store(uri)
        if not is_server(uri):
            return _send(client, root, uri, directory, projection)
        return patiently(lambda one: _send(one, root, uri, directory, projection), client, seconds=patience.step)


def _ask_database(uri: str) -> None:
    """Raise at once where a database does not let us in: MLflow itself would ask it again for minutes."""
    if not uri.startswith(_DATABASES):
        return
    from sqlalchemy import create_engine  # noqa: PLC0415 - comes with MLflow

    engine = create_engine(uri, connect_args={"connect_timeout": int(PROBE_SECONDS)})
    try:
        engine.connect().close()
    finally:
        engine.dispose()


@contextlib.contextmanager
def _translated(uri: str) -> Iterator[None]:
    """Turn what MLflow, its database or the network may raise into one error of ours.

    An answer that is no JSON, or JSON of another kind, reaches us as ValueError, KeyError, TypeError or AttributeError.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - heavy, see above
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - comes with MLflow, which lets its errors through

    strange = (ValueError, KeyError, TypeError, AttributeError)
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise _unreachable(uri, _spoken(error)) from error
    except ImportError as error:
        mend = "install it (for postgresql+psycopg://: pip install 'cxcausal[postgres]'), then run 'cxcausal sync'"
        raise _unreachable(uri, f"the driver '{error.name}' is not installed", mend) from error
    except strange as error:
        raise _unreachable(uri, f"it answers something else than MLflow would ({type(error).__name__})") from error


def _send(client: "MlflowClient", root: Path, uri: str, directory: Path, projection: Projection) -> str:
    """Find or create the run, fill it, and end it last."""
    experiment = _experiment(client, root, uri, projection.experiment)
    mlflow_id, complete = _run(client, experiment, projection)
    if complete:
        return mlflow_id
    _log_numbers(client, mlflow_id, projection)
    if projection.inputs:
        client.log_inputs(mlflow_id, datasets=[_dataset(item) for item in projection.inputs])
    for name in (*ARTIFACTS, *model_files(directory)):
        folder = str(Path(name).parent)
        client.log_artifact(mlflow_id, str(directory / name), None if folder == "." else folder)
    register(client, mlflow_id, directory)
    client.set_terminated(mlflow_id, status="FINISHED")
    return mlflow_id


def _experiment(client: "MlflowClient", root: Path, uri: str, name: str) -> str:
    """Return the id of MLflow's experiment, made where it is absent; a server chooses its own place for artifacts."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - heavy, see above

    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = None if is_server(uri) else (root / STATE / "artifacts" / name.removeprefix("cx/")).resolve().as_uri()
    try:
        return str(client.create_experiment(name, artifact_location=place))
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def _run(client: "MlflowClient", experiment: str, projection: Projection) -> tuple[str, bool]:
    """Return MLflow's id of this run, and whether it is there in full."""
    same = client.search_runs([experiment], filter_string=f"tags.`cx.run_id` = '{projection.run_id}'")
    if same:
        return str(same[0].info.run_id), same[0].info.status == "FINISHED"
    made = client.create_run(
        experiment, start_time=projection.started_ms, tags=dict(projection.tags), run_name=projection.run_id
    )
    return str(made.info.run_id), False


def _log_numbers(client: "MlflowClient", mlflow_id: str, projection: Projection) -> None:
    """Log params, tags and metrics in as few calls as MLflow's limits allow; the same call twice changes nothing."""
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - heavy, see above

    metrics = [Metric(key, value, projection.started_ms, 0) for key, value in projection.metrics.items()]
    params = [Param(key, value) for key, value in projection.params.items()]
    tags = [RunTag(key, value) for key, value in projection.tags.items()]
    client.log_batch(mlflow_id, metrics=metrics[:_METRICS_PER_BATCH], params=params, tags=tags)
    for start in range(_METRICS_PER_BATCH, len(metrics), _METRICS_PER_BATCH):
        client.log_batch(mlflow_id, metrics=metrics[start : start + _METRICS_PER_BATCH])


def _dataset(item: Input) -> "DatasetInput":
    """Return an input with our SHA-256: MLflow's own digest sees only the first 10,000 rows."""
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415 - heavy, see above

    source = json.dumps({"uri": item.name})
    dataset = Dataset(name=item.name, digest=item.digest, source_type="local", source=source)
    tags = [InputTag(key="mlflow.data.context", value="analysis"), InputTag(key="cx.sha256", value=item.sha256)]
    return DatasetInput(dataset=dataset, tags=tags)


@contextlib.contextmanager
def _quiet(patience: Patience) -> Iterator[None]:
    """Silence MLflow's telemetry, logs and printing, and let no request outlast our patience."""
    for name, value in _PERMANENT.items():
        os.environ.setdefault(name, value)
    wanted = {**_WHILE_TALKING, "MLFLOW_HTTP_REQUEST_TIMEOUT": f"{patience.step:g}"}
    set_here = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(set_here)
    try:
        with hushed():
            yield
    finally:
        for name in set_here:
            os.environ.pop(name, None)


def _lock_file(root: Path, uri: str) -> Path:
    """Return the lock of a store: beside a SQLite file, whose first opening two processes must not share."""
    if not is_sqlite(uri):
        return root / STATE / "mlflow.lock"
    path = sqlite_path(uri)
    return path.with_name(f"{path.name}.lock")


def _unreachable(
    uri: str, reason: str, mend: str = "the results are safe on disk; run 'cxcausal sync' when the store answers again"
) -> MachineError:
    """Return the error that says which store did not take the run."""
    return MachineError(
        Problem(
            where=without_secrets(uri),
            code="E610",
            what=f"{UNTAKEN}: {without_secrets(reason)}",
            mend=mend,
        )
    )


def _spoken(error: BaseException) -> str:
    """Return the start of an error's text; an error of ours has said it already."""
    if isinstance(error, TimeoutError):
        return str(error) or "no answer in time"
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
