"""The check of who was exposed, against scipy's own test of a table of counts."""

import pytest
from scipy.stats import chi2_contingency

from cxcausal.checks.exposure import Exposure
from cxcausal.core.entry import Entry
from cxcausal.core.queries import FlowQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.stats.proportions import equal_rates_p
from tests.checks.worlds import flow, plan

SOURCE = {"path": "o.csv", "unit": "id", "time": "at"}
EVENTS = {
    "columns": {"churned": {"source": "opens", "aggregate": "any", "window": {"end": "30d"}}},
    "sources": {"opens": SOURCE},
    "exposure": {"source": "opens"},
}


def _plan() -> ExperimentSpec:
    return plan(data={"events": EVENTS})


def _judged(none: tuple[int, int], gig: tuple[int, int], **options: str) -> tuple[str, float | None, str]:
    entry = Entry(assigned_by_arm={"none": none[1], "gig": gig[1]}, exposed_by_arm={"none": none[0], "gig": gig[0]})
    found = Exposure(**options).judge(_plan(), {FlowQuery(): flow(none[0], gig[0], entry=entry)})  # type: ignore[arg-type]
    return found.verdict, found.p, found.text


@pytest.mark.parametrize("groups", [[(300, 1000), (360, 1000)], [(5, 90), (9, 60), (70, 400)], [(1, 10), (1, 1000)]])
def test_it_is_pearsons_test(groups: list[tuple[int, int]]) -> None:
    table = [[have, units - have] for have, units in groups]
    assert equal_rates_p(groups) == pytest.approx(chi2_contingency(table, correction=False).pvalue, rel=1e-10)


def test_unequal_shares_are_a_breach_and_equal_ones_are_not() -> None:
    verdict, _, text = _judged((300, 1000), (400, 1000))
    assert verdict == "fail"
    assert text.startswith(
        "Exposed and analysed: 700 of 2,000 assigned, from 30 % in 'none' to 40 % in 'Expert calls'."
    )
    assert "the arm changed who was exposed" in text
    assert _judged((300, 1000), (400, 1000), on_breach="warn")[0] == "warn"
    assert _judged((300, 1000), (310, 1000))[0] == "pass"


@pytest.mark.parametrize("both", [0, 1000])
def test_nobody_or_everybody_exposed_is_equal(both: int) -> None:
    assert _judged((both, 1000), (both, 1000))[:2] == ("pass", 1.0)


def test_one_arm_alone_can_not_be_compared() -> None:
    assert _judged((300, 1000), (0, 0))[0] == "could_not_run"


def test_it_asks_nothing_of_a_plan_without_exposure() -> None:
    assert Exposure().queries(plan()) == ()
    assert Exposure().queries(_plan()) == (FlowQuery(),)
