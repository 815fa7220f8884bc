"""The command line keeps the contract: result keys, disk layout, exit codes, registration, nothing personal."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxcausal.core.results import CheckResult, Estimate
from tests.e2e.project import PLAN, Project, customers

RESULT_KEYS = {
    "schema_version", "run_id", "experiment", "verdict", "recommended_arm", "arms", "grade", "capped_by", "registered",
    "report", "effects", "checks", "value", "policy", "errors",
}  # fmt: skip
EFFECT_KEYS = {
    "metric", "role", "arm", "control", "estimand", "population", "scale", "method", "adjustment", "trimming", "point",
    "low", "high", "level", "se", "p", "p_adjusted", "n_treated", "n_control", "mean_treated", "mean_control", "unit",
    "headline", "status", "reason",
}  # fmt: skip
CHECK_KEYS = {"name", "verdict", "on_breach", "value", "threshold", "p", "text"}

RISK = {"column": "risk", "cutoff": 0.35, "treated": "above"}


def _ran(project: Project, path: str, *, code: int = 0) -> Any:
    done = project.cx("run", path, "--json")
    assert done.code == code, done.err
    return done.json


def _registered_run(project: Project, frame: pd.DataFrame, **changes: Any) -> Any:
    path = project.plan(**changes)
    assert project.cx("register", path).code == 0
    project.data(frame)
    return _ran(project, path)


def test_a_registered_plan_ships_and_lies_where_the_contract_says(project: Project) -> None:
    result = _registered_run(project, customers())
    assert set(result) >= RESULT_KEYS
    assert result["verdict"] == "ship"
    assert result["recommended_arm"] == "call"
    assert result["registered"] is True
    assert result["grade"] == "A"
    assert result["errors"] == []
    assert {key for row in result["effects"] for key in row} >= EFFECT_KEYS
    assert {key for row in result["checks"] for key in row} == CHECK_KEYS
    run = project.root / f".cxcausal/runs/callback/{result['run_id']}"
    assert {path.name for path in run.iterdir()} >= {"plan", "stages", "results", "report", "manifest.json"}
    page = project.root / str(result["report"])
    assert page == project.root / f"reports/callback/{result['run_id']}/index.html"
    assert page.read_bytes() == (run / "report/index.html").read_bytes()
    ledger = [json.loads(line) for line in (project.root / "audit/ledger.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in ledger] == ["register", "analyse"]
    assert json.loads((run / "results/results.json").read_text())["run_id"] == result["run_id"]


def test_records_hold_the_keys_of_the_contract() -> None:
    assert {field.name for field in fields(Estimate)} >= EFFECT_KEYS
    assert {field.name for field in fields(CheckResult)} == CHECK_KEYS


def test_an_effect_by_hand(project: Project) -> None:
    result = _registered_run(project, customers(2000, base=0.2, lift=-0.08))
    row = next(r for r in result["effects"] if r["scale"] == "absolute")
    variance = (0.2 * 0.8 + 0.12 * 0.88) / 999
    assert row["point"] == pytest.approx(-0.08, abs=1e-12)
    assert row["se"] == pytest.approx(variance**0.5, rel=1e-12)
    assert (row["n_treated"], row["n_control"], row["mean_control"]) == (1000, 1000, 0.2)
    assert row["headline"] is True
    worth = result["value"]["arms"][0]["net_per_customer"]["central"]
    assert worth["point"] == pytest.approx(0.08 * 180 - 1, abs=1e-9)


def test_without_registration_a_pilot_at_most(project: Project) -> None:
    path = project.plan()
    project.data(customers())
    result = _ran(project, path)
    assert (result["verdict"], result["registered"]) == ("pilot", False)
    assert "not registered" in str(result["capped_by"])


def test_a_changed_plan_is_not_the_registered_one(project: Project) -> None:
    assert project.cx("register", project.plan()).code == 0
    project.data(customers())
    result = _ran(project, project.plan(analysis={"alpha": 0.2}))
    assert (result["verdict"], result["registered"]) == ("pilot", False)


def test_registering_after_the_outcomes_is_refused_and_writes_nothing(project: Project) -> None:
    path = project.plan()
    project.data(customers())
    before = project.fingerprint()
    done = project.cx("register", path)
    assert done.code == 5
    assert "retrospective: true" in done.err
    assert project.fingerprint() == before
    assert project.cx("register", project.plan(retrospective=True)).code == 0


def test_registering_before_the_outcome_columns_exist_is_fine(project: Project) -> None:
    project.data(customers().drop(columns="churned"))
    assert project.cx("register", project.plan()).code == 0


def test_registering_twice_changes_nothing(project: Project) -> None:
    path = project.plan()
    assert "registered:" in project.cx("register", path).out
    before = project.fingerprint()
    assert "already" in project.cx("register", path).out
    assert project.fingerprint() == before


def test_a_failed_gate_withholds_the_verdict_with_exit_5(project: Project) -> None:
    frame = customers(4000)
    result_frame = pd.concat([frame[frame.arm == "none"], frame[frame.arm == "call"].head(1700)])
    path = project.plan()
    project.data(result_frame)
    result = _ran(project, path, code=5)
    assert (result["verdict"], result["grade"], result["recommended_arm"]) == ("no_decision", "D", None)
    srm = next(check for check in result["checks"] if check["name"] == "srm")
    assert srm["verdict"] == "fail"
    assert "NO DECISION" in (project.root / str(result["report"])).read_text(encoding="utf-8").upper()


def test_a_customer_in_two_arms_withholds_the_verdict(project: Project) -> None:
    frame = customers()
    twice = frame.head(1).assign(arm="call")
    project.data(pd.concat([frame, twice]))
    result = _ran(project, project.plan(), code=5)
    verdicts = {check["name"]: check["verdict"] for check in result["checks"]}
    assert verdicts["mixed_assignment"] == "fail"


def test_a_repeated_customer_is_refused_by_row_and_without_the_id(project: Project) -> None:
    frame = customers()
    project.data(pd.concat([frame, frame.head(1)]))
    path = project.plan()
    before = project.fingerprint()
    done = project.cx("run", path)
    assert done.code == 4
    assert "row" in done.err
    assert "CUST" not in done.err + done.out
    assert project.fingerprint() == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", "experiments/absent.yaml"), 3),
        (("run",), 2),
        (("rnu", "x.yaml"), 2),
        (("run", "experiments/bad.yaml"), 3),
        (("run", "experiments/callback.yaml", "--on", "absent.csv"), 4),
        (("run", "experiments/later.yaml"), 3),
    ],
)
def test_errors_have_their_exit_code_one_json_object_and_leave_the_record_alone(
    project: Project, words: tuple[str, ...], code: int
) -> None:
    path = project.plan()
    project.plan(name="later", design={**PLAN["design"], "type": "threshold", "running": RISK})
    project.write("experiments/bad.yaml", "schema_version: 1\nid: x y\n")
    project.data(customers())
    assert project.cx("run", path, "--quiet").code == 0
    before = project.fingerprint()
    done = project.cx(*words, "--json")
    assert done.code == code
    assert len(done.json["errors"]) >= 1
    assert re.search(r" [A-Z]\d{3} .+ — .+", done.err)
    assert project.fingerprint() == before


def test_an_unbuilt_design_validates_and_says_so_at_run(project: Project) -> None:
    design = {**PLAN["design"], "type": "threshold", "running": RISK}
    path = project.plan(design=design)
    project.data(customers())
    assert project.cx("validate", path).code == 0
    done = project.cx("run", path)
    assert done.code == 3
    assert "threshold" in done.err
    assert "can't run" in done.err


def test_no_customer_id_anywhere_in_the_record(project: Project) -> None:
    canary = "canary-7f3a"
    frame = customers(2000, prefix=canary)
    frame["household_id"] = [f"{canary}-house-{i // 2}" for i in range(len(frame))]
    frame["mail"] = [f"{canary}{i}@mail.example" for i in range(len(frame))]
    frame.loc[frame.arm == "call", "household_id"] += "b"
    data = {**PLAN["data"], "randomization_unit": "household_id"}
    result = _registered_run(project, frame, data=data)
    assert result["verdict"] == "ship"
    for path in project.root.rglob("*"):
        if path.is_file() and path.parent.name != "data":
            assert canary.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("control", ["aaa", "mmm", "zzz", "1", "NO", "none"])
def test_where_the_control_sorts_changes_nothing(project: Project, control: str) -> None:
    arms = {"bot": {"share": "1/3"}, control: {"share": "1/3"}, "zebra": {"share": "1/3"}}
    frame = customers(3000)
    frame["arm"] = [("bot", control, "zebra")[i % 3] for i in range(3000)]
    project.data(frame)
    treatment = {"column": "arm", "control": control, "arms": arms}
    result = _ran(project, project.plan(design={"type": "randomized", "treatment": treatment}))
    rows = {row["arm"]: row for row in result["effects"] if row["scale"] == "absolute"}
    means = frame.groupby("arm").churned.mean()
    assert set(rows) == {"bot", "zebra"}
    for arm, row in rows.items():
        assert row["control"] == control
        assert row["point"] == pytest.approx(means[arm] - means[control], abs=1e-12)


def test_the_same_numbers_from_any_order_of_rows_and_columns(project: Project) -> None:
    frame = customers(3000)
    frame["spend"] = [((i * 7919) % 1000) ** 2 / 977 for i in range(3000)]
    metrics = {
        **PLAN["metrics"],
        "secondary": [{"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}],
    }
    path = project.plan(metrics=metrics)
    project.data(frame)
    first = _ran(project, path)
    shuffled = frame.sample(frac=1, random_state=4)[["spend", "churned", "customer_id", "arm"]]
    project.data(shuffled, "data/shuffled.csv")
    shuffled.to_parquet(project.root / "data/shuffled.parquet")
    for name in ("data/shuffled.csv", "data/shuffled.parquet"):
        again = project.cx("run", path, "--on", name, "--json").json
        assert again["effects"] == first["effects"], name
        assert again["value"] == first["value"], name


def test_an_empty_folder_is_enough_to_begin(tmp_path: Path) -> None:
    project = Project(root=tmp_path)
    assert project.cx("new", "first-try").code == 0
    assert project.cx("validate", "experiments/first_try.yaml").code == 0


def test_repeated_customers_are_let_in_only_as_clusters(project: Project) -> None:
    frame = customers()
    project.data(pd.concat([frame, frame]))
    result = _ran(project, project.plan(checks={"duplicates": {"on_breach": "warn"}}))
    row = next(r for r in result["effects"] if r["scale"] == "absolute")
    assert row["n_treated"] == 2000
    assert row["se"] == pytest.approx(((0.2 * 0.8 + 0.12 * 0.88) / 999) ** 0.5, rel=1e-3)
    assert {c["name"]: c["verdict"] for c in result["checks"]}["duplicates"] == "warn"


def test_audit_verify_finds_a_changed_number(project: Project) -> None:
    result = _registered_run(project, customers())
    assert project.cx("audit", "verify", "--json").json["runs"] == 1
    kept = project.root / f".cxcausal/runs/callback/{result['run_id']}/results/results.json"
    kept.write_text(kept.read_text().replace('"verdict":"ship"', '"verdict":"stop"'))
    done = project.cx("audit", "verify")
    assert done.code == 7
    assert "results.json" in done.err


def test_list_shows_the_latest_verdict(project: Project) -> None:
    result = _registered_run(project, customers())
    listed = project.cx("list", "--json").json["experiments"]
    assert [(row["id"], row["verdict"], row["run_id"]) for row in listed] == [("callback", "ship", result["run_id"])]
