"""What the terminal says beside the answer: page one has it too, it is short, and nothing that harms is left out."""

import re
from dataclasses import replace

import pytest

from cxcausal.report import render_report
from cxcausal.report.sentences.briefly import MOST, caveat_texts
from tests.report import worlds
from tests.report.reader import read
from tests.report.situations import SITUATIONS, agent_stops
from tests.report.worlds_whom import WHOM

NOTE = "Intervals take what shares a fate from data.cluster (team)."


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize("name", [*SITUATIONS, *WHOM])
def test_what_is_told_stands_in_the_report_as_well(name: str) -> None:
    result = replace({**SITUATIONS, **WHOM}[name](), notes=(NOTE,))
    told = caveat_texts(result, most=99)
    page = _words("".join(read(render_report(result, ledger_head=None)).page_one))
    assert [words for words in told if _words(words) not in page] == []
    assert not told or NOTE in told


def test_few_are_told_and_the_rest_is_counted() -> None:
    result = replace(SITUATIONS["ship_of_several_arms"](), notes=tuple(f"Note {at} qualifies." for at in range(9)))
    whole, told = caveat_texts(result, most=99), caveat_texts(result)
    assert told[:MOST] == whole[:MOST]
    assert told[MOST:] == (
        f"{len(whole) - MOST} more of this kind in the report, under “The answer” and “What we do not know”.",
    )


def test_another_arm_that_stops_comes_before_notes() -> None:
    told = caveat_texts(replace(agent_stops(), notes=(NOTE,)), most=99)
    assert "STOP" in " ".join(told[:-1])
    assert told[-1] == NOTE


def test_a_cap_is_left_to_its_own_line_and_a_failed_gate_to_the_answer() -> None:
    capped = replace(SITUATIONS["ship_of_one_arm"](), capped_by="the plan was not registered", registered=False)
    assert not [words for words in caveat_texts(capped) if "capped" in words]
    assert caveat_texts(replace(worlds.failed_gate(), notes=(NOTE,), registered=True, capped_by=None)) == ()
