"""`score`: what is written for fresh customers, within what there is, and what is refused."""

import json
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.results import RunResult
from tests.e2e.project import Finished, Project
from tests.fresh.parts import EFFECTS, Rule, people, recorded, without_model

MakeResult = Callable[..., RunResult]


def scored(project: Project, frame: pd.DataFrame, *words: str, name: str = "fresh.parquet") -> Finished:
    path = project.root / name
    if name.endswith(".csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return project.cx("score", "callback", "--on", name, "--out", "treat.parquet", "--json", *words)


def written(project: Project) -> pd.DataFrame:
    return pd.read_parquet(project.root / "treat.parquet")


def gains(frame: pd.DataFrame) -> Any:
    return EFFECTS.gains({"tenure": frame["tenure"].to_numpy(), "tier": frame["tier"].to_numpy()})


def test_everyone_gets_the_best_arm_and_a_reason(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    frame = people()
    done = scored(project, frame)
    assert (done.code, done.json["warnings"]) == (0, [])
    told, rows = done.json, written(project)
    assert list(rows) == ["customer_id", "arm", "expected_effect", "low", "high", "net_value", "reason", "known"]
    assert rows["known"].fillna(-1).tolist() == [
        True if may else -1 for may in (frame["opted_out"] == 0) & (frame["tenure"] <= 36)
    ]
    assert rows["customer_id"].tolist() == frame["customer_id"].tolist()
    expected, able = gains(frame), (frame["opted_out"] == 0) & (frame["tenure"] <= 36)
    best = np.array(["none", "gig", "agent"], dtype=object)[np.clip(expected, 0, None).argmax(axis=1)]
    assert (rows["arm"] == np.where(able, best, "none")).all()
    effect = expected[np.arange(len(frame)), expected.argmax(axis=1)]
    assert np.array_equal(rows.loc[able, "expected_effect"], effect[able])
    assert rows.loc[~able, ["expected_effect", "low", "high", "net_value"]].isna().all().all()
    assert set(rows.loc[frame["tenure"] > 36, "reason"]) == {"outside_population"}
    assert set(rows.loc[(frame["tenure"] <= 36) & (frame["opted_out"] == 1), "reason"]) == {"not_eligible"}
    assert told["eligible"] == able.sum()
    assert told["arms"] == rows.loc[able, "arm"].value_counts().to_dict()
    assert "churned" in " ".join(told["notes"])
    (line,) = [one for one in ledger(project) if one["kind"] == "score"]
    assert line["payload"]["output"] == told["sha256"]
    assert line["hash"] == told["ledger_hash"]


def ledger(project: Project) -> list[dict[str, Any]]:
    text = (project.root / "audit/ledger.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_columns_and_rows_in_another_order_change_nothing(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    frame = people()
    assert scored(project, frame, "--budget", "1000").code == 0
    before, bytes_before = written(project), (project.root / "treat.parquet").read_bytes()
    turned = frame[["tier", "opted_out", "customer_id", "tenure"]].assign(more=1)
    assert scored(project, turned, "--budget", "1000", "--force").code == 0
    assert (project.root / "treat.parquet").read_bytes() == bytes_before
    shuffled = turned.sample(frac=1, random_state=3)
    assert scored(project, shuffled, "--budget", "1000", "--force").code == 0
    after = written(project)
    assert after["customer_id"].tolist() == shuffled["customer_id"].tolist()
    by_id = after.set_index("customer_id").loc[before["customer_id"]].reset_index()
    pd.testing.assert_frame_equal(by_id, before)


def test_csv_says_the_same_as_parquet(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    frame = people()
    assert scored(project, frame, "--budget", "1000").code == 0
    before = written(project)
    frame.to_csv(project.root / "fresh.csv", index=False)
    done = project.cx(
        "score", "experiments/callback.yaml", "--on", "fresh.csv", "--out", "treat.csv", "--budget", "1000"
    )
    assert done.code == 0, done.err
    told = pd.read_csv(project.root / "treat.csv")
    typed = {"known": "boolean"}
    pd.testing.assert_frame_equal(told.astype(typed), before.astype(typed))


def test_budget_and_capacity_hold_for_the_file(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result, capacity={"agent": 0.01}, budget=0.5)
    frame = people()
    told = scored(project, frame).json
    rows = written(project)
    counts = rows["arm"].value_counts()
    assert told["capacity"] == {"agent": int(0.01 * told["eligible"])}
    assert counts["agent"] <= told["capacity"]["agent"]
    assert told["budget"] == 0.5 * told["eligible"]
    cost = 4 * counts["gig"] + 9 * counts["agent"]
    assert told["cost"] == cost
    assert told["budget"] - 9 < cost <= told["budget"]
    assert "not_enough_for_all" in set(rows["reason"])
    assert (rows.loc[rows["arm"] != "none", "expected_effect"] > 0).all()


@pytest.mark.parametrize("column", ["tenure", "tier", "opted_out", "customer_id"])
def test_a_missing_column_is_named(project: Project, make_result: MakeResult, column: str) -> None:
    recorded(project, make_result)
    done = scored(project, people().drop(columns=column))
    assert done.code == 4
    assert f"fresh.parquet column {column} D210" in done.err
    assert not (project.root / "treat.parquet").exists()


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("tenure", "a while", "D642"),
        ("tier", 1, "D643"),
        ("opted_out", "yes", "D642"),
        ("customer_id", None, "D302"),
        ("customer_id", "C1", "D644"),
    ],
)
def test_a_column_of_another_kind_is_refused(
    project: Project, make_result: MakeResult, column: str, values: Any, code: str
) -> None:
    recorded(project, make_result)
    done = scored(project, people().assign(**{column: values}))
    assert done.code == 4
    assert code in done.err
    assert column in done.err
    assert column != "opted_out" or "policy.eligible" in done.err
    assert not (project.root / "treat.parquet").exists()
    assert "C1" not in done.err


def test_a_number_that_is_none_is_located(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result, data={"filter": None})
    frame = people().assign(opted_out=0)
    frame["tenure"] = frame["tenure"].astype(str).where(frame.index != 7, "a while")
    done = scored(project, frame)
    assert done.code == 4
    assert "fresh.parquet row 8 column tenure D305" in done.err
    assert "correct it in this file" in done.err


def test_a_file_of_another_delimiter_is_not_mended_in_the_plan(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    people(50).to_csv(project.root / "fresh.csv", index=False, sep=";")
    done = project.cx("score", "callback", "--on", "fresh.csv", "--out", "treat.csv")
    assert (done.code, "D208" in done.err) == (4, True)
    assert "correct it in this file" in done.err
    assert "below data" not in done.err


def test_what_the_model_does_not_know_is_told(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    frame = people().assign(opted_out=0)
    frame["tenure"] = np.where(np.arange(len(frame)) < 30, np.nan, frame["tenure"].clip(upper=36))
    frame.loc[30:49, "tier"] = "platinum"
    told = scored(project, frame).json
    # a missing tenure passes no comparison, so these customers are of another population
    assert (told["outside"], told["missing"], told["unknown"]) == (30, {}, {"tier": 20})
    rows = written(project)
    strange = frame["tier"] == "platinum"
    assert (rows["known"].dropna() == ~strange[rows["known"].notna()]).all()
    treated = strange & (rows["arm"] != "none")
    assert treated.sum() > 5
    assert rows.loc[treated, ["low", "high"]].isna().all().all()
    assert rows.loc[strange, "expected_effect"].notna().all()
    assert rows.loc[rows["known"] == True, ["low", "high"]].notna().all().all()  # noqa: E712 - it may be missing
    assert any("tier: 20 customers" in note and "nothing bears out" in note for note in told["warnings"])
    assert "platinum" not in json.dumps(told)


def test_drift_is_told_and_warned_about(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    frame = people()
    assert scored(project, frame).json["warnings"] == []
    done = scored(project, frame.assign(tenure=frame["tenure"] + 15), "--force")
    (drift,) = [one for one in done.json["drift"] if one["modifier"] == "tenure"]
    assert drift["moved"] == "much"
    assert drift["index"] > 0.25
    assert "tenure" in done.json["warnings"][0]
    assert "warning: tenure" in done.err


def test_without_proof_everybody_gets_the_best_single_arm(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result, rule="everybody:gig", recommended="best_arm", targeting=False)
    told = scored(project, people(), "--budget", "401").json
    rows = written(project)
    assert rows["arm"].value_counts()["gig"] == 100
    assert set(rows.loc[rows["arm"] == "gig", "reason"]) == {"everybody"}
    assert rows.loc[rows["arm"] == "gig", ["expected_effect", "low", "high"]].drop_duplicates().to_numpy().tolist() == [
        [0.4, 0.1, 0.7]
    ]
    assert "not shown to pay" in told["notes"][0]
    recorded(project, make_result, rule="nobody", recommended="nobody", targeting=False)
    told = scored(project, people(), "--force").json
    assert told["arms"] == {"none": told["eligible"], "gig": 0, "agent": 0}


def test_a_tree_is_followed_as_far_as_there_is_enough(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result, rule="tree", recommended="tree", policy=Rule(price=0.0, gold=2))
    frame = people()
    assert scored(project, frame).json["notes"] == scored(project, frame, "--force").json["notes"]
    rows = written(project)
    able = (frame["opted_out"] == 0) & (frame["tenure"] <= 36)
    assert ((rows["arm"] == "agent") == (able & (frame["tier"] == "gold"))).all()
    assert set(rows.loc[able, "reason"]) == {"tree"}
    expected = gains(frame)[:, 2]
    assert np.array_equal(rows.loc[rows["arm"] == "agent", "expected_effect"], expected[rows["arm"] == "agent"])
    told = scored(project, frame, "--force", "--budget", "100").json
    assert (told["arms"]["agent"], told["cost"]) == (11, 99.0)
    assert "not_enough_for_all" in set(written(project)["reason"])


@pytest.mark.parametrize("changes", [{"verdict": "stop"}, {"verdict": "no_decision"}, {"grade": "D"}])
def test_a_verdict_that_forbids_it_is_heeded(project: Project, make_result: MakeResult, changes: Any) -> None:
    recorded(project, make_result, **changes)
    done = scored(project, people())
    assert done.code == 5
    assert "U644" in done.err
    done = scored(project, people(), "--despite-verdict")
    assert done.code == 0
    assert "despite the verdict" in done.json["notes"][0]
    assert ledger(project)[-1]["payload"]["despite_verdict"] is True


@pytest.mark.parametrize("name", ["effects/slope.npz", "policy.json", "model.json", "card.md", "MLmodel"])
def test_a_changed_model_is_refused(project: Project, make_result: MakeResult, name: str) -> None:
    run = recorded(project, make_result)
    path = run.directory / "model" / name
    path.write_bytes(path.read_bytes() + b" ")
    done = scored(project, people())
    assert done.code == 7
    assert name in done.err
    assert project.cx("audit", "verify").code == 7


def test_which_run_and_which_file(project: Project, make_result: MakeResult) -> None:
    frame = people()
    assert scored(project, frame).code == 2
    first, second = recorded(project, make_result), recorded(project, make_result)
    assert scored(project, frame).json["run_id"] == second.run_id
    assert scored(project, frame).code == 2
    assert scored(project, frame, "--force", "--run", first.run_id).json["run_id"] == first.run_id
    assert "U642" in scored(project, frame, "--force", "--run", "01ARZ3NDEKTSV4RRFFQ69G5FAV").err
    assert "U640" in project.cx("score", "callback", "--on", "fresh.parquet", "--out", "treat.xlsx").err


@pytest.mark.parametrize("lost", ["model.json", "all of it"])
def test_an_older_model_does_not_stand_in_for_one_that_was_lost(
    project: Project, make_result: MakeResult, lost: str
) -> None:
    recorded(project, make_result)
    model = recorded(project, make_result).directory / "model"
    if lost == "model.json":
        (model / lost).unlink()
    else:
        shutil.rmtree(model)
    done = scored(project, people(50))
    assert (done.code, "model.json" in done.err) == (7, True)


def test_a_newest_run_without_a_model_is_told_of(project: Project, make_result: MakeResult) -> None:
    first = recorded(project, make_result)
    assert not [note for note in scored(project, people(50)).json["notes"] if "newest" in note]
    second = without_model(project, make_result)
    told = scored(project, people(50), "--force").json
    assert told["run_id"] == first.run_id
    assert second in told["notes"][0]


def test_conditions_that_hold_for_nobody_are_warned_about(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    told = scored(project, people(50).assign(opted_out=np.nan, tenure=5)).json
    assert (told["eligible"], told["not_eligible"]) == (0, 50)
    assert "opted_out == 0" in told["warnings"][0]
    told = scored(project, people(50).assign(tenure=99), "--force").json
    assert "filter" in told["warnings"][0]


def test_nobody_who_may_be_contacted(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result, budget=1.0)
    told = scored(project, people(50).assign(opted_out=1, tenure=5)).json
    assert (told["eligible"], told["not_eligible"], told["cost"], told["gain"]) == (0, 50, 0.0, 0.0)
    assert set(written(project)["arm"]) == {"none"}


def test_a_failing_disk_leaves_the_old_file(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result)
    frame = people(50)
    assert scored(project, frame).code == 0
    before = (project.root / "treat.parquet").read_bytes()
    (project.root / "file").write_text("", encoding="utf-8")
    done = project.cx("score", "callback", "--on", "fresh.parquet", "--out", "file/treat.parquet")
    assert done.code == 6
    assert "E641" in done.err
    assert scored(project, frame.assign(tier="x"), "--force").code == 4
    assert (project.root / "treat.parquet").read_bytes() == before
    assert not list(project.root.glob(".*.partial"))


def test_without_ids_rows_are_counted(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result, data={"unit": None})
    frame = people(200).drop(columns="customer_id")
    assert scored(project, frame, "--budget", "50").code == 0
    rows = written(project)
    assert rows["row"].tolist() == list(range(1, 201))


def test_values_are_read_as_the_plan_reads_them(project: Project, make_result: MakeResult) -> None:
    columns = {"tier": {"map": {"G": "gold", "B": "basic", "P": "plus"}}, "tenure": {"formula": "months + 0 * months"}}
    recorded(project, make_result, data={"columns": columns})
    frame = people()
    assert scored(project, frame).code == 4
    coded = frame.assign(tier=frame["tier"].str[0].str.upper(), months=frame["tenure"]).drop(columns="tenure")
    done = scored(project, coded)
    assert done.code == 0, done.err
    rows = written(project)
    agent = rows["arm"] == "agent"
    assert np.array_equal(rows.loc[agent, "expected_effect"], gains(frame)[agent, 2])


def test_the_ledger_says_it_in_words(project: Project, make_result: MakeResult) -> None:
    run = recorded(project, make_result)
    assert scored(project, people(50)).code == 0
    assert f"scored 50 customers by run {run.run_id}" in project.cx("audit", "log").out


def test_the_terminal_tells_it_in_words(project: Project, make_result: MakeResult) -> None:
    recorded(project, make_result, budget=0.5)
    people().to_parquet(project.root / "fresh.parquet", index=False)
    done = project.cx("score", "callback", "--on", "fresh.parquet", "--out", "treat.csv")
    assert done.code == 0
    assert "customers to contact (gig" in done.out
    assert "written: treat.csv" in done.out


@pytest.mark.parametrize("link", ["same", "symlink", "hardlink"])
def test_the_customers_own_file_is_never_replaced(project: Project, make_result: MakeResult, link: str) -> None:
    recorded(project, make_result)
    people(50).to_parquet(project.root / "fresh.parquet", index=False)
    before, out = (project.root / "fresh.parquet").read_bytes(), project.root / "out.parquet"
    if link == "symlink":
        out.symlink_to("fresh.parquet")
    elif link == "hardlink":
        out.hardlink_to(project.root / "fresh.parquet")
    name = "fresh.parquet" if link == "same" else "out.parquet"
    done = project.cx("score", "callback", "--on", "fresh.parquet", "--out", name, "--force")
    assert (done.code, "U646" in done.err) == (2, True)
    assert (project.root / "fresh.parquet").read_bytes() == before


@pytest.mark.parametrize("budget", ["inf", "nan"])
def test_what_is_no_sum_is_no_budget(project: Project, make_result: MakeResult, budget: str) -> None:
    recorded(project, make_result)
    done = scored(project, people(50), "--budget", budget)
    assert (done.code, "U647" in done.err) == (2, True)


@pytest.mark.parametrize("budget", ["1e13", "1e18", "1e300"])
def test_more_money_than_there_can_be_is_as_good_as_none(
    project: Project, make_result: MakeResult, budget: str
) -> None:
    recorded(project, make_result)
    assert scored(project, people()).code == 0
    before = written(project)
    assert scored(project, people(), "--force", "--budget", budget).code == 0
    pd.testing.assert_frame_equal(written(project), before)


@pytest.mark.parametrize(
    ("form", "code"), [("%Y-%m-%d %H:%M", 0), ("%Y-%m-%d", 0), ("%d.%m.%Y", 4), ("%Y-%m-%d %H:%M:%S+00:00", 4)]
)
def test_dates_as_text_are_compared_only_where_that_is_right(
    project: Project, make_result: MakeResult, form: str, code: int
) -> None:
    recorded(project, make_result, data={"filter": "joined >= '2026-03-29'"})
    joined = pd.Series(pd.date_range("2026-03-25 00:30", periods=200, freq="h"))
    done = scored(project, people(200).assign(joined=joined.dt.strftime(form)), name="fresh.csv")
    assert done.code == code, done.err
    if code:
        assert "fresh.csv column joined D655" in done.err
    else:
        assert done.json["outside"] == 96
