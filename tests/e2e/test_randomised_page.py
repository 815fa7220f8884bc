"""The page on randomised experiments: every example runs, has the rows that the page names, and refuses as it says."""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import ROOT, Project, new_project

PAGE = (ROOT / "docs/randomised.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
EXAMPLES = [
    pytest.param(title, block, id=f"{title.split(':')[0]} {at}")
    for title, part in SECTIONS.items()
    for at, block in enumerate(re.findall(r"```yml\n(.*?)```", part, re.DOTALL))
]
CUSTOMERS = 1200
LATER = 31
"""The day of enrolment from which the ramp-up's second split holds."""


@pytest.fixture
def project(tmp_path: Path, mlflow_template: Path) -> Project:
    return new_project(tmp_path / "project", mlflow_template)


def customers(*, ramped: bool = False) -> pd.DataFrame:
    """Return customers of households of two, half of them called; in a ramp-up a tenth of January's."""
    rng = np.random.default_rng(21)
    home = np.arange(CUSTOMERS) // 2
    day = rng.permutation(np.arange(CUSTOMERS // 2) % 90)[home]
    called = home % 2 == 1
    if ramped:
        called = rng.permutation(CUSTOMERS) % 10 < np.where(day < LATER, 1, 5)
    answered, mood = rng.random(CUSTOMERS) < 0.6, rng.normal(size=CUSTOMERS)
    before = rng.gamma(2.0, 20.0, CUSTOMERS).round(2)
    return pd.DataFrame(
        {
            "customer": [f"C{at:05d}" for at in range(CUSTOMERS)],
            "household": [f"H{at}" for at in home],
            "agent": [f"A{at}" for at in rng.integers(0, 60, CUSTOMERS)],
            "arm": np.where(called, "call", "none"),
            "entered": (pd.Timestamp("2026-01-01") + pd.to_timedelta(day, unit="D")).strftime("%Y-%m-%d"),
            "extracted": "2026-08-31",
            "region": np.where(home % 4 < 2, "north", "south"),
            "tier": rng.choice(["gold", "plus"], CUSTOMERS),
            "churned": (rng.random(CUSTOMERS) < 0.3 - 0.06 * called).astype(int),
            "spend_before": before,
            "spend": ((before + rng.gamma(2.0, 8.0, CUSTOMERS)) * (rng.random(CUSTOMERS) < 0.8)).round(2),
            "orders": rng.poisson(2.0, CUSTOMERS),
            "minutes": rng.gamma(2.0, 3.0, CUSTOMERS).round(2),
            "answered": answered.astype(int),
            "csat": np.where(answered, np.clip(np.round(3 + mood), 1, 5), np.nan),
            "recommend": np.where(answered, np.clip(np.round(7 + 2 * mood), 0, 10), np.nan),
            "reached": (rng.random(CUSTOMERS) < np.where(called, 0.6, 0.05)).astype(int),
        }
    )


def laid_over(project: Project, block: str) -> str:
    """Write the page's plan with the blocks that an example replaces, word for word, and return its path."""
    (least,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    parts = (part for text in (least, block) for part in re.split(r"^(?=\w)", text, flags=re.MULTILINE))
    blocks = {part.partition(":")[0]: part for part in parts}
    path = "experiments/calls.yaml"
    project.write(path, "".join(blocks.values()))
    return path


@pytest.mark.parametrize(("title", "block"), EXAMPLES)
def test_every_example_has_the_rows_that_the_page_names(project: Project, title: str, block: str) -> None:
    project.data(customers(ramped="epochs" in block), "data/calls.csv")
    done = project.cx("run", laid_over(project, block), "--json", "--quiet")
    assert done.code == 0, done.err
    rows = [row for row in done.json["effects"] if (row["population"], row["scale"]) == ("all", "absolute")]
    found = {(row["metric"], row["method"]) for row in rows if row["status"] == "ok"}
    named = set(re.findall(r"^\| `([\w.]+)` `(\w+)` \|", SECTIONS[title], re.MULTILINE))
    assert named
    assert named <= found, done.json["notes"]


def test_the_least_plan_runs_and_is_refused_before_its_time(project: Project) -> None:
    project.data(customers(), "data/calls.csv")
    assert project.cx("run", laid_over(project, ""), "--json", "--quiet").code == 0
    assert project.cx("run", laid_over(project, "analysis: {horizon: {date: 2026-12-31}}\n")).code == 5


def test_looks_that_change_nothing_are_noted(project: Project) -> None:
    project.data(customers(), "data/calls.csv")
    done = project.cx("run", laid_over(project, "analysis: {looks: [2026-03-01]}\n"), "--json", "--quiet")
    assert any("Looks are planned, but with peeking: fixed_horizon" in note for note in done.json["notes"])


def test_reasons_on_the_page_are_said_by_the_code() -> None:
    reasons = re.findall(r'^\| .* \| "(.*?)"', PAGE, re.MULTILINE)
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "cxcausal/estimators").glob("*.py"))
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    said = " ".join(text for text in texts if isinstance(text, str))
    assert len(reasons) > 5
    for reason in reasons:
        subject, _, rest = reason.partition("this version does not adjust ")
        assert (rest or subject) in said, reason
