"""The README promises only what is there."""

import re
from pathlib import Path

import pytest

from cxcausal.cli import VERBS
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.reference import plan_reference

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_plan_in_the_readme_is_valid(tmp_path: Path) -> None:
    (plan,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "plan.yaml"
    path.write_text(plan, encoding="utf-8")
    assert load_experiment(path, root=tmp_path).spec.arms == ("none", "call")


def test_every_command_exists() -> None:
    verbs = set(re.findall(r"^cxcausal (\w+)", README, re.MULTILINE))
    assert verbs
    assert verbs <= set(VERBS)
    table = {name for row in re.findall(r"^\| (`.*?) \|", README, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    assert table == set(VERBS)
    assert set(re.findall(r"make (\w+)  ", README)) <= set(TARGETS)


def test_the_reference_of_plans_is_that_of_this_version() -> None:
    """`cxcausal schema --markdown --out docs/plan.md` renews it."""
    assert (ROOT / "docs/plan.md").read_text(encoding="utf-8") == plan_reference()


@pytest.mark.parametrize("name", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_link_leads_somewhere(name: str) -> None:
    assert (ROOT / name).exists()
