"""One wrong key does not hide what else is wrong in its section, and makes nothing up either."""

from pathlib import Path

import pytest

from cxcausal.core.errors import PlanError
from cxcausal.core.spec.load import load_experiment

PLAN = """schema_version: 1
id: several
question: Does a call keep customers?
owner: team@example.com
data:
  source: data/x.parquet
  unit: customer_id
design:
  type: randomized
  treatment:
    column: arm
    control: none
    received: reached
    arms:
      none: {share: 1/2}
      call: {share: 1/2, unit_cost: 3, cost_basis: received, capacity: 100}
covariates: [tenure]
effect_modifiers: [tenure]
metrics:
  success:
    - {name: churn, type: proportion, column: churned, desired_direction: decrease}
analysis: {peeking: group_sequential, horizon: {date: 2026-12-20}, looks: [2026-11-01, 2026-12-01]}
policy: {eligible: tenure > 1, budget: 100, protected: [band]}
"""


def codes_of(tmp_path: Path, *changes: str) -> list[str]:
    text = PLAN
    for old, new in (change.split(" -> ") for change in changes):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    try:
        load_experiment(tmp_path / "plan.yaml", root=tmp_path)
    except PlanError as error:
        return [problem.code for problem in error.problems]
    return []


def test_the_plan_itself_is_valid(tmp_path: Path) -> None:
    assert codes_of(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        (["call: {share: 1/2 -> call: {share: 1/3", "capacity: 100 -> capacity: many"], ["P305", "P204"]),
        (["control: none -> control: nobody", "type: randomized -> type: randomized\n  colour: red"], ["P201", "P301"]),
        (["eligible: tenure > 1 -> eligible: churned == 0", "budget: 100 -> budgett: 100"], ["P310", "P201"]),
        (["protected: [band] -> protected: [tenure]", "budget: 100 -> budget: lots"], ["P393", "P204"]),
        (["unit: customer_id -> unit: customer_id\n  filter: open(1)\n  colour: red"], ["P319", "P201"]),
        (["looks: [2026-11-01, 2026-12-01] -> looks: [2026-12-01, 2026-11-01], alpha: x"], ["P322", "P204"]),
    ],
)
def test_errors_of_meaning_and_of_shape_in_one_section_are_told_together(
    tmp_path: Path, changes: list[str], codes: list[str]
) -> None:
    assert sorted(codes_of(tmp_path, *changes)) == sorted(codes)


@pytest.mark.parametrize(
    "change",
    [
        "received: reached -> recieved: reached",
        "received: reached -> received: [reached, again]",
        "none: {share: 1/2} -> none: {share: half}",
        "none: {share: 1/2} -> none: 7",
        "none: {share: 1/2} -> none: {share: 1/4}\n      gig: 1/4",
        "looks: [2026-11-01, 2026-12-01] -> looks: [2026-11-01, soon]",
        "looks: [2026-11-01, 2026-12-01] -> loks: [2026-11-01, 2026-12-01]",
        "control: none -> control: [none]",
        "horizon: {date: 2026-12-20} -> horizon: {dat: 2026-12-20}",
    ],
)
def test_what_may_follow_from_what_could_not_be_read_is_not_told(tmp_path: Path, change: str) -> None:
    assert len(codes_of(tmp_path, change)) == 1
