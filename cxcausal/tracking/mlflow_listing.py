"""MLflow's runs as a tracking server tells them, in pages of a thousand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cxcausal.tracking.mlflow_runs import PREFIX, MlflowRun
from cxcausal.tracking.mlflow_sink import asked

_PAGE = 1_000


def runs_on_server(root: Path, uri: str) -> tuple[MlflowRun, ...]:
    """Return every run of our experiments, deleted ones as well.

    A server tells the last point of each metric, and no history of it.

    Args:
        root: the project's root, where the lock of the conversation lies.
        uri: the server's address.

    Raises:
        MachineError: the server did not answer, or refused.
    """
    return asked(root, uri, lambda client: tuple(listed(client)))


def listed(client: Any) -> Iterator[MlflowRun]:  # noqa: ANN401 - MLflow's client, or one that is watched
    """Yield the runs of our experiments.

    Args:
        client: MLflow's client.
    """
    experiments = {
        str(one.experiment_id): one for one in _pages(client.search_experiments, filter_string=f"name LIKE '{PREFIX}%'")
    }
    if not experiments:
        return
    for run in _pages(client.search_runs, experiment_ids=list(experiments)):
        experiment = experiments[str(run.info.experiment_id)]
        points = {one.key: ((one.value, one.timestamp, one.step),) for one in run.data._metric_objs}  # noqa: SLF001 - the public view has values only
        yield MlflowRun(
            mlflow_id=run.info.run_id,
            experiment=experiment.name,
            name=run.info.run_name,
            status=run.info.status,
            started_ms=run.info.start_time,
            active=run.info.lifecycle_stage == "active" and experiment.lifecycle_stage == "active",
            artifacts=run.info.artifact_uri,
            params=dict(run.data.params),
            tags=dict(run.data.tags),
            metrics=points,
            latest=points,
            inputs=frozenset(_input(one) for one in run.inputs.dataset_inputs),
        )


def _input(one: Any) -> tuple[str, str, str | None]:  # noqa: ANN401 - MLflow's record
    """Return name, digest and our SHA-256 of an input."""
    ours = next((tag.value for tag in one.tags if tag.key == "cx.sha256"), None)
    return one.dataset.name, one.dataset.digest, ours


def _pages(search: Any, **asked_for: object) -> Iterator[Any]:  # noqa: ANN401 - MLflow's methods and records
    """Yield what a search finds, page after page, deleted things as well."""
    token = None
    while True:
        page = search(**asked_for, **_deleted_too(asked_for), max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _deleted_too(asked_for: dict[str, object]) -> dict[str, object]:
    """Return the option by which MLflow shows what was deleted: it has two names."""
    from mlflow.entities import ViewType  # noqa: PLC0415 - a second to import, and only servers are asked

    return {"run_view_type" if "experiment_ids" in asked_for else "view_type": ViewType.ALL}
