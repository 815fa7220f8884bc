"""The shipped plans reproduce published answers: expected.json against answers.json, and the product against both."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.results import Estimate, RunResult
from cxcausal.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
PLANS = sorted(EXPECTED["effects"])
POINT_TOLERANCE = 5e-7
"""Relative: six significant digits, with half a unit of the seventh to spare."""
SE_TOLERANCE = 1e-6
"""Relative: finer than the printed digits, since HC2 has one value."""
FLAT_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Row:
    plan: str
    values: dict[str, Any]

    @property
    def label(self) -> str:
        return "-".join([self.plan.removesuffix(".yaml"), *(self.values[k] for k in ("metric", "arm", "population"))])


ROWS = [Row(plan=plan, values=values) for plan in PLANS for values in EXPECTED["effects"][plan]]
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)


def printed(answers: Any, key: str) -> list[Decimal]:
    for name in key.split("."):
        answers = answers[name]
    return answers if isinstance(answers, list) else [answers]


def agrees(number: float, answer: Decimal) -> bool:
    """Whether a number, rounded as the answer is printed, is the answer."""
    exponent = answer.as_tuple().exponent
    assert isinstance(exponent, int)
    return abs(Decimal(repr(number)) - answer) <= Decimal(10) ** exponent / 2


@pytest.fixture(scope="module")
def answers(shared_data: Path) -> Any:
    text = (shared_data / "answers.json").read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


@pytest.mark.parametrize("row", [row for row in ROWS if "answer" in row.values], ids=lambda row: row.label)
def test_expected_numbers_are_the_published_ones_to_their_last_digit(row: Row, answers: Any) -> None:
    point, se = printed(answers, row.values["answer"])
    assert agrees(row.values["point"], point)
    assert agrees(row.values["se"], se)
    if "mean_control_answer" in row.values:
        assert agrees(row.values["mean_control"], printed(answers, row.values["mean_control_answer"])[0])


@pytest.mark.parametrize("total", EXPECTED["sums"], ids=lambda total: total["answer"])
def test_scores_that_are_published_as_a_sum_add_up_to_it(total: dict[str, Any], answers: Any) -> None:
    parts = [
        values["point"]
        for values in EXPECTED["effects"][total["plan"]]
        if values["metric"] in total["metrics"] and values["arm"] == total["arm"]
    ]
    assert len(parts) == len(total["metrics"])
    assert agrees(round(sum(parts), 9), printed(answers, total["answer"])[0])


def test_agrees_refuses_a_number_that_is_off_by_one_digit() -> None:
    assert agrees(0.0765896, Decimal("0.0765896"))
    assert agrees(670.9965464, Decimal("671.0"))
    assert not agrees(0.0765895, Decimal("0.0765896"))
    assert not agrees(670.94, Decimal("671.0"))


def test_every_plan_with_a_known_answer_is_shipped_and_every_other_plan_is_on_a_drawn_world() -> None:
    shipped = {path.name for path in (ROOT / "experiments").glob("*.yaml")}
    drawn = {"human_handoff.yaml", "human_handoff_hidden.yaml", "moments_of_truth.yaml", "proactive_outreach.yaml"}
    assert shipped - set(PLANS) == {*drawn, "hillstrom_policy.yaml"}
    assert set(PLANS) <= shipped


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of its own with the shipped plans and configurations, so that the checkout's state stays untouched."""
    root = tmp_path_factory.mktemp("workspace") / "project"
    for folder in ("experiments", "configs", "graphs"):
        shutil.copytree(ROOT / folder, root / folder)
    return root


Runner = Callable[[str], RunResult]


@pytest.fixture(scope="module")
def run(project: Path) -> Runner:
    """Run a shipped plan once per module, however many tests look at it."""
    from cxcausal.api import run_experiment  # noqa: PLC0415 - half of these tests do without

    @cache
    def once(plan: str) -> RunResult:
        return run_experiment(project / "experiments" / plan, root=project)

    return once


