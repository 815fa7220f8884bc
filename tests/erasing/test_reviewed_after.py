"""Customers erased from kept units and from the data: replays and reruns put what moved down to that."""

import pytest

from tests.e2e.project import Project, customers
from tests.erasing.test_erase import WORDS

GONE = 40


@pytest.fixture
def forgotten(project: Project) -> tuple[Project, str]:
    """A project whose only run was made before forty customers were erased everywhere; the plan, the run's id."""
    frame = customers()
    project.data(frame)
    plan = project.plan(retrospective=True)
    run = project.cx("run", plan, "--json").json["run_id"]
    project.write("forget.txt", "\n".join(frame["customer_id"][:GONE]))
    assert project.cx("erase", "--ids", "forget.txt", *WORDS).code == 0
    project.data(frame.iloc[GONE:])
    return project, run


def test_a_replay_says_that_customers_were_erased(forgotten: tuple[Project, str]) -> None:
    project, run = forgotten
    done = project.cx("replay", run, "--json")
    assert (done.code, done.json["outcome"]) == (0, "DATA_ERASED")
    assert {one["kind"] for one in done.json["differences"]} == {"DATA_ERASED"}
    assert "erased" in done.json["notes"][0]


def test_a_replay_without_data_says_so_too(forgotten: tuple[Project, str]) -> None:
    project, run = forgotten
    (project.root / "data/callback.csv").unlink()
    done = project.cx("replay", run, "--json")
    assert (done.code, done.json["outcome"]) == (0, "DATA_ERASED")


def test_an_erasure_is_told_apart_from_what_changed_beside_it(forgotten: tuple[Project, str]) -> None:
    project, run = forgotten
    frame = customers().iloc[GONE:]
    project.data(frame.assign(churned=[0] * 60 + list(frame.churned[60:])))
    done = project.cx("replay", run, "--json")
    assert (done.code, done.json["outcome"]) == (0, "DATA_RESTATED")
    kinds = {one["name"].rpartition(" ")[2]: one["kind"] for one in done.json["differences"]}
    assert (kinds["n_control"], kinds["point"]) == ("DATA_ERASED", "DATA_RESTATED")


def test_another_run_is_not_excused(project: Project) -> None:
    project.data(customers())
    plan = project.plan(retrospective=True, reruns={"keep_units": False})
    run = project.cx("run", plan, "--json").json["run_id"]
    project.write("forget.txt", "nobody")
    assert project.cx("erase", "--ids", "forget.txt", *WORDS).code == 0
    assert project.cx("replay", run, "--json").json["outcome"] == "IDENTICAL"


def test_a_rerun_puts_them_down_to_one_step(forgotten: tuple[Project, str]) -> None:
    project, _ = forgotten
    done = project.cx("rerun", "callback", "--json")
    assert done.code in {0, 8}, done.err
    steps = done.json["movement"]["effects"][0]["steps"]
    assert [step["cause"] for step in steps] == ["erased", "restated", "late", "matured", "new"]
    assert steps[0]["share"] == pytest.approx(1)
    assert "unexplained" not in done.json["movement"]["sentence"]
