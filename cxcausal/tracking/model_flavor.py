"""The model's folder as a pyfunc of MLflow: signature, example of made-up values and pinned packages; no pickle."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import move
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from cxcausal.core.model_facts import GAIN, ModelFacts
from cxcausal.tracking.hush import hushed

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

LOADER = "cxcausal.tracking.whom_model"
"""By name: code that lay in the folder would leave its bytecode there whenever somebody loads it."""
_PACKAGES = ("cxcausal", "lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "scipy")
_EXAMPLES = 2


class Seen(Protocol):
    """A modifier, as the signature needs it."""

    @property
    def name(self) -> str:
        """The column."""

    @property
    def kind(self) -> str:
        """`number` or `text`."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The texts that the model tells apart."""


def write_flavor(folder: Path, facts: ModelFacts, modifiers: tuple[Seen, ...]) -> None:
    """Write what MLflow needs beside a model's own files; its folder is then a model of MLflow by itself.

    Args:
        folder: holds the model's own files.
        facts: what stands beside the model.
        modifiers: its columns, in its order.
    """
    with TemporaryDirectory() as place, _quietly():
        import mlflow.pyfunc  # noqa: PLC0415 - seconds to import, and it warns of its own types

        made = Path(place) / "made"
        mlflow.pyfunc.save_model(
            path=str(made),
            loader_module=LOADER,
            signature=_signature(facts, modifiers),
            input_example=_example(modifiers),
            metadata={"modifiers": {one.name: one.kind for one in modifiers}},
            pip_requirements=requirements(),
        )
        for path in sorted(made.iterdir()):
            move(path, folder / path.name)


def requirements() -> list[str]:
    """Return the packages that a prediction needs, each at the version of now."""
    return [f"{name}=={found}" for name in _PACKAGES if (found := _version(name)) is not None]


def _signature(facts: ModelFacts, modifiers: tuple[Seen, ...]) -> "ModelSignature":
    from mlflow.models import ModelSignature  # noqa: PLC0415 - as above
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415 - as above
    from mlflow.types.schema import AnyType  # noqa: PLC0415 - as above

    # What MLflow refuses it prints, customers and all, and whole numbers are no doubles to it: so `whom_model` checks.
    inputs = [ColSpec(AnyType(), one.name, required=False) for one in modifiers]
    numbers = ("expected_effect", "low", "high", *(f"{GAIN}{arm}" for arm in facts.arms[1:]))
    outputs = [ColSpec("string", "arm"), *(ColSpec("double", name) for name in numbers)]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _example(modifiers: tuple[Seen, ...]) -> "pd.DataFrame":
    """Return rows of nobody: small whole numbers, and texts that are levels of the model."""
    import pandas as pd  # noqa: PLC0415 - heavy

    columns: dict[str, Any] = {}
    for one in modifiers:
        levels = one.levels or ("",)
        texts = [levels[at % len(levels)] for at in range(_EXAMPLES)]
        columns[one.name] = [float(at) for at in range(_EXAMPLES)] if one.kind == "number" else texts
    return pd.DataFrame(columns)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep MLflow's advice from stderr."""
    with hushed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
