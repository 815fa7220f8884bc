"""How the page tells of a reading among several; every number and quote of it still comes from a key."""

import re
from dataclasses import replace
from functools import cache

import pytest

from cxcausal.core.results import ReadingFacts, RunResult
from cxcausal.report import render_report
from cxcausal.report.text import FIXED_PHRASES
from tests.report import worlds
from tests.report.reader import Page, read
from tests.report.situations import null_without
from tests.report.test_numbers import agrees, quoted, recomputed

LOOK = ReadingFacts(
    peeking="group_sequential",
    sentence="Read at look 2 of 4, planned for 2026-04-01; intervals hold at every look.",
    boundary=2.9631,
    usual=1.96,
    units=30_018,
    look=2,
    looks=4,
    look_date="2026-04-01",
    spent=(0.25, 0.5),
)
ANY_TIME = ReadingFacts(
    peeking="always_valid", sentence="Any time.", boundary=3.04, usual=1.96, units=30_018, tuned_units=10_000
)
WAITING = replace(ANY_TIME, waiting="an arm has 7 analysed units")
SAID = {
    "look": "Read at look 2 of 4, planned for 2026-04-01; intervals hold at every look.",
    "any time": "The plan may be read at any time; intervals hold at every reading.",
    "waiting": "Nothing is concluded yet: an arm has 7 analysed units.",
}


def result_of(name: str, base: RunResult | None = None) -> RunResult:
    result = base or worlds.outreach()
    rows = tuple(row if row.level is None else replace(row, look_level=0.997) for row in result.effects)
    plan = {
        **result.plan,
        "analysis": {**result.plan["analysis"], "horizon": {"units": 61_000}, "looks": ["2026-04-01"]},
    }
    reading = {"look": LOOK, "any time": ANY_TIME, "waiting": WAITING}[name]
    return replace(result, reading=reading, effects=rows, plan=plan, notes=(*result.notes, "Wider 1.51 times."))


@cache
def page_of(name: str) -> tuple[Page, str]:
    html = render_report(result_of(name), ledger_head=worlds.HASH)
    return read(html), html


@pytest.mark.parametrize("name", SAID)
def test_page_one_says_which_reading_it_is_beside_the_answer_and_in_the_light(name: str) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page_of(name)[1]))
    assert text.count(SAID[name]) >= 2
    assert "Hold at every look" in text
    assert "61000" in text


@pytest.mark.parametrize("name", SAID)
def test_every_figure_of_it_comes_from_a_key(name: str) -> None:
    page, _ = page_of(name)
    tree = {**result_of(name).to_dict(), "ledger_head": worlds.HASH}
    assert [mark for mark in page.numbers if not agrees(mark, recomputed(tree, mark.attributes["data-key"]))] == []
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r".*\d.*", rest) == []


def test_what_a_study_could_see_is_told_for_this_look() -> None:
    html = render_report(result_of("look", null_without()), ledger_head=None)
    assert re.search(r"detectable\w*\([^)]*look_level", html)
    assert not re.search(r"detectable\w*\([^)]*\.level", html)


def test_a_plan_that_is_read_once_says_nothing_of_looks() -> None:
    html = render_report(worlds.outreach(), ledger_head=worlds.HASH)
    assert "Hold at every look" not in html
    assert "at any time" not in html
