"""A run's model in MLflow's registry: one version per run, and an alias for the newest."""

from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.tracking.model_folder import MODEL, facts_in
from cxcausal.tracking.projection import slug

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CANDIDATE = "candidate"
"""The alias of the newest run's model; `champion` and others are people's to give."""
_RUN = "cx.run_id"


def registered_name(experiment: str) -> str:
    """Return how an experiment's models are named in the registry."""
    return f"cx-{slug(experiment)}"


def register(client: "MlflowClient", mlflow_id: str, directory: Path) -> None:
    """Make a version of the model that was logged with a run, unless there is one, and move the alias forward.

    Args:
        client: of the store.
        mlflow_id: MLflow's id of the run, whose artifacts hold the model.
        directory: the run's folder; without a model nothing is done.
    """
    facts = facts_in(directory)
    if facts is None:
        return
    name = registered_name(facts.experiment)
    versions = _versions(client, name)
    mine = next((one for one in versions if one.tags.get(_RUN) == facts.run_id), None)
    if mine is None:
        source = f"{client.get_run(mlflow_id).info.artifact_uri}/{MODEL}"
        tags = {
            _RUN: facts.run_id,
            "cx.plan_hash": facts.plan_hash,
            "cx.verdict": facts.verdict,
            "cx.grade": facts.grade,
            "cx.rule": facts.rule,
        }
        mine = client.create_model_version(name, source, run_id=mlflow_id, tags=tags)
    if all(one.tags.get(_RUN, "") <= facts.run_id for one in versions):
        client.set_registered_model_alias(name, CANDIDATE, mine.version)


def _versions(client: "MlflowClient", name: str) -> "tuple[ModelVersion, ...]":
    """Return the versions that a registered model has; it is made where it is absent."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - heavy

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return tuple(client.search_model_versions(f"name = '{name}'"))
    return ()
