"""The page on graphs: every graph on it is read, and the check or the reader says what the page says."""

import re
from pathlib import Path

import pytest

from cxcausal.checks.identification import Identification
from cxcausal.core.errors import PlanError
from cxcausal.core.spec.load import load_experiment

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/graphs.md").read_text(encoding="utf-8")
(PLAN,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"```dot\n(.*?)```\s+(?:[^`]|`[^`\n]+`)*?```text\n(.*?)```", PAGE, re.DOTALL)


def said(root: Path, plan: str) -> str:
    (root / "configs").mkdir()
    (root / "configs/project.yaml").write_text("schema_version: 1\n", encoding="utf-8")
    (root / "plan.yaml").write_text(plan, encoding="utf-8")
    try:
        spec = load_experiment(root / "plan.yaml").spec
    except PlanError as error:
        return str(error)
    return Identification(**spec.checks.get("identification", {})).judge(spec, {}).text


def test_every_graph_has_its_answer() -> None:
    assert len(EXAMPLES) == PAGE.count("```dot") == PAGE.count("```text") >= 6


@pytest.mark.parametrize(("dot", "told"), EXAMPLES)
def test_the_page_says_what_is_said(tmp_path: Path, dot: str, told: str) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs/handoff.dot").write_text(dot, encoding="utf-8")
    assert said(tmp_path, PLAN) == told.strip()


def test_the_graph_may_stand_in_the_plan_and_the_check_be_asked_for_more(tmp_path: Path) -> None:
    inside, more = re.findall(r"```yml\n(.*?)```", PAGE, re.DOTALL)
    written = re.sub(r"  graph: .*\n", inside, PLAN)
    assert "'tier' and 'complexity'" in said(tmp_path, written)
    (tmp_path / "plan.yaml").write_text(written + more, encoding="utf-8")
    spec = load_experiment(tmp_path / "plan.yaml").spec
    assert len(Identification(**spec.checks["identification"]).queries(spec)) == 1
