"""Which reading the data are: looks by date, information by matured units, and what may not be read yet."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cxcausal.core.answers import Flow
from cxcausal.core.errors import ExitCode, GateError
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FlowQuery, MaturedQuery, Query
from cxcausal.core.results import ArmValue, Estimate, Range, ValueResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.pipeline.reading import (
    ReadingNow,
    reading_of,
    reading_queries,
    refuse_early,
    withheld,
    withheld_value,
)
from cxcausal.stats.sequential import BURN_IN, READ_ONCE, AlwaysValid, GroupSequential
from tests.planning.plans import plan

LOOKS = ("2026-03-01", "2026-04-01", "2026-05-01")
GROUP: dict[str, Any] = {"peeking": "group_sequential", "looks": list(LOOKS)}
CLOCK = {"source": "x.csv", "unit": "customer_id", "time_zero": "day", "observed_until": "2026-05-02"}
MATURED = MaturedQuery(dates=LOOKS, days=90)


class Asked:
    """A data edge that knows how many units have matured, and remembers whether it was asked."""

    inputs = ()
    fingerprint = ""
    levels: Mapping[str, tuple[str, ...]] = {}

    def __init__(self, data_cut: str | None, analysed: int = 0) -> None:
        self.data_cut, self.analysed, self.asked = data_cut, analysed, 0

    def answer(self, queries: Sequence[Query]) -> Answers:
        self.asked += 1
        return {query: flow(self.analysed) for query in queries}

    def repeated_rows(self) -> tuple[str, tuple[int, ...]]:
        return "", ()


def flow(analysed: int) -> Flow:
    each = analysed // 3
    return Flow(
        rows=analysed,
        filtered_out=0,
        enrolled=analysed,
        immature=0,
        analysed=analysed,
        randomization_units=analysed,
        analysed_by_arm={"none": analysed - 2 * each, "gig": each, "agent": each},
    )


def read(spec: ExperimentSpec, cut: str | None, analysed: int, matured: Mapping[str, int] | None = None) -> ReadingNow:
    answers: dict[Query, Any] = {FlowQuery(): flow(analysed)}
    if matured is not None:
        answers[MATURED] = matured
    return reading_of(spec, cut, answers)


def group(reading: ReadingNow) -> GroupSequential:
    assert isinstance(reading.rule, GroupSequential)
    return reading.rule


@pytest.mark.parametrize(
    ("horizon", "cut", "analysed", "words"),
    [
        ({"date": "2026-12-20"}, "2026-12-19", 0, "the data reach to 2026-12-19.*from 2026-12-20 on"),
        ({"units": 900}, None, 899, "899 units have their whole window.*at 900"),
    ],
)
def test_a_fixed_plan_is_not_read_early(horizon: Any, cut: str | None, analysed: int, words: str) -> None:
    with pytest.raises(GateError, match=words) as told:
        refuse_early(plan(analysis={"horizon": horizon}), Asked(cut, analysed))
    problem = told.value.problems[0]
    assert (problem.where, problem.code, told.value.exit_code) == ("analysis.horizon", "G110", ExitCode.GATE)
    assert "wait" in problem.mend
    assert "always_valid" in problem.mend


@pytest.mark.parametrize(
    ("analysis", "cut", "analysed"),
    [
        ({}, None, 0),
        ({"horizon": {"date": "2026-12-20"}}, "2026-12-20", 0),
        ({"horizon": {"date": "2026-12-20"}}, None, 0),
        ({"horizon": {"units": 900}}, None, 900),
        ({"looks": ["2026-11-01"], "horizon": {"date": "2026-12-20"}}, "2027-01-01", 0),
        ({"peeking": "always_valid", "horizon": {"units": 900}}, None, 3),
        (GROUP, "2026-03-01", 3),
    ],
)
def test_what_may_be_read_is_read(analysis: Any, cut: str | None, analysed: int) -> None:
    refuse_early(plan(analysis=analysis), Asked(cut, analysed))


def test_a_fixed_plan_without_a_horizon_in_units_costs_no_pass_over_the_data() -> None:
    data = Asked("2026-12-20")
    refuse_early(plan(analysis={"horizon": {"date": "2026-12-20"}}), data)
    assert data.asked == 0


@pytest.mark.parametrize(
    ("cut", "code", "words"),
    [("2026-02-28", "G110", "from 2026-03-01 on .its first look"), (None, "G111", "nobody knows which planned look")],
)
def test_before_the_first_look_nothing_is_read(cut: str | None, code: str, words: str) -> None:
    for refused in (lambda spec: refuse_early(spec, Asked(cut)), lambda spec: read(spec, cut, 9)):
        with pytest.raises(GateError, match=words) as told:
            refused(plan(analysis=GROUP))
        assert told.value.problems[0].code == code


def test_a_fixed_plan_is_read_once_and_nothing_is_told_about_it() -> None:
    assert read(plan(), None, 9) == ReadingNow(rule=READ_ONCE)


@pytest.mark.parametrize(
    ("cut", "look"),
    [("2026-03-01", 1), ("2026-03-31", 1), ("2026-04-01", 2), ("2026-05-01", 3), ("2027-01-01", 3)],
)
def test_the_data_cut_says_which_look_it_is(cut: str, look: int) -> None:
    reading = read(plan(analysis=GROUP), cut, 900)
    assert reading.facts is not None
    assert (reading.facts.look, reading.facts.looks, reading.facts.look_date) == (look, 3, LOOKS[look - 1])
    assert f"look {look} of 3, planned for {LOOKS[look - 1]}" in reading.facts.sentence
    assert group(reading).spent == pytest.approx([at / 3 for at in range(1, look + 1)])
    assert "equally spaced" in reading.notes[1]


def test_a_later_horizon_is_the_last_look() -> None:
    spec = plan(analysis={**GROUP, "horizon": {"date": "2026-06-01"}})
    before, last = read(spec, "2026-05-31", 900), read(spec, "2026-06-01", 900)
    assert group(before).spent[-1] == 3 / 4
    assert (group(last).spent[-1], last.facts is not None and last.facts.looks) == (1.0, 4)


def test_information_is_counted_in_matured_units() -> None:
    spec = plan(data=CLOCK, analysis={**GROUP, "horizon": {"units": 1000}})
    assert reading_queries(spec) == (FlowQuery(), MATURED)
    second = group(read(spec, "2026-04-20", 600, {LOOKS[0]: 100, LOOKS[1]: 400, LOOKS[2]: 600}))
    assert (second.spent, second.information) == ((0.1, 0.4), (100.0, 600.0))
    last = group(read(spec, "2026-05-02", 700, {LOOKS[0]: 100, LOOKS[1]: 400, LOOKS[2]: 690}))
    assert (last.spent, last.information) == ((0.1, 0.4, 1.0), (100.0, 400.0, 700.0))


def test_a_look_that_is_read_late_spends_no_more_and_no_later_look_forgets_it() -> None:
    spec = plan(data=CLOCK, analysis={**GROUP, "horizon": {"units": 1000}})
    on_time = group(read(spec, LOOKS[1], 400, {LOOKS[0]: 100, LOOKS[1]: 400, LOOKS[2]: 400}))
    late = group(read(spec, "2026-04-30", 690, {LOOKS[0]: 100, LOOKS[1]: 400, LOOKS[2]: 690}))
    assert on_time.spent == late.spent
    unknown = group(read(plan(analysis={**GROUP, "horizon": {"units": 1000}}), LOOKS[0], 900))
    assert unknown.spent == (1 / 3,)


def test_without_a_horizon_in_units_the_course_is_by_looks_and_the_correlation_by_units() -> None:
    found = group(read(plan(data=CLOCK, analysis=GROUP), "2026-04-20", 600, {LOOKS[0]: 100, LOOKS[1]: 400}))
    assert (found.spent, found.information) == ((1 / 3, 2 / 3), (100.0, 600.0))


def test_units_that_come_fast_leave_something_for_every_later_look() -> None:
    spec = plan(data=CLOCK, analysis={**GROUP, "horizon": {"units": 500}})
    counts = {LOOKS[0]: 600, LOOKS[1]: 900, LOOKS[2]: 1200}
    nominal = [group(read(spec, day, counts[day], counts)).nominal(0.05) for day in LOOKS]
    assert min(nominal) > 0.005


def test_a_look_that_brought_nothing_new_is_no_look_of_its_own() -> None:
    spec = plan(data=CLOCK, analysis={**GROUP, "horizon": {"units": 1000}})
    found = group(read(spec, "2026-05-02", 400, {LOOKS[0]: 0, LOOKS[1]: 400, LOOKS[2]: 400}))
    assert (found.spent, found.information) == ((1.0,), (400.0,))
    assert found.nominal(0.05) == pytest.approx(0.05)


@pytest.mark.parametrize(("horizon", "tuned"), [({"units": 4000}, 4000), (None, 10_000)])
def test_any_time_is_tuned_to_the_horizon(horizon: Any, tuned: int) -> None:
    reading = read(plan(analysis={"peeking": "always_valid", "horizon": horizon, "alpha": 0.1}), None, 2000)
    assert reading.rule == AlwaysValid(units=2000, tuned=tuned, alpha=0.1)
    assert reading.facts is not None
    assert reading.facts.tuned_units == tuned
    assert ("default" in reading.notes[1]) == (horizon is None)


@pytest.mark.parametrize(("fewest", "waits"), [(BURN_IN - 1, True), (BURN_IN, False)])
def test_any_time_begins_when_every_arm_has_some_units(fewest: int, waits: bool) -> None:  # noqa: FBT001 - a parameter
    reading = read(plan(analysis={"peeking": "always_valid"}), None, 3 * fewest)
    assert (reading.waiting is not None) == waits


def test_what_is_withheld_has_no_number_to_conclude_from() -> None:
    row = Estimate(metric="m", role="success", arm="a", control="c", estimand="itt", method="x", n_treated=7)
    row = replace(row, point=1.0, low=0.5, high=1.5, level=0.95, se=0.1, p=0.01, p_adjusted=0.01, look_level=0.99)
    hidden = replace(row, status="not_computed", reason="its own")
    told, own = withheld((row, hidden), "too early")
    assert (told.status, told.reason, told.point, told.p_adjusted, told.n_treated) == (
        "not_computed", "too early", None, None, 7,
    )  # fmt: skip
    assert own is hidden
    arm = ArmValue(arm="a", control="c", net_per_customer={"central": Range(point=1.0)}, n_treated=7)
    value = withheld_value(ValueResult(currency="EUR", level=0.95, arms=(arm,)), "too early")
    assert value is not None
    assert (value.arms[0].status, value.arms[0].reason, value.arms[0].net_per_customer) == (
        "not_computed", "too early", {},
    )  # fmt: skip
    assert withheld_value(None, "too early") is None
