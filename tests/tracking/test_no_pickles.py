"""Nothing that is logged or loaded needs a pickle: the whole suite runs with MLflow forbidding them."""

import ast
import os
from pathlib import Path

import cxcausal

FLAG = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
PICKLERS = frozenset({"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal"})
SOURCES = tuple(Path(cxcausal.__file__).parent.rglob("*.py"))


def test_mlflow_is_told_to_refuse_pickles() -> None:
    from mlflow.environment_variables import MLFLOW_ALLOW_PICKLE_DESERIALIZATION  # noqa: PLC0415 - a second

    assert os.environ[FLAG] == "false"
    assert MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get() is False


def test_the_product_neither_sets_that_nor_pickles() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert FLAG not in text, path
        assert not PICKLERS & _imported(ast.parse(text)), path


def _imported(tree: ast.Module) -> set[str]:
    """Return the top packages that a module imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
