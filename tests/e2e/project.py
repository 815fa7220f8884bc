"""A throw-away project on disk, and the command line run in it as its users run it."""

import contextlib
import io
import json
import shutil
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from cxcausal.cli import main

ROOT = Path(__file__).resolve().parents[2]
PLAN: dict[str, Any] = {
    "schema_version": 1,
    "id": "callback",
    "question": "Does a call within a day keep customers?",
    "owner": "retention@example.com",
    "data": {"source": "data/callback.csv", "unit": "customer_id"},
    "design": {
        "type": "randomized",
        "treatment": {
            "column": "arm",
            "control": "none",
            "arms": {"none": {"share": "1/2"}, "call": {"share": "1/2", "unit_cost": 1}},
        },
    },
    "metrics": {
        "success": [
            {
                "name": "churn",
                "type": "proportion",
                "column": "churned",
                "desired_direction": "decrease",
                "money": {"per_unit": 180},
            }
        ]
    },
}


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A root folder with a project file and, where given, an MLflow store that is migrated already."""

    root: Path

    def cx(self, *words: str) -> Finished:
        """Run one command in the project's root, in this process: a new one would import for seconds."""
        out, err = io.StringIO(), io.StringIO()
        hook = sys.excepthook
        with contextlib.chdir(self.root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(words)
            except SystemExit as left:
                code = int(left.code or 0)
            finally:
                sys.excepthook = hook
        return Finished(code=code, out=out.getvalue(), err=err.getvalue())

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def plan(self, *, name: str = "callback", **changes: Any) -> str:
        """Write the small plan with top-level blocks replaced; JSON is YAML."""
        path = f"experiments/{name}.yaml"
        self.write(path, json.dumps({**PLAN, **changes}, indent=1))
        return path

    def data(self, frame: pd.DataFrame, name: str = "data/callback.csv") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, index=False)

    def fingerprint(self) -> dict[str, str]:
        """Hash every file of the record: state, ledger and reports."""
        kept = [path for part in (".cxcausal", "audit", "reports") for path in (self.root / part).rglob("*")]
        files = (path for path in kept if path.is_file() and "tmp" not in path.parts)
        return {str(path.relative_to(self.root)): sha256(path.read_bytes()).hexdigest() for path in files}


def new_project(root: Path, mlflow_template: Path) -> Project:
    """Make a project of the repository's configuration, with nothing analysed yet."""
    shutil.copytree(ROOT / "configs", root / "configs")
    (root / ".cxcausal").mkdir()
    shutil.copy(mlflow_template, root / ".cxcausal/mlflow.db")
    return Project(root=root)


def customers(n: int = 2000, *, base: float = 0.2, lift: float = -0.08, prefix: str = "CUST") -> pd.DataFrame:
    """Return n customers, half of them called, with exact churn rates in either arm."""
    half = n // 2
    churned = [i < round(base * half) for i in range(half)] + [i < round((base + lift) * half) for i in range(half)]
    return pd.DataFrame(
        {
            "customer_id": [f"{prefix}{i:07d}" for i in range(n)],
            "arm": ["none"] * half + ["call"] * half,
            "churned": [int(value) for value in churned],
        }
    )
