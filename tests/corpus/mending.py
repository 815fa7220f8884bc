"""A case of the corpus as files in a folder, opened as the command line opens it, with nothing known but its words."""

import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from cxcausal.cli.errors import run_guarded
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.placing import placing
from cxcausal.data import open_dataset
from tests.corpus.case import Case

PROJECT = "schema_version: 1\norganisation: Test Mobile\n"
DESIGN = {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}}}}
CHURN = {"name": "m", "type": "proportion", "column": "churned", "desired_direction": "increase"}
USUAL: dict[str, Any] = {
    "schema_version": 1,
    "id": "case",
    "question": "Does a call keep customers?",
    "owner": "team@example.com",
    "design": DESIGN,
    "metrics": {"success": [CHURN]},
}


def told(call: Any) -> list[dict[str, str]]:
    """Return the problems that the command line prints in JSON for what a verb does; none where it succeeds."""
    printed = StringIO()
    with redirect_stdout(printed):
        code = run_guarded(call, as_json=True)
    if not code:
        return []
    errors: list[dict[str, str]] = json.loads(printed.getvalue())["errors"]
    return errors


def lay_out(case: Case, root: Path) -> Path:
    """Write a case's files and plan, and return the plan's path."""
    for name, content in case.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "configs").mkdir(exist_ok=True)
    (root / "configs" / "project.yaml").write_text(PROJECT)
    plan = {**USUAL, "data": {"source": "x.csv", "unit": "id", **case.data}, **case.plan}
    (root / "plan.yaml").write_text(yaml.safe_dump(plan, allow_unicode=True))
    return root / "plan.yaml"


def problems_of(plan: Path) -> list[dict[str, str]]:
    """Return what is wrong with a plan, or with its data where the plan is fine, as `run` prints it."""

    def opening() -> None:
        resolved = load_experiment(plan, root=plan.parent)
        with placing(resolved), open_dataset(resolved.spec, plan.parent):
            sys.stderr.flush()

    return told(opening)
