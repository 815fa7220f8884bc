"""A page that is printed again from a stored result has the arms in the plan's order, and all else as it was."""

import json

import pytest

from cxcausal.core.canonical import canonical_json
from cxcausal.core.plan_order import in_plan_order
from cxcausal.core.results import RunResult
from cxcausal.core.stored import record_from
from cxcausal.report import render_report
from cxcausal.report.facts import Facts
from tests.report.golden_text import TOLD, golden_text

_SOME = ("ship_of_several_arms", "an_arm_stops", "whom_pays", "rich_hold_at_a_look", "observed_arms", "no_decision")


def stored(name: str) -> RunResult:
    return record_from(RunResult, json.loads(canonical_json(TOLD[name]().to_dict())))


@pytest.mark.parametrize("name", _SOME)
def test_arms_of_a_stored_result_are_in_the_order_of_the_plan(name: str) -> None:
    live, again = TOLD[name](), in_plan_order(stored(name))
    assert Facts(again).treated_arms == Facts(live).treated_arms
    assert list(again.arms) == list(live.arms)
    assert next(iter(again.plan["design"]["treatment"]["arms"])) == Facts(live).control


def test_without_it_they_would_be_alphabetical() -> None:
    assert Facts(stored("ship_of_several_arms")).treated_arms != Facts(TOLD["ship_of_several_arms"]()).treated_arms


@pytest.mark.parametrize("name", TOLD)
def test_every_sentence_of_a_stored_result_is_the_same(name: str) -> None:
    assert golden_text(in_plan_order(stored(name))) == golden_text(TOLD[name]())


def test_page_one_of_a_stored_result_is_the_same() -> None:
    """The appendix prints the whole plan, whose keys JSON has sorted."""
    pages = [render_report(one, ledger_head=None) for one in (in_plan_order(stored("whom_pays")), TOLD["whom_pays"]())]
    first, second = (page.partition('class="appendix"')[0] for page in pages)
    assert first == second
