"""What would mislead a reader in a hurry: companions beside effects, money beside adjustment, numbers said twice."""

import re
from dataclasses import asdict, replace

import pytest

from cxcausal.core.results import CheckResult, RunResult
from cxcausal.report import render_report
from cxcausal.report.facts import Facts
from cxcausal.report.sections.appendix_effects import EffectsSection, levels_note
from cxcausal.report.sections.appendix_glossary import GlossarySection
from cxcausal.report.sections.decision import DecisionSection
from cxcausal.report.sections.trust import TrustSection
from cxcausal.report.sections.verdict import VerdictBar
from cxcausal.report.sections.worth import WorthSection
from cxcausal.report.sentences.caveats import unknowns
from cxcausal.report.sentences.money import left_out_sentence
from cxcausal.report.text import FIXED_PHRASES, plain
from tests.report.reader import read
from tests.report.situations import guardrail_beyond
from tests.report.test_numbers import agrees, quoted, recomputed
from tests.report.worlds import failed_gate, one_arm, outreach
from tests.report.worlds_rich import NOTES, rich, wide


def not_known(result: RunResult) -> str:
    return "\n".join(plain(line) for line in unknowns(Facts(result)))


def test_companions_stand_apart_from_effects_and_parts_only_among_parts() -> None:
    facts = Facts(rich())
    own, _, beside = EffectsSection().build(facts).blocks
    indices = [{int(base.split(".")[1]) for base in table.bases} for table in (own, beside)]  # type: ignore[union-attr]
    rows = facts.result.effects
    assert not any(rows[index].companion for index in indices[0])
    assert all(rows[index].companion for index in indices[1])
    everybody = {index for index, row in enumerate(rows) if row.population == "all"}
    assert {rows[index].metric for index in everybody - indices[0] - indices[1]} == {"margin_90d.who"}


def test_every_number_and_quote_of_the_richest_page_comes_from_its_key() -> None:
    for result in (rich(), wide()):
        page, tree = read(render_report(result, ledger_head=None)), {**asdict(result), "ledger_head": None}
        assert [mark for mark in page.numbers if not agrees(mark, recomputed(tree, mark.attributes["data-key"]))] == []
        assert [mark for mark in page.quotes if not quoted(tree, mark)] == []
        rest = "\n".join(page.rest)
        for phrase in FIXED_PHRASES:
            rest = rest.replace(phrase, "")
        assert re.findall(r".*\d.*", rest) == []


def test_the_note_on_levels_says_what_is_corrected() -> None:
    facts = Facts(rich())
    assert "(Holm)" in plain(levels_note(facts))
    assert "holds at every reading" in plain(levels_note(facts))
    assert "every reading" not in plain(levels_note(Facts(outreach())))
    plan = {**outreach().plan, "analysis": {**outreach().plan["analysis"], "multiplicity": "none"}}
    assert "do not allow for several questions" in plain(levels_note(Facts(outreach(plan=plan))))


def test_the_glossary_has_the_terms_of_this_page_and_no_others() -> None:
    (terms,) = GlossarySection().build(Facts(rich())).blocks
    found = {plain(term) for term, _ in terms.items}  # type: ignore[union-attr, arg-type]
    assert {"Lee bounds", "Wald", "Quantile", "Lin", "Perfect answer", "Look", "Unsafe to read alone"} <= found
    (few,) = GlossarySection().build(Facts(outreach())).blocks
    assert not {"Lee bounds", "Wald", "Look"} & {plain(term) for term, _ in few.items}  # type: ignore[union-attr, arg-type]


def test_a_verdict_that_rests_on_an_unsafe_number_says_so_in_the_bar() -> None:
    result = rich()
    unsafe = tuple(
        replace(r, reason="unsafe: x; see the bounds") if r.metric == "churn_90d" else r for r in result.effects
    )
    (hero,) = VerdictBar().build(Facts(replace(result, effects=unsafe))).blocks
    assert plain(hero.reason).endswith("But the number behind it is unsafe to read alone.")  # type: ignore[union-attr]
    (safe,) = VerdictBar().build(Facts(result)).blocks
    assert "unsafe" not in plain(safe.reason)  # type: ignore[union-attr]


def test_notes_told_elsewhere_are_not_told_again_and_none_stands_behind_a_failed_gate() -> None:
    assert not any(note[:30] in not_known(rich()) for note in NOTES)
    without = tuple(row for row in rich().effects if row.metric != "treatment.received")
    assert "Headline, money and verdict are of being assigned" in not_known(replace(rich(), effects=without))
    assert "too narrow" not in not_known(replace(failed_gate(), notes=("Intervals are too narrow.",)))


def test_money_says_that_it_is_not_adjusted_and_what_it_leaves_out() -> None:
    said = "\n".join(
        plain(block.words) for block in WorthSection().build(Facts(rich())).blocks if hasattr(block, "words")
    )
    assert "the two need not match to the last digit" in said
    plainly = WorthSection().build(Facts(outreach())).blocks
    assert not any("last digit" in plain(block.words) for block in plainly if hasattr(block, "words"))
    beyond = left_out_sentence(Facts(guardrail_beyond()), "gig")
    assert beyond is not None
    assert plain(beyond).startswith("This money leaves out what went beyond its limit: “Customers who complain")
    assert left_out_sentence(Facts(one_arm(outreach())), "gig") is None


def test_equal_assumptions_are_told_once() -> None:
    result = one_arm(outreach())
    assert result.value is not None
    same = tuple(replace(item, low=item.central, high=item.central) for item in result.value.assumptions)
    once = render_report(replace(result, value=replace(result.value, assumptions=same)), ledger_head=None)
    assert "Low assumptions" not in once
    assert "Low assumptions" in render_report(result, ledger_head=None)


def test_the_dots_are_as_coarse_as_the_sentence() -> None:
    html = re.sub(r"<[^>]+>", "", render_report(wide(), ledger_head=None))
    assert "133 do with “Customer expert calls”" in html
    assert "10 fewer than with “Business as usual”; the range includes no change" in html


def test_a_check_that_had_nothing_to_look_at_hides_none_that_passed() -> None:
    passed = CheckResult(name="srm", verdict="pass", on_breach="fail", text="Split as planned.", value=0.4, p=0.4)
    vain = CheckResult(name="srm_by_segment", verdict="info", on_breach="warn", text="No segments.")
    skipped = replace(vain, on_breach="skip", value=0.0001, p=0.0001, text="Uneven.")
    for other, word in ((vain, "Passed"), (skipped, "For information")):
        (lights,) = TrustSection().build(Facts(outreach(checks=(passed, other)))).blocks
        assert lights.lights[0].word == word  # type: ignore[union-attr]


@pytest.mark.parametrize(("look", "day"), [(2, "2026-06-01"), (4, None)])
def test_a_hold_between_looks_names_the_next(look: int, day: str | None) -> None:
    result = rich()
    assert result.reading is not None
    (terms,) = DecisionSection().build(Facts(replace(result, reading=replace(result.reading, look=look)))).blocks
    told = {plain(name): plain(words) for name, words in terms.items}  # type: ignore[union-attr, arg-type]
    assert told.get("Next look") == (None if day is None else f"The plan reads the data again on {day}.")
