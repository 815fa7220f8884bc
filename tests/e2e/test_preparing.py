"""`plan` and `assign` through the command line: past data, stated numbers, files, the ledger and exit codes."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.errors import DataError
from cxcausal.preparing import assign
from tests.e2e.project import PLAN, Project

METRICS: dict[str, Any] = {
    "success": [
        {
            "name": "churn",
            "type": "proportion",
            "column": "churned",
            "desired_direction": "decrease",
            "mde": {"absolute": 0.02},
            "window": {"end": "28d"},
        }
    ],
    "guardrails": [
        {
            "name": "csat",
            "type": "ordinal",
            "column": "csat",
            "desired_direction": "increase",
            "response": "answered",
            "margin": {"absolute": 0.2},
        }
    ],
    "secondary": [
        {
            "name": "margin",
            "type": "mean",
            "column": "margin",
            "desired_direction": "increase",
            "covariate": "before",
        },
        {
            "name": "aov",
            "type": "ratio",
            "numerator": "revenue",
            "denominator": "orders",
            "desired_direction": "increase",
        },
    ],
}
BY_HOUSEHOLD = {**PLAN["data"], "randomization_unit": "household_id"}


def _past(n: int = 3_000) -> pd.DataFrame:
    """Return customers of households, whose margin shares a part; no arm, no id, no date."""
    rng = np.random.default_rng(3)
    household = np.repeat(np.arange(n), rng.integers(1, 4, n))[:n]
    shared = rng.normal(0, 6, n)[household]
    before = rng.normal(30, 8, n)
    answered = rng.random(n) < 0.4
    orders = rng.poisson(2, n)
    return pd.DataFrame(
        {
            "household_id": [f"h{number}" for number in household],
            "churned": (rng.random(n) < 0.14).astype(int),
            "margin": before + shared + rng.normal(0, 4, n),
            "before": before,
            "answered": answered.astype(int),
            "csat": np.where(answered, rng.integers(1, 6, n), np.nan),
            "orders": orders,
            "revenue": orders * rng.normal(25, 3, n),
        }
    )


def _planned(project: Project, path: str, *words: str) -> Any:
    done = project.cx("plan", path, *words, "--json")
    assert done.code == 0, done.err
    return done.json


def _rows(result: Any) -> dict[str, Any]:
    return {row["metric"]: row for row in result["rows"]}


def test_past_data_give_the_moments_of_every_metric(project: Project) -> None:
    past = _past()
    project.data(past, "data/past.csv")
    path = project.plan(data=BY_HOUSEHOLD, metrics=METRICS)
    result = _planned(project, path, "--history", "data/past.csv", "--units-per-week", "500")
    rows = _rows(result)
    assert result["units"] == len(past)
    assert result["answer"] == "cannot_answer"
    assert rows["churn"]["base"] == pytest.approx(past.churned.mean())
    assert rows["csat"]["share_with_value"] == pytest.approx(past.answered.mean())
    assert rows["csat"]["sd"] == pytest.approx(past.csat.std())
    assert rows["margin"]["rho"] == pytest.approx(past.margin.corr(past.before))
    assert rows["margin"]["base"] == pytest.approx(past.margin.mean())
    ratio = past.revenue.sum() / past.orders.sum()
    assert rows["aov"]["base"] == pytest.approx(ratio)
    assert rows["aov"]["sd"] == pytest.approx((past.revenue - ratio * past.orders).std() / past.orders.mean())
    sizes = past.groupby("household_id").size()
    icc = 36 / (36 + 16 + 64)
    effect = 1 + (sizes.mean() * (1 + sizes.std(ddof=0) ** 2 / sizes.mean() ** 2) - 1) * icc
    assert rows["margin"]["design_effect"] == pytest.approx(effect, abs=0.06)
    assert rows["churn"]["weeks_needed"] == -(-rows["churn"]["units_needed"] // 500) + 4
    assert result["inputs"][0][0] == "data/past.csv"


def test_an_arm_in_past_data_means_nothing_and_stated_numbers_win(project: Project) -> None:
    past = _past()
    project.data(past.assign(arm="whatever"), "data/past.csv")
    path = project.plan(metrics=METRICS)
    words = ("--history", "data/past.csv", "--base", "churn=0.5", "--rho", "0.1", "--units", "900")
    rows = _rows(_planned(project, path, *words))
    assert rows["churn"]["base"] == 0.5
    assert {row["rho"] for row in rows.values()} == {0.1}
    assert rows["margin"]["base"] == pytest.approx(past.margin.mean())


def test_a_stated_correlation_spares_the_column_of_households(project: Project) -> None:
    project.data(_past().drop(columns="household_id"), "data/past.csv")
    path = project.plan(data=BY_HOUSEHOLD, metrics=METRICS)
    missing = project.cx("plan", path, "--history", "data/past.csv")
    assert missing.code == 4
    assert "D210" in missing.err
    rows = _rows(_planned(project, path, "--history", "data/past.csv", "--icc", "0.1", "--cluster-size", "3"))
    assert rows["churn"]["design_effect"] == pytest.approx(1.2)


def test_a_computed_outcome_is_computed_from_past_data(project: Project) -> None:
    past = _past()
    project.data(past, "data/past.csv")
    net = {"name": "net", "type": "mean", "column": "net", "desired_direction": "increase", "mde": {"absolute": 1}}
    data = {**PLAN["data"], "columns": {"net": {"formula": "margin - 2 * before"}, "unused": {"formula": "a / b"}}}
    path = project.plan(data=data, metrics={"success": [net]})
    row = _rows(_planned(project, path, "--history", "data/past.csv"))["net"]
    assert row["base"] == pytest.approx((past.margin - 2 * past.before).mean())


def test_the_table_and_the_picture(project: Project) -> None:
    path = project.plan(metrics=METRICS)
    words = ("--base", "churn=0.14", "--sd", "csat=1.2", "--units", "26000", "--out", "out/power.svg")
    done = project.cx("plan", path, *words)
    assert done.code == 0
    assert done.out.startswith("This experiment can answer the question: ")
    assert re.search(r"^churn +call +success +0.14 +0.02 +99", done.out, re.MULTILINE)
    picture = (project.root / "out/power.svg").read_text(encoding="utf-8")
    tree = ET.fromstring(picture)  # noqa: S314 - our own file
    assert len(tree.findall("{http://www.w3.org/2000/svg}polyline")) == 2
    assert "26,000 planned" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_numbers_that_can_not_be_read_or_meant(project: Project) -> None:
    path = project.plan(metrics=METRICS)
    assert project.cx("plan", path, "--base", "churn=much").code == 2
    assert project.cx("plan", path, "--base", "chrn=0.1").code == 2


def test_looks_are_planned_for_and_their_price_is_told(project: Project) -> None:
    looks = {"peeking": "group_sequential", "looks": ["2026-11-01", "2026-12-01"], "horizon": {"units": 26_000}}
    path = project.plan(name="looks", metrics=METRICS, analysis=looks)
    told = project.cx("plan", path, "--base", "churn=0.14")
    assert told.code == 0, told.err
    assert "Power counts 2 looks, equally spaced; looking 2 times needs 0." in told.out


def _units(n: int = 4_000) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    household = np.sort(rng.integers(0, n // 2, n))
    return pd.DataFrame(
        {
            "customer_id": [f"{number:07d}" for number in range(n)],
            "household_id": [f"h{number}" for number in household],
            "tier": np.where(household % 3 == 0, "gold", "silver"),
        }
    )


def _assigned(project: Project, path: str, out: str, *words: str) -> Any:
    done = project.cx(
        "assign", path, "--units", "data/units.csv", "--out", out, "--salt", "s3cret-salt", *words, "--json"
    )
    assert done.code == 0, done.err
    return done.json


def test_households_stay_whole_and_the_ledger_knows_no_id_and_no_salt(project: Project) -> None:
    project.data(_units(), "data/units.csv")
    path = project.plan(data=BY_HOUSEHOLD)
    told = _assigned(project, path, "data/arms.csv")
    arms = pd.read_csv(project.root / "data/arms.csv", dtype=str)
    assert list(arms.columns) == ["customer_id", "household_id", "arm"]
    assert set(arms.groupby("household_id").arm.nunique()) == {1}
    assert sorted(arms.customer_id) == sorted(_units().customer_id)
    assert told["counts"] == arms.drop_duplicates("household_id").arm.value_counts().to_dict()
    said = project.cx("assign", path, "--units", "data/units.csv", "--out", "data/b.csv", "--salt", "s3cret-salt").out
    assert f", in {arms.household_id.nunique():,} groups that were randomised whole" in said
    text = (project.root / "audit/ledger.jsonl").read_text(encoding="utf-8")
    line = json.loads(text)
    assert line["kind"] == "assign"
    assert line["payload"]["counts"] == told["counts"]
    assert line["payload"]["salt_hash"] == told["salt_hash"]
    assert not re.search(r"s3cret|\"h\d+\"|\"000\d{4}\"", text)
    assert project.cx("audit", "verify").code == 0


def test_equal_input_gives_equal_bytes_whatever_the_order_and_one_line(project: Project) -> None:
    path = project.plan(data=BY_HOUSEHOLD, design={**PLAN["design"], "strata": ["tier"]})
    written = []
    for frame in (_units(), _units().sample(frac=1, random_state=1)):
        project.data(frame, "data/units.csv")
        _assigned(project, path, "data/arms.parquet")
        _assigned(project, path, "data/arms.parquet")
        written.append((project.root / "data/arms.parquet").read_bytes())
    assert written[0] == written[1]
    assert len((project.root / "audit/ledger.jsonl").read_text().splitlines()) == 2, "one per file of units"


def test_a_hold_out_is_the_same_in_every_experiment_and_in_no_file(project: Project) -> None:
    project.data(_units(), "data/units.csv")
    path = project.plan(data=BY_HOUSEHOLD)
    other = project.plan(name="other", id="other", data=BY_HOUSEHOLD)
    files = {"data/a.csv": path, "data/b.csv": other}
    told = [_assigned(project, plan, out, "--hold-out", "1/5") for out, plan in files.items()]
    inside = [set(pd.read_csv(project.root / out, dtype=str).household_id) for out in files]
    everybody = set(_units().household_id.astype(str))
    assert inside[0] == inside[1]
    assert [one["held_out"] for one in told] == [len(everybody - inside[0])] * 2
    assert abs(len(everybody - inside[0]) / len(everybody) - 0.2) < 4 * (0.16 / len(everybody)) ** 0.5
    assert [sum(one["counts"].values()) for one in told] == [len(inside[0])] * 2
    assert project.cx("assign", path, "--check", "data/a.csv", "--salt", "s3cret-salt").code == 0
    log = pd.read_csv(project.root / "data/a.csv", dtype=str)
    stray = _units()[_units().household_id.astype(str).isin(everybody - inside[0])].head(1).astype(str)
    project.data(pd.concat([log, stray.assign(arm="call")[list(log.columns)]]), "data/log.csv")
    found = project.cx("assign", path, "--check", "data/log.csv", "--salt", "s3cret-salt", "--json")
    assert (found.code, found.json["mismatches"]) == (7, 1)
    wrong = project.cx("assign", path, "--units", "data/units.csv", "--out", "data/c.csv", "--hold-out", "5")
    assert (wrong.code, "U223" in wrong.err) == (2, True)


def test_strata_are_split_exactly(project: Project) -> None:
    project.data(_units(), "data/units.csv")
    path = project.plan(data=BY_HOUSEHOLD, design={**PLAN["design"], "strata": ["tier"]})
    assert _assigned(project, path, "data/arms.csv")["method"] == "stratified"
    arms = pd.read_csv(project.root / "data/arms.csv", dtype=str).drop_duplicates("household_id")
    for _, members in arms.groupby("tier"):
        assert abs((members.arm == "none").sum() - (members.arm == "call").sum()) <= 1


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("strata", [[], ["tier"]])
def test_a_log_is_derived_again_and_a_moved_customer_found(project: Project, kind: str, strata: list[str]) -> None:
    project.data(_units(), "data/units.csv")
    path = project.plan(data=BY_HOUSEHOLD, design={**PLAN["design"], "strata": strata})
    _assigned(project, path, f"data/arms.{kind}")
    check = ("assign", path, "--salt", "s3cret-salt", "--check")
    sound = project.cx(*check, f"data/arms.{kind}")
    assert (sound.code, sound.out) == (0, "sound: 4,000 rows are as plan and salt say\n")
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    log = read(project.root / f"data/arms.{kind}").astype(str)
    log["customer_id"] = log.customer_id.str.zfill(7)
    log.loc[7, "arm"] = "call" if log.arm[7] == "none" else "none"
    project.data(log, "data/log.csv")
    moved = project.cx(*check, "data/log.csv", "--json")
    assert (moved.code, moved.json["mismatches"], moved.json["same_salt"]) == (7, 1, True)
    wrong = project.cx("assign", path, "--salt", "other", "--check", f"data/arms.{kind}", "--json")
    assert wrong.code == 7
    assert [error["code"] for error in wrong.json["errors"]] == ["I720", "I721"]


def test_whole_number_ids_stay_numbers_and_mean_the_same_in_any_file(project: Project) -> None:
    frame = pd.DataFrame({"customer_id": range(500)})
    project.data(frame, "data/units.csv")
    frame.to_parquet(project.root / "data/units.parquet")
    path = project.plan()
    _assigned(project, path, "data/a.csv")
    words = ("--units", "data/units.parquet", "--out", "data/b.parquet", "--salt", "s3cret-salt")
    assert project.cx("assign", path, *words).code == 0
    of_text = pd.read_csv(project.root / "data/a.csv").sort_values("customer_id", ignore_index=True)
    of_numbers = pd.read_parquet(project.root / "data/b.parquet").sort_values("customer_id", ignore_index=True)
    assert of_numbers.customer_id.dtype == "int64"
    assert (of_text.arm == of_numbers.arm).all()


def test_units_that_contradict_themselves_are_refused_without_their_ids(project: Project) -> None:
    frame = _units()
    frame.loc[1, "household_id"] = "elsewhere"
    twice = pd.concat([frame, _units().loc[[1]]])
    torn = _units()
    torn.loc[torn.household_id == torn.household_id[3], "tier"] = [
        "gold",
        "silver",
        "gold",
        "silver",
        "gold",
        "silver",
    ][: (torn.household_id == torn.household_id[3]).sum()]
    path = project.plan(data=BY_HOUSEHOLD, design={**PLAN["design"], "strata": ["tier"]})
    for name, wrong, code in (("twice", twice, "D330"), ("torn", torn, "D331")):
        project.data(wrong, f"data/{name}.csv")
        with pytest.raises(DataError) as told:
            assign(project.root / path, str(project.root / f"data/{name}.csv"), project.root / "data/never.csv")
        assert [problem.code for problem in told.value.problems] == [code]
        assert not re.search(r"h\d+|elsewhere", str(told.value))
    assert not (project.root / "data/never.csv").exists()
    assert not (project.root / "audit/ledger.jsonl").exists()


def test_another_assignment_is_not_written_over(project: Project) -> None:
    project.data(_units(), "data/units.csv")
    path = project.plan()
    _assigned(project, path, "data/arms.csv")
    before = (project.root / "data/arms.csv").read_bytes()
    again = project.cx("assign", path, "--units", "data/units.csv", "--out", "data/arms.csv", "--salt", "another")
    assert (again.code, "U223" in again.err) == (2, True)
    assert (project.root / "data/arms.csv").read_bytes() == before
    assert len((project.root / "audit/ledger.jsonl").read_text().splitlines()) == 1


def test_calls_that_make_no_sense_and_plans_that_can_not_assign(project: Project) -> None:
    project.data(_units(), "data/units.csv")
    path = project.plan()
    assert project.cx("assign", path).code == 2
    assert project.cx("assign", path, "--units", "data/units.csv", "--check", "data/units.csv").code == 2
    assert project.cx("assign", path, "--units", "data/units.csv", "--out", "data/arms.xlsx").code == 2
    assert project.cx("assign", path, "--check", "data/units.csv").code == 4, "a log has arms"
    arms: dict[str, Any] = {"none": {}, "call": {}}
    bare = project.plan(
        name="bare", design={**PLAN["design"], "treatment": {**PLAN["design"]["treatment"], "arms": arms}}
    )
    refused = project.cx("assign", bare, "--units", "data/units.csv", "--out", "data/arms.csv")
    assert (refused.code, "P903" in refused.err) == (3, True)
