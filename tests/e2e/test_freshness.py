"""How old data may be: promised by a plan or by the source that it names, told at every run, never passed silently."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from cxcausal.pipeline.freshness import freshness_of
from tests.conformance.plans import small_plan
from tests.e2e.project import ROOT, Project, customers

NAMED = "schema_version: 1\nsources:\n  people: {{path: data/callback.csv, freshness: {}}}\n"


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def judged(project: Project, age: int, **data: Any) -> tuple[int, dict[str, Any] | None]:
    """Run on data that end so many days ago; return the exit code, and the check where there is one."""
    project.data(customers(400).assign(until=days_ago(age)))
    whole = {"source": "data/callback.csv", "unit": "customer_id", "observed_until": "until", **data}
    done = project.cx("run", project.plan(data=whole), "--json")
    found = [check for check in done.json.get("checks", ()) if check["name"] == "freshness"]
    assert len(found) <= 1
    return done.code, found[0] if found else None


def test_without_a_promise_there_is_no_check(project: Project) -> None:
    assert judged(project, 400) == (0, None)


@pytest.mark.parametrize(
    ("age", "promise", "code", "verdict"),
    [
        (0, {"max_age": "2d"}, 0, "pass"),
        (2, {"max_age": "2d"}, 0, "pass"),
        (9, {"max_age": "1w"}, 0, "warn"),
        (9, {"max_age": "1w", "on_breach": "fail"}, 5, "fail"),
        (2, {"max_age": "1w", "on_breach": "fail"}, 0, "pass"),
    ],
)
def test_a_plan_promises(age: int, promise: dict[str, str], code: int, verdict: str, project: Project) -> None:
    left, check = judged(project, age, freshness=promise)
    assert check is not None
    assert (left, check["verdict"]) == (code, verdict)
    assert age <= check["value"] <= age + 1  # midnight may pass
    assert f"{check['value']:.0f} day" in check["text"]


@pytest.mark.parametrize(("written", "code"), [("2d", 0), ("{max_age: 2d, on_breach: fail}", 5)])
def test_a_named_source_promises(written: str, code: int, project: Project) -> None:
    project.write("configs/data_sources.yaml", NAMED.format(written))
    left, check = judged(project, 30, source="people")
    assert check is not None
    assert (left, check["threshold"]) == (code, 2)
    left, check = judged(project, 30, source="people", freshness={"max_age": "9w"})
    assert check is not None
    assert (left, check["verdict"]) == (0, "pass")


def test_a_promise_of_a_source_that_is_none_is_refused_at_its_place(project: Project) -> None:
    project.write("configs/data_sources.yaml", NAMED.format("soon"))
    done = project.cx("validate", project.plan(data={"source": "people", "unit": "customer_id"}))
    assert done.code == 3
    assert "configs/data_sources.yaml:3" in done.err


def test_the_examples_of_the_page(project: Project) -> None:
    text = (ROOT / "docs/scheduling.md").read_text(encoding="utf-8")
    sources, plan = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    project.write("configs/data_sources.yaml", sources)
    project.data(customers(400).assign(extracted_at=days_ago(3)), "data/outreach.csv")
    project.write("configs/data_sources.yaml", sources.replace("parquet", "csv"))
    promised = yaml.safe_load(plan)["data"]
    for data, verdict in (({**promised, "freshness": None}, "warn"), (promised, "pass")):
        path = project.plan(data={**{k: v for k, v in data.items() if v is not None}, "unit": "customer_id"})
        done = project.cx("run", path, "--json")
        assert done.code == 0, done.err
        assert [check["verdict"] for check in done.json["checks"] if check["name"] == "freshness"] == [verdict]


def test_an_age_that_nobody_knows_is_a_breach(project: Project) -> None:
    project.data(customers(400))
    for on_breach, code in (("warn", 0), ("fail", 5)):
        data = {"source": "data/callback.csv", "unit": "customer_id"}
        done = project.cx("run", project.plan(data={**data, "freshness": {"max_age": "2d", "on_breach": on_breach}}))
        assert done.code == code
        assert "freshness" in done.out
        assert "doesn't say until when" in done.out


@pytest.mark.parametrize(
    ("cut", "now", "age"), [("2026-02-28", "2026-03-01T00:00:01+00:00", 1), ("2024-02-28", "2024-03-01", 2)]
)
def test_the_age_is_in_days_of_the_calendar(cut: str, now: str, age: int) -> None:
    plan = small_plan(data={"source": "x.csv", "freshness": {"max_age": "1d"}})
    (check,) = freshness_of(plan, cut, now)
    assert (check.value, check.verdict) == (age, "pass" if age <= 1 else "warn")
