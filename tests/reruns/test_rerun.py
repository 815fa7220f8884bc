"""The verb `rerun`: what it records, refuses and returns."""

import json
from typing import Any

import pandas as pd
import pytest

from tests.e2e.project import PLAN, Project, customers


def test_a_rerun_of_the_same_data_moves_nothing(project: Project) -> None:
    plan = project.plan()
    project.data(customers())
    first = project.cx("run", plan, "--json")
    again = project.cx("rerun", "callback", "--json")
    assert (first.code, again.code) == (0, 0), again.err
    movement = again.json["movement"]
    assert movement["parent"] == first.json["run_id"]
    assert not movement["flipped"]
    (effect,) = movement["effects"]
    assert effect["change"] == 0.0
    assert [step["change"] for step in effect["steps"]] == [0.0] * 6
    assert movement["together"] is None
    assert set(movement["units"].values()) == {0}


def _started(project: Project, **changes: Any) -> str:
    plan = project.plan(**changes)
    project.data(customers())
    assert project.cx("run", plan, "--json").code == 0
    return plan


def test_an_id_or_a_path_names_the_experiment_and_nothing_else_does(project: Project) -> None:
    plan = _started(project)
    assert project.cx("rerun", plan, "--json").code == 0
    refused = project.cx("rerun", "callbak")
    assert refused.code == 2
    assert "EXPERIMENT R807" in refused.err
    assert "did you mean 'callback'?" in refused.err
    refused = project.cx("rerun", "callback", "--parent", "01J00000000000000000000000")
    assert (refused.code, "`cxcausal audit log callback` names its runs" in refused.err) == (2, True)


def test_without_a_run_there_is_nothing_to_rerun(project: Project) -> None:
    project.plan()
    project.data(customers())
    refused = project.cx("rerun", "callback")
    assert (refused.code, "R804" in refused.err, "has no finished run yet" in refused.err) == (2, True, True)
    assert "is not on this disk" not in refused.err


def test_the_ledger_names_the_parent_and_the_record_stays_sound(project: Project) -> None:
    _started(project)
    first, second = (project.cx("rerun", "callback", "--json").json for _ in range(2))
    assert second["movement"]["parent"] == first["run_id"]
    line = json.loads((project.root / "audit/ledger.jsonl").read_text().splitlines()[-1])
    assert (line["kind"], line["payload"]["parent"]) == ("rerun", first["run_id"])
    assert project.cx("audit", "verify").code == 0


def test_an_earlier_run_may_be_named(project: Project) -> None:
    plan = _started(project)
    runs = [project.cx("rerun", plan, "--json").json["run_id"] for _ in range(2)]
    named = project.cx("rerun", plan, "--parent", runs[0], "--json").json
    assert named["movement"]["parent"] == runs[0]


def test_a_parent_that_was_changed_is_refused(project: Project) -> None:
    _started(project)
    (kept,) = project.root.glob(".cxcausal/runs/callback/*/kept/units.parquet")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    refused = project.cx("rerun", "callback")
    assert (refused.code, "kept/units.parquet" in refused.err) == (7, True)


def test_without_kept_units_the_data_move_as_one(project: Project) -> None:
    _started(project, reruns={"keep_units": False})
    assert not list(project.root.glob(".cxcausal/runs/callback/*/kept"))
    project.data(customers(lift=-0.1))
    movement = project.cx("rerun", "callback", "--json").json["movement"]
    (effect,) = movement["effects"]
    assert [step["cause"] for step in effect["steps"]] == ["data"]
    assert effect["steps"][0]["change"] == pytest.approx(-0.02)
    assert movement["together"] == "the plan says reruns: {keep_units: false}"


def test_a_changed_plan_has_its_own_step(project: Project) -> None:
    _started(project)
    project.data(customers(lift=-0.1))
    project.plan(data={"source": "data/callback.csv", "unit": "customer_id", "filter": "churned >= 0 and tier == 'a'"})
    frame = customers(lift=-0.1).assign(tier=["a", "b"] * 1000)
    frame.loc[frame.tier == "a", "churned"] = 1 - frame[frame.tier == "a"].churned
    project.data(frame)
    done = project.cx("rerun", "callback", "--json")
    movement = done.json["movement"]
    (effect,) = movement["effects"]
    steps = {step["cause"]: step["change"] for step in effect["steps"]}
    whole = frame.groupby("arm").churned.mean()
    part = frame[frame.tier == "a"].groupby("arm").churned.mean()
    assert movement["plan_changed"] == ["data"]
    assert steps["plan"] == pytest.approx((part["call"] - part["none"]) - (whole["call"] - whole["none"]))
    assert sum(steps.values()) == pytest.approx(effect["change"], abs=1e-12)


def test_counts_of_fewer_than_ten_are_not_told(project: Project) -> None:
    _started(project)
    frame = customers()
    project.data(frame.drop(index=range(9)))
    movement = project.cx("rerun", "callback", "--json").json["movement"]
    assert movement["units"]["erased"] is None
    (step,) = [step for step in movement["effects"][0]["steps"] if step["cause"] == "erased"]
    assert step["units"] is None
    assert step["change"] != 0.0


