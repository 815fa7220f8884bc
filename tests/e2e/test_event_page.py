"""The page about event tables is run as it stands, and what it says of exposure and of repeated units holds."""

import re
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.e2e.project import ROOT, Project

PAGE = (ROOT / "docs/event-tables.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(# file: (\S+)\n)?(.*?)```", PAGE, re.DOTALL)
FILES = {name: text for _, name, text in BLOCKS if name}
(EXPOSURE,) = (yaml.safe_load(text)["exposure"] for _, name, text in BLOCKS if not name)
N = 1200


def _shop(project: Project, *, opened: dict[str, int]) -> None:
    """Write a shop's tables; of every twelve customers in an arm so many open their message."""
    ids, zero = range(N), pd.Timestamp("2026-03-01")
    arms = ["none" if at % 2 else "call" for at in ids]
    people = pd.DataFrame({"customer_id": ids, "arm": arms, "assigned_at": zero, "campaign": "spring"})
    again = people.head(30).assign(assigned_at=zero + timedelta(days=9), arm="call")
    other = people.tail(40).assign(campaign="winter")
    assigned = pd.concat([again, people, other]).assign(extracted_at=pd.Timestamp("2026-06-01"))
    orders = pd.DataFrame(
        {
            "customer_id": [at % N for at in range(6 * N)],
            "ordered_at": [zero + timedelta(days=at * 7 % 120 - 60, hours=12) for at in range(6 * N)],
            "amount": [10.0 + at % 13 * 9 for at in range(6 * N)],
            "shop": ["web" if at % 5 else "kiosk" for at in range(6 * N)],
            "order_id": range(6 * N),
            "cancelled": 0,
        }
    )
    orders["loaded_at"] = orders["ordered_at"] + timedelta(hours=6)
    orders.loc[0, "loaded_at"] = pd.Timestamp("2026-05-31")
    exits = [at for at in ids if at % 20 < (6 if arms[at] == "none" else 3)]
    opens = [at for at in ids if at // 2 % 12 < opened[arms[at]]]
    folder = project.root / "data"
    (folder / "orders").mkdir(parents=True)
    assigned.to_parquet(folder / "assigned.parquet")
    orders.to_parquet(folder / "orders/all.parquet")
    pd.DataFrame({"customer": exits, "left_on": date(2026, 3, 9)}).to_csv(folder / "exits.csv", index=False)
    opens_of = pd.DataFrame({"customer_id": opens, "opened_at": zero + timedelta(days=2)})
    opens_of.to_parquet(folder / "opens.parquet")
    for name, text in FILES.items():
        project.write(name, text)


def _exposed(project: Project, **events: Any) -> str:
    """Write the plan of the page with its exposure, and return its path."""
    plan = yaml.safe_load(FILES["experiments/callback.yaml"])
    plan["data"]["events"] |= events
    return project.plan(name="callback", **plan)


def test_the_page_runs_as_it_stands(project: Project) -> None:
    _shop(project, opened={"none": 6, "call": 6})
    done = project.cx("run", "experiments/callback.yaml", "--json", "--quiet")
    assert done.code == 0, done.err
    found = done.json
    assert (found["data"]["rows"], found["data"]["later"], found["data"]["filtered_out"]) == (N + 70, 30, 40)
    assert (found["data"]["enrolled"], found["data"]["matures_on"]) == (N, "2026-04-14")
    assert not [row for row in found["effects"] if row["population"] == "all" and row["status"] != "ok"]
    assert "Outcomes are complete 44 days after time zero: rows of 'orders' still change for 14 days." in found["notes"]
    page = next(project.root.glob("reports/callback/*/*.html")).read_text(encoding="utf-8")
    assert "Left out: assigned before" in page
    assert "never exposed" not in page


@pytest.mark.parametrize(("called", "code"), [(6, 0), (9, 5)])
def test_exposure_that_the_arm_changed_leaves_no_verdict(project: Project, called: int, code: int) -> None:
    _shop(project, opened={"none": 6, "call": called})
    done = project.cx("run", _exposed(project, exposure=EXPOSURE), "--json", "--quiet")
    assert done.code == code, done.err
    found = done.json
    check = next(check for check in found["checks"] if check["name"] == "exposure")
    assert check["verdict"] == ("pass" if code == 0 else "fail")
    assert found["data"]["unexposed_by_arm"] == {"none": 300, "call": 600 - 50 * called}
    assert found["data"]["assigned_by_arm"] == {"none": 600, "call": 600}
    assert (found["verdict"] == "no_decision") == (code == 5)
    page = next(project.root.glob("reports/callback/*/*.html")).read_text(encoding="utf-8")
    assert "Not counted: never exposed" in page


def test_a_unit_in_two_arms_is_refused_without_a_word_about_repeats(project: Project) -> None:
    _shop(project, opened={"none": 6, "call": 6})
    plan = yaml.safe_load(FILES["experiments/callback.yaml"])
    del plan["data"]["events"]["repeated"]
    done = project.cx("run", project.plan(name="callback", **plan))
    assert done.code == 4
    assert "D220" in done.err


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "filter": ({"data": {"filter": "orders > 0"}}, "P344 'orders' is made of events after time zero, and data.filter"),
    "weight": ({"data": {"weight": "spend"}}, "P344 'spend' is made of events after time zero, and data.weight"),
    "policy": ({"policy": {"eligible": "large == 0"}}, "P344 'large' is made of events after time zero"),
    "rule": ({"policy": {"current_rule": "large"}}, "P344 'large' is made of events after time zero"),
    "protected": ({"policy": {"protected": ["large"]}}, "P344 'large' is made of events after time zero"),
    "formula": (
        {"data": {"columns": {"net": {"formula": "spend - spend_before"}}}, "covariates": ["net"]},
        "P344 'spend' is made of events after time zero, and covariates",
    ),
    "segment": ({"segments": ["large"]}, "P344 'large' is made of events after time zero, and segments"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_nothing_from_after_time_zero_decides_who_counts_or_is_adjusted_for(project: Project, case: str) -> None:
    for name, text in FILES.items():
        project.write(name, text)
    plan = yaml.safe_load(FILES["experiments/callback.yaml"])
    changes, told = CHANGES[case]
    data = {**plan["data"], **changes.get("data", {})}
    done = project.cx("validate", project.plan(name="callback", **{**plan, **changes, "data": data}))
    assert done.code == 3
    assert told in done.err
    assert done.err.count("P344") == 1
