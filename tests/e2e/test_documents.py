"""The documents are run as they stand: a newcomer's ten minutes, and the way from an own file to a report."""

import dataclasses
import re
import shlex

import pytest

from cxcausal.core.registry import BUILT_IN, Registry
from tests.e2e.project import ROOT, Project

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/your-data.md").read_text(encoding="utf-8")
CUSTOMERS = 3000


def _block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def _rows(*, misspelt: str) -> str:
    """Return an export like the one on the page: two customers a household, one arm misspelt."""
    lines = [_block("text").splitlines()[0]]
    for at in range(CUSTOMERS):
        household = at // 2
        called = household % 2 == 1
        arm = (misspelt if at == 2 else "call") if called else "none"
        churn = "yes" if household % 20 < (2 if called else 7) else "no"
        place, spend = ("south", "north")[household // 2 % 2], 40 + at % 7
        lines.append(f"{at};H{household};{arm};2026-03-20;2026-08-31;{place};{churn};{spend},50;{spend - 1},25")
    return "\n".join(lines) + "\n"


def test_the_ten_minutes_of_the_readme_run_in_an_empty_project(project: Project) -> None:
    (commands,) = re.findall(r"## Ten minutes.*?```sh\n(.*?)```", README, re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in commands.splitlines() if line.startswith("cxcausal ")]
    done = [project.cx(*words[1:]) for words in lines]
    assert [each.code for each in done] == [0] * len(lines), [each.err for each in done]
    assert done[-1].out.startswith("my-outreach: SHIP, evidence grade A\n")


def test_the_way_from_an_own_file_to_a_report(project: Project) -> None:
    project.write("data/trial.csv", _rows(misspelt="cal"))
    path = project.write("experiments/call_trial.yaml", _block("yaml")).relative_to(project.root).as_posix()
    done = project.cx("run", path, "--json", "--quiet")
    assert done.code == 0, done.err
    found = done.json
    assert (found["verdict"], found["grade"], found["recommended_arm"]) == ("pilot", "A", "call")
    churn = next(row for row in found["effects"] if row["metric"] == "churn" and row["headline"])
    assert churn["n_treated"] + churn["n_control"] == CUSTOMERS
    assert churn["mean_control"] > 2 * churn["mean_treated"]
    spend = next(row for row in found["effects"] if row["metric"] == "spend" and row["scale"] == "absolute")
    assert spend["mean_control"] == pytest.approx(43.5, abs=0.1)


def test_a_misspelt_arm_that_is_not_mapped_is_refused_by_row(project: Project) -> None:
    project.write("data/trial.csv", _rows(misspelt="cll"))
    path = project.write("experiments/call_trial.yaml", _block("yaml")).relative_to(project.root).as_posix()
    done = project.cx("run", path)
    assert done.code == 4
    assert "row 4 column arm D300 'cll' is not an arm of the plan" in done.err
    assert "did you mean 'call'?" in done.err


def _written(value: object) -> str:
    """Return an option as a plan writes it: `true` and `false` are no words of Python's."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_checks_on_the_page_are_those_that_run() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE)
    told = {name: {"on_breach": breach, **dict(re.findall(r"`(\w+): (\S+)`", rest))} for name, breach, rest in rows}
    kinds = {name: Registry(kind="checks").load(name) for name in told}
    actual = {
        name: {field.name: _written(field.default) for field in dataclasses.fields(kind) if field.init}
        for name, kind in kinds.items()
    }
    assert told == actual
    assert set(told) <= set(BUILT_IN["checks"])
