"""The verb `rerun`: what it records, refuses and returns."""

from tests.e2e.project import Project, customers


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
