"""Checks on who was assigned to what: sample ratio, mixed units, duplicates."""

import pytest

from cxcausal.checks.duplicates import DuplicateUnits
from cxcausal.checks.mixed_assignment import MixedAssignment
from cxcausal.checks.srm import Srm
from cxcausal.checks.srm_by_segment import SrmBySegment
from cxcausal.core.answers import Duplicates
from cxcausal.core.queries import CountQuery, DuplicateQuery, FlowQuery, MixedQuery
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from tests.checks.worlds import flow, plan, told

UNITS = CountQuery(of="randomization_unit")
TIER = CountQuery(of="randomization_unit", by=("tier",))
BREACHES: list[tuple[OnBreach, CheckVerdict]] = [("fail", "fail"), ("warn", "warn"), ("skip", "info")]


def srm(none: int, gig: int, on_breach: OnBreach = "fail") -> CheckResult:
    return Srm(on_breach=on_breach).judge(plan(), told({UNITS: {("none", ()): none, ("gig", ()): gig}}))


def test_srm_passes_and_says_what_it_could_have_seen() -> None:
    found = srm(13050, 12950)
    assert found.verdict == "pass"
    assert found.p == pytest.approx(0.5351, abs=1e-4)
    assert (found.value, found.threshold) == (found.p, 0.001)
    assert found.text == (
        "The 26,000 randomised units are split as planned. A shift of 1.3 percentage points or more in any arm's "
        "share would very probably have been seen."
    )


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_srm_breach(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = srm(48100, 51900, on_breach)
    assert found.verdict == verdict
    assert found.text == (
        "48.1 % of 100,000 randomised units landed in the arm 'none' instead of 50 %. "
        "A split this uneven happens by chance less than once in a million times."
    )


def test_srm_names_the_arm_that_is_farthest_off_for_its_share() -> None:
    arms = {"a": {"share": "8/10"}, "b": {"share": "1/10"}, "c": {"share": "1/10"}}
    design = {"type": "randomized", "treatment": {"column": "arm", "control": "a", "arms": arms}}
    answers = told({UNITS: {("a", ()): 7700, ("b", ()): 1250, ("c", ()): 1050}})
    assert "12.5 % of 10,000 randomised units landed in the arm 'b' instead of 10 %" in (
        Srm().judge(plan(design=design), answers).text
    )


def test_srm_counts_an_arm_without_units() -> None:
    found = Srm().judge(plan(), told({UNITS: {("none", ()): 400}}))
    assert found.verdict == "fail"
    assert found.text.startswith("100 % of 400 randomised units landed in the arm 'none' instead of 50 %")


def test_srm_asks_for_randomised_units_and_needs_planned_shares_and_units() -> None:
    assert Srm().queries(plan()) == (UNITS,)
    assert Srm().queries(plan(shares=False)) == ()
    assert Srm().judge(plan(shares=False), {}).verdict == "could_not_run"
    assert Srm().judge(plan(), told({UNITS: {}})).verdict == "could_not_run"


def test_srm_alpha_is_an_option() -> None:
    answers = told({UNITS: {("none", ()): 520, ("gig", ()): 480}})
    assert Srm(alpha=0.3).judge(plan(), answers).verdict == "fail"
    assert Srm(alpha=0.2).judge(plan(), answers).verdict == "pass"


def by_tier(*levels: tuple[str, int, int], on_breach: OnBreach = "warn") -> CheckResult:
    table = {(arm, (level,)): n for level, none, gig in levels for arm, n in (("none", none), ("gig", gig))}
    return SrmBySegment(on_breach=on_breach).judge(plan(segments=["tier"]), told({TIER: table}))


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_srm_by_segment_finds_the_uneven_level(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = by_tier(("basic", 500, 510), ("plus", 400, 600), on_breach=on_breach)
    assert found.verdict == verdict
    assert found.text == (
        "Where tier = plus, 1,000 randomised units are split unevenly: 40 % in 'none' (planned: 50 %), "
        "60 % in 'gig' (planned: 50 %). Among 2 segments, chance does this less than once in a million times."
    )


def test_srm_by_segment_corrects_for_the_number_of_levels() -> None:
    one = by_tier(("plus", 450, 555))
    two = by_tier(("plus", 450, 555), ("basic", 500, 500))
    assert one.p is not None
    assert two.p == pytest.approx(2 * one.p)
    assert (one.verdict, two.verdict) == ("warn", "pass")
    assert two.text == "Split as planned: 2 segments."
    assert by_tier(("plus", 500, 505), ("basic", 500, 500)).p == 1.0


def test_srm_by_segment_leaves_small_levels_out_and_names_missing_ones() -> None:
    assert by_tier(("tiny", 9, 0)).verdict == "could_not_run"
    assert by_tier(("ten", 10, 0)).p == pytest.approx(0.00157, abs=1e-5)
    assert "Where tier missing, 1,000" in by_tier(("", 400, 600)).text
    one_arm = told({TIER: {("none", ("plus",)): 20}})
    assert "100 % in 'none' (planned: 50 %), 0 % in 'gig'" in (
        SrmBySegment().judge(plan(segments=["tier"]), one_arm).text
    )


def test_srm_by_segment_needs_segments_and_shares() -> None:
    assert SrmBySegment().queries(plan(segments=["tier"])) == (TIER,)
    assert SrmBySegment().queries(plan(segments=["tier"], shares=False)) == ()
    assert SrmBySegment().judge(plan(segments=["tier"], shares=False), {}).verdict == "could_not_run"
    assert SrmBySegment().judge(plan(), {}).verdict == "info"


def mixed(units: int, check: MixedAssignment) -> CheckResult:
    return check.judge(plan(), told({MixedQuery(): units, FlowQuery(): flow()}))


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_mixed_assignment(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = mixed(3, MixedAssignment(on_breach=on_breach))
    assert (found.verdict, found.value) == (verdict, 0.003)
    assert found.text == "In more than one arm: 3 of 1,000 randomised units, 0.3 % (limit: 0 %)."
    assert mixed(0, MixedAssignment()).text == "Each of the 1,000 randomised units was in one arm only."
    assert mixed(0, MixedAssignment()).verdict == "pass"
    assert mixed(3, MixedAssignment(max_share=0.003)).verdict == "pass"


def test_mixed_assignment_without_units() -> None:
    assert MixedAssignment().queries(plan()) == (MixedQuery(), FlowQuery())
    assert MixedAssignment().queries(plan(unit=None)) == ()
    assert MixedAssignment().judge(plan(unit=None), {}).verdict == "pass"
    empty = told({MixedQuery(): 0, FlowQuery(): flow(0, 0)})
    assert MixedAssignment().judge(plan(), empty).verdict == "could_not_run"


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
@pytest.mark.parametrize(("repeated", "across"), [(3, 1), (4, 0), (0, 4)])
def test_duplicates(on_breach: OnBreach, verdict: CheckVerdict, repeated: int, across: int) -> None:
    answers = told({DuplicateQuery(): Duplicates(repeated=repeated, mixed=across)})
    found = DuplicateUnits(on_breach=on_breach).judge(plan(), answers)
    assert (found.verdict, found.value) == (verdict, 4.0)
    assert found.text == (
        f"In more than one row: 4 units ({repeated} within one arm, {across} in several), "
        "which would count more than once."
    )


def test_one_duplicate_is_enough() -> None:
    found = DuplicateUnits().judge(plan(), told({DuplicateQuery(): Duplicates(repeated=0, mixed=1)}))
    assert (found.verdict, found.value, found.threshold) == ("fail", 1.0, 0.0)
    assert found.text.startswith("In more than one row: 1 unit (0 within one arm, 1 in several)")


def test_no_duplicates() -> None:
    assert DuplicateUnits().queries(plan()) == (DuplicateQuery(),)
    assert DuplicateUnits().queries(plan(unit=None)) == ()
    assert DuplicateUnits().judge(plan(unit=None), {}).verdict == "pass"
    found = DuplicateUnits().judge(plan(), told({DuplicateQuery(): Duplicates(repeated=0, mixed=0)}))
    assert (found.verdict, found.text) == ("pass", "Every unit appears once.")
