"""Every sentence of page one, word by word; `python -m tests.report.golden_text` writes the files anew."""

import re

import pytest

from cxcausal.report import render_report, summary_text
from tests.report import worlds
from tests.report.golden_text import FOLDER, TOLD, golden_text
from tests.report.reader import read
from tests.report.situations import null_without, stop_not_worthwhile

BANNED = (
    r"\bprov(?:es?|en|ed)\b",
    r"\bsignifican(?:t|tly|ce)\b",
    r"\btrend(?:s|ing)? towards?\b",
    r"\bwinn(?:er|ers|ing)\b",
    r"\bchance to win\b",
    r"\bup to\b",
)


@pytest.mark.parametrize("name", TOLD)
def test_sentences_are_those_of_the_golden_file(name: str) -> None:
    assert golden_text(TOLD[name]()) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_every_golden_file_has_its_situation() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(TOLD)


@pytest.mark.parametrize("name", TOLD)
def test_page_one_has_no_banned_word(name: str) -> None:
    page = " ".join(read(render_report(TOLD[name](), ledger_head=None)).page_one).replace("Data up to", "")
    assert [word for word in BANNED if re.search(word, page, re.IGNORECASE)] == []


@pytest.mark.parametrize("name", TOLD)
def test_a_percentage_of_change_stands_beside_its_base(name: str) -> None:
    """No lift without what it is relative to: every relative limit names the control's level."""
    for line in golden_text(TOLD[name]()).splitlines():
        if re.search(r"% (?:higher|lower)", line):
            assert re.search(r"\d % of [\d.]+ with “", line), line


def test_the_answer_of_the_failed_check_is_the_agreed_one() -> None:
    answer = summary_text(worlds.failed_gate()).splitlines()[1]
    assert answer == (
        "NO DECISION. 51.9 % of customers landed in the call arm instead of 50 %. "
        "A split this uneven happens by chance less than once in a million trials. "
        "Numbers are in the appendix and must not be used."
    )


def test_a_null_with_information_says_what_is_excluded_and_one_without_says_what_it_could_see() -> None:
    assert "rule out an improvement larger than 4" in summary_text(stop_not_worthwhile())
    assert "could only detect a change of 13 customers in 1,000" in summary_text(null_without())


def test_behind_a_failed_gate_page_one_has_no_effect_and_no_money() -> None:
    result = worlds.failed_gate()
    html = render_report(result, ledger_head=None)
    before, _, appendix = html.partition('class="appendix"')
    keys = re.findall(r'data-(?:key|row)="([^"]+)"', before)
    assert not [key for key in keys if "effects." in key or "value." in key]
    assert before.count("must not be used") == 5
    assert appendix.count("must not be used") == 2
    assert '<tr data-row="effects.0">' in appendix