@pytest.fixture
def run_public(run: Runner, project: Path, shared_data: Path) -> Runner:
    beside = project.parent / "shared"
    beside.mkdir(exist_ok=True)
    if not (beside / "data").exists():
        (beside / "data").symlink_to(shared_data, target_is_directory=True)
    return run


def unadjusted(result: RunResult, values: dict[str, Any]) -> Estimate:
    wanted = {name: values[name] for name in ("metric", "arm", "control", "population")}
    found = [
        row
        for row in result.effects
        if all(getattr(row, name) == value for name, value in wanted.items())
        and (row.scale, row.adjustment, row.trimming, row.companion) == ("absolute", "none", "none", False)
    ]
    assert len(found) == 1, wanted
    return found[0]


@each_row
def test_the_product_finds_the_answer(row: Row, run_public: Runner) -> None:
    if row.plan in {"incentive_results.yaml", "nsw_mixtape.yaml"}:
        pytest.importorskip("causaldata", reason="needs the extra 'examples'")
    found = unadjusted(run_public(row.plan), row.values)
    assert found.status == "ok"
    assert found.point == pytest.approx(row.values["point"], rel=POINT_TOLERANCE, abs=FLAT_TOLERANCE)
    assert found.se == pytest.approx(row.values["se"], rel=SE_TOLERANCE)
    assert found.mean_control == pytest.approx(row.values["mean_control"], rel=POINT_TOLERANCE)
    assert (found.n_treated, found.n_control) == (row.values["n_treated"], row.values["n_control"])


@pytest.mark.parametrize("plan", PLANS)
def test_what_was_planned_after_the_data_never_ships(plan: str, run_public: Runner) -> None:
    result = run_public(plan)
    assert result.verdict in {"pilot", "hold", "stop", "no_decision"}
    assert {arm.verdict for arm in result.arms.values()}.isdisjoint({"ship", "ship_with_monitoring"})
    assert not result.registered


def test_the_demonstration_finds_its_truth_and_recommends_the_expert(run: Runner, project: Path) -> None:
    written = simulate("outreach", project / "data" / "outreach.parquet")
    truth = json.loads(written.truth.read_text(encoding="utf-8"))
    plan = project / "experiments/proactive_outreach.yaml"
    lines = plan.read_text(encoding="utf-8").splitlines(keepends=True)
    plan.write_text("".join(line for line in lines if not line.startswith("policy:")), encoding="utf-8")
    result = run("proactive_outreach.yaml")  # whom to contact is asked in `test_whom.py`
    checked = 0
    for row in truth["effects"]:
        if row["metric"] not in {"churn_90d", "margin_90d", "complaint_30d", "csat"} or row["population"] != "all":
            continue
        found = unadjusted(result, row)
        assert found.point is not None
        assert found.se is not None
        assert abs(found.point - row["sample"]) < 4 * found.se, row["metric"]
        checked += 1
    assert checked == 4 * 3
    assert _reached(result, truth) == 3 * 3
    assert result.grade == "A"
    assert result.recommended_arm == "gig"
    assert result.arms["gig"].verdict == "pilot"
    assert result.arms["gig"].capped_from == "ship"
    assert result.arms["agent"].verdict == "hold"
    assert result.arms["bot"].verdict in {"hold", "stop"}


def _reached(result: RunResult, truth: dict[str, Any]) -> int:
    """Hold every effect on those reached to its truth, and return how many there are."""
    wanted = {(row["metric"], row["arm"]): row["complier"] for row in truth["effects"] if row["population"] == "all"}
    own = ("churn_90d", "margin_90d", "complaint_30d")
    rows = [row for row in result.effects if row.method == "wald" and row.metric in own and row.population == "all"]
    found = [row for row in rows if row.control == "none"]
    for row in found:
        assert row.point is not None, row.reason
        assert abs(row.point - wanted[row.metric, row.arm]) < 4 * float(row.se or 0), (row.metric, row.arm)
    return len(found)
