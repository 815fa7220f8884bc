"""What `explain` and `plan` tell of whom to contact, before there are data."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cxcausal import api
from cxcausal.cli.plan_commands import explain
from cxcausal.pipeline.whom_ahead import whom_ahead
from tests.pipeline.test_whom import ARMS, TREATMENT, spec_of

ROOT = Path(__file__).resolve().parents[2]


def test_a_plan_that_asks_nothing_is_told_nothing() -> None:
    assert whom_ahead(spec_of(policy={})) == ()


def test_aims_modifiers_costs_limits_and_rules_are_told() -> None:
    said = " ".join(whom_ahead(spec_of(effect_modifiers=["age"])))
    assert "learned from age, in net value in EUR after the cost of contact and 'churn'" in said
    assert "beyond none: EUR 3 with gig and EUR 8 with agent." in said
    assert "Limits, for the customers of the data: EUR 900 and 60 with gig." in said
    assert "Only customers with opted_out == 0" in said
    assert "'was_called', is valued" in said
    assert "No rule looks at band" in said


@pytest.mark.parametrize("with_age", [True, False])
def test_a_budget_without_costs_and_a_plan_without_modifiers_are_told_as_what_they_are(*, with_age: bool) -> None:
    arms = {name: {"share": arm["share"]} for name, arm in ARMS.items()}
    design = {"type": "randomized", "treatment": {**TREATMENT, "arms": arms}}
    said = " ".join(
        whom_ahead(spec_of(design=design, effect_modifiers=["age"] if with_age else [], covariates=[], segments=[]))
    )
    assert ("contacts count as free" in said) is with_age
    assert ("Neither a budget nor a capacity" in said) is with_age
    assert ("will not be learned" in said) is not with_age


def test_explain_and_plan_say_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("configs", "experiments"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    file = "experiments/moments_of_truth.yaml"
    told = CliRunner().invoke(explain, [file]).stdout
    assert "# Limits, for the 120,000 customers of a roll-out: EUR 150,000 and 15,000 with agent." in told
    whom = json.loads(CliRunner().invoke(explain, [file, "--json"]).stdout)["whom"]
    assert [note for note in api.plan(file).notes if note in whom] == whom