def test_restated_columns_are_refused_until_somebody_says_why(project: Project) -> None:
    spend = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
    metrics = {"success": [project_metric(), spend]}
    plan = project.plan(metrics=metrics)
    frame = customers().assign(spend=lambda data: data.index % 50 + 1.0)
    project.data(frame)
    assert project.cx("run", plan).code == 0
    project.data(frame.assign(spend=frame.spend * 100))
    refused = project.cx("rerun", "callback")
    assert (refused.code, "R811" in refused.err, "column spend" in refused.err) == (4, True, True)
    done = project.cx("rerun", "callback", "--accept-changes", "cents now", "--as", "dana@example.com", "--json")
    assert done.json["movement"]["accepted"] == "cents now"
    line = json.loads((project.root / "audit/ledger.jsonl").read_text().splitlines()[-1])
    assert (line["payload"]["accepted"], line["actor"]) == ("cents now", "dana@example.com")


def test_new_customers_in_another_unit_are_refused(project: Project) -> None:
    spend = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
    plan = project.plan(metrics={"success": [project_metric(), spend]})
    frame = customers().assign(spend=lambda data: data.index % 50 + 1.0)
    project.data(frame)
    assert project.cx("run", plan).code == 0
    cents = customers(prefix="NEW").assign(spend=lambda data: 100 * (data.index % 50 + 1.0))
    project.data(pd.concat([frame, cents]))
    refused = project.cx("rerun", "callback")
    assert (refused.code, "R812" in refused.err) == (4, True)


def test_other_arms_are_another_experiment(project: Project) -> None:
    _started(project)
    treatment = {"column": "arm", "control": "call", "arms": {"none": {"share": "1/2"}, "call": {"share": "1/2"}}}
    project.plan(design={"type": "randomized", "treatment": treatment})
    refused = project.cx("rerun", "callback")
    assert (refused.code, "R810" in refused.err) == (3, True)


@pytest.mark.parametrize(("day", "code"), [("2026-13-01", "R805"), ("2026-11-01", "R806")])
def test_a_data_cut_must_be_a_date_that_means_something(project: Project, day: str, code: str) -> None:
    _started(project)
    refused = project.cx("rerun", "callback", "--data-cut", day)
    assert (refused.code, code in refused.err) == (2, True)


def test_kept_units_go_when_their_time_is_over(project: Project) -> None:
    _started(project, reruns={"keep_days": 0})
    (before,) = project.root.glob(".cxcausal/runs/callback/*/kept/units.parquet")
    again = project.cx("run", "experiments/callback.yaml")
    assert again.code == 0, again.err
    assert not before.exists()
    assert project.cx("audit", "verify").code == 0
    kinds = [json.loads(line)["kind"] for line in (project.root / "audit/ledger.jsonl").read_text().splitlines()]
    assert kinds.count("erase") == 1
    (before.parent / "removed.json").unlink()
    assert project.cx("audit", "verify").code == 7


def project_metric() -> dict[str, Any]:
    (metric,) = PLAN["metrics"]["success"]
    return dict(metric)


def test_what_was_promised_is_held_against_a_hold_out(project: Project) -> None:
    _started(project)
    frame = customers(prefix="LATER", lift=-0.01)
    held = pd.concat([frame[frame.arm == "call"], frame[frame.arm == "none"].iloc[::2]])
    project.data(held, "data/after.csv")
    found = project.cx("rerun", "callback", "--holdout", "--on", "data/after.csv", "--json")
    assert found.code == 0, found.err
    (promise,) = found.json["promises"]
    rates = held.groupby("arm").churned.mean()
    assert (promise["promised"], promise["shown"]) == pytest.approx((-0.08, rates["call"] - rates["none"]))
    variances = [0.2 * 0.8 / 1000 * 1000 / 999, 0.12 * 0.88 / 999]
    assert promise["promised_high"] - promise["promised"] == pytest.approx(1.959964 * sum(variances) ** 0.5, rel=0.01)
    assert not promise["kept"]
    assert "not as promised" in promise["sentence"]
    line = json.loads((project.root / "audit/ledger.jsonl").read_text().splitlines()[-1])
    assert line["kind"] == "score"
    assert project.cx("audit", "verify").code == 0


def test_a_hold_out_without_the_arm_is_refused(project: Project) -> None:
    _started(project)
    frame = customers(prefix="LATER")
    project.data(frame[frame.arm == "none"], "data/after.csv")
    refused = project.cx("rerun", "callback", "--holdout", "--on", "data/after.csv")
    assert (refused.code, "R815" in refused.err) == (4, True)


def test_another_experiment_with_the_same_customers_is_named(project: Project) -> None:
    _started(project)
    project.plan(name="email", id="email", data={"source": "data/email.csv", "unit": "client"})
    both = customers().rename(columns={"customer_id": "client"})
    others = customers(prefix="X").rename(columns={"customer_id": "client"})
    project.data(pd.concat([both[::10], others]), "data/email.csv")
    assert project.cx("run", "experiments/email.yaml").code == 0
    movement = project.cx("rerun", "callback", "--json").json["movement"]
    (overlap,) = movement["overlaps"]
    assert (overlap["experiment"], overlap["units"]) == ("email", 200)


def test_reading_once_more_raises_the_chance_of_a_false_alarm(project: Project) -> None:
    _started(project)
    same = project.cx("rerun", "callback", "--json").json["movement"]["looks"]
    assert (same["readings"], same["false_alarm"]) == (1, 0.05)
    project.data(customers(2400))
    fresh = project.cx("rerun", "callback", "--json").json["movement"]["looks"]
    assert fresh["readings"] == 2
    assert fresh["false_alarm"] == pytest.approx(0.0831, abs=1e-4)
