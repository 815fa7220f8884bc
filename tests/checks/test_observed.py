"""Checks of observational designs, on answers made by hand: verdicts and sentences."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from cxcausal.checks.balance import Balance
from cxcausal.checks.leakage import Leakage
from cxcausal.checks.negative_controls import NegativeControls
from cxcausal.checks.overlap import Overlap
from cxcausal.checks.placebo_period import PlaceboPeriod
from cxcausal.checks.specification import Specification
from cxcausal.checks.time_zero import TimeZero
from cxcausal.core import score_answers
from cxcausal.core.queries import CorrelationQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.score_answers import (
    ArmOverlap,
    BalanceAnswer,
    GiveawayAnswer,
    Imbalance,
    Opinion,
    OverlapAnswer,
    ScoreEffect,
    ScoreEffects,
    SeparationAnswer,
    SpecificationAnswer,
    TimeZeroAnswer,
    TimeZeroGap,
)
from cxcausal.core.score_queries import EffectQuery, ExposureQuery, GiveawayQuery, SeparationQuery
from cxcausal.core.spec.models import ExperimentSpec
from tests.checks.worlds import CHURN, SPEND, plan, told

BREACHES: list[tuple[OnBreach, CheckVerdict]] = [("fail", "fail"), ("warn", "warn"), ("skip", "info")]
SCORED = (Overlap(), Balance(), TimeZero(), NegativeControls(), PlaceboPeriod(), Specification())


def handoff(*, target: str = "att", **more: Any) -> ExperimentSpec:
    """Return an observational plan with the arms bot (control) and human."""
    arms = {"bot": {"label": "The bot"}, "human": {"label": "A person"}, **more.pop("arms", {})}
    design = {
        "type": "observational",
        "treatment": {"column": "route", "control": "bot", "arms": arms},
        "confounders": ["mood"],
        **more.pop("design", {}),
    }
    return plan(unit="customer_id", **{"estimand": {"contrast": target}, "design": design, **more})


def judged(check: Any, spec: ExperimentSpec, *answers: Any) -> CheckResult:
    """Judge a check by the answers to its queries, in their order; the last one is that of all further queries."""
    queries: tuple[Query, ...] = check.queries(spec)
    each = (*answers, *answers[-1:] * (len(queries) - len(answers)))
    found: CheckResult = check.judge(spec, told(dict(zip(queries, each, strict=True))))
    return found


def overlapping(effective: float, units: int = 15_992, **more: Any) -> OverlapAnswer:
    """Return an overlap of 185 treated units and those they are compared with."""
    nothing = np.zeros(9)
    bot = ArmOverlap(
        units=units,
        effective=effective,
        quantiles=nothing,
        histogram={},
        below=0,
        above=0,
        clipped=0,
        unlikely={"human": int(0.72 * units)},
    )
    human = ArmOverlap(
        units=185, effective=185.0, quantiles=nothing, histogram={}, below=0, above=0, clipped=0, unlikely={"bot": 0}
    )
    known = {"floor": 0.01, "discrimination": {"bot": 0.976, "human": 0.976}, "units": units + 185}
    return OverlapAnswer(arms={"bot": bot, "human": human}, **{**known, **more})


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_groups_too_far_apart(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = judged(Overlap(on_breach=on_breach), handoff(), overlapping(128.4))
    assert found.verdict == verdict
    assert found.value == pytest.approx(128.4 / 15_992)
    assert found.text == (
        "The groups are too far apart: of 15,992 in 'The bot', the comparison rests on the equivalent of 128; "
        "72 in 100 of them had almost no chance of 'A person'. Of two customers with different treatment, what was "
        "known beforehand tells which is which 98 times in 100 (by chance alone: 50). Analyse fewer and more similar "
        "customers (data.filter), or toss a coin for some of them."
    )


@pytest.mark.parametrize(
    ("target", "answers", "offered"),
    [
        ("ate", (overlapping(128.4), overlapping(1_600.0), overlapping(8_000.0)), "att"),
        ("ate", (overlapping(8_000.0, outside=0.2), overlapping(8_000.0, outside=0.05)), "att"),
        ("ate", (overlapping(8_000.0, outside=0.2),), "ato"),
        ("ate", (overlapping(128.4), overlapping(130.0), overlapping(1_600.0)), "ato"),
        ("ate", (overlapping(128.4),), None),
        ("att", (overlapping(128.4), overlapping(1_600.0)), "ato"),
        ("ato", (overlapping(128.4),), None),
        ("ate", (overlapping(8_000.0, discrimination={"bot": 0.995}),), None),
    ],
)
def test_only_an_effect_that_these_groups_can_tell_is_offered_instead(
    target: str, answers: tuple[OverlapAnswer, ...], offered: str | None
) -> None:
    found = judged(Overlap(), handoff(target=target), *answers)
    assert found.verdict == "fail"
    asked = [each for each in ("ate", "att", "ato") if f"(estimand: {{contrast: {each}}})" in found.text]
    assert asked == ([] if offered is None else [offered])
    assert found.text.endswith("customers (data.filter), or toss a coin for some of them.")


@pytest.mark.parametrize(
    ("target", "more", "verdict"),
    [
        ("att", {"outside": 0.11}, "fail"),
        ("att", {"outside": 0.09}, "pass"),
        ("ate", {"clipped": 0.03}, "fail"),
        ("ate", {"clipped": 0.01}, "pass"),
        ("ato", {"outside": 0.4}, "pass"),
    ],
)
def test_those_without_a_choice_stop_what_divides_by_it(target: str, more: Any, verdict: str) -> None:
    found = judged(Overlap(), handoff(target=target), overlapping(8_000.0, **more))
    assert found.verdict == verdict
    if target == "ato":
        assert found.text.endswith("40 in 100 had almost no choice, and count for little.")


def test_groups_that_overlap() -> None:
    found = judged(Overlap(), handoff(), overlapping(1_600.0))
    assert found.verdict == "pass"
    assert "the comparison rests on the equivalent of 1,600" in found.text
    assert "(needed: 1,599)" in found.text


def gap(after: float, se: float, level: str = "", before: float = 0.8) -> Imbalance:
    return Imbalance(arm="human", column="tier", level=level, before=before, after=after, se=se)


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_a_gap_that_is_left(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    rows = BalanceAnswer(rows=(gap(0.2, 0.03, "gold"), gap(0.15, 0.2)))
    found = judged(Balance(on_breach=on_breach), handoff(), rows)
    assert (found.verdict, found.value) == (verdict, 0.2)
    assert found.text.startswith(
        "After weighting the groups still differ in one of 2 things, most in 'tier' = 'gold', 'A person' against "
        "'The bot': 0.2 of the usual spread between customers (limit: 0.1)."
    )


@pytest.mark.parametrize(("on_breach", "verdict"), [("fail", "warn"), ("warn", "warn"), ("skip", "info")])
def test_a_gap_that_chance_may_leave_only_warns(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = judged(Balance(on_breach=on_breach), handoff(), BalanceAnswer(rows=(gap(0.15, 0.06), gap(0.01, 0.001))))
    assert (found.verdict, found.value) == (verdict, 0.15)
    assert "In groups of this size chance alone may leave one like it" in found.text


def test_balanced_groups() -> None:
    found = judged(Balance(), handoff(), BalanceAnswer(rows=(gap(-0.04, 0.001, "missing"),)))
    assert found.verdict == "pass"
    assert found.text == (
        "After weighting the groups are alike in 1 thing: the widest gap is in 'tier' missing, 'A person' against "
        "'The bot': 0.04 of the usual spread between customers (limit: 0.1); before, it was 0.8 in 'tier' missing."
    )


TIMED: dict[str, Any] = {"data": {"time_zero": "failed_at"}}
WINDOW: dict[str, Any] = {"metrics": {"success": [{**CHURN, "window": {"start": "0d", "end": "90d"}}]}}


@pytest.mark.parametrize(
    ("days", "se", "standardised", "verdict"),
    [
        (6.8, 0.9, 0.27, "fail"),
        (-6.8, 0.9, -0.27, "fail"),
        (6.8, 3.0, 0.27, "pass"),  # chance
        (0.5, 0.01, 0.27, "pass"),  # hours
        (6.8, 0.9, 0.05, "warn"),  # little beside three years of enrolment, much beside 90 days
        (3.0, 0.3, 0.05, "pass"),
    ],
)
def test_time_zero(days: float, se: float, standardised: float, verdict: str) -> None:
    answer = TimeZeroAnswer(gaps=(TimeZeroGap(arm="human", days=days, se=se, standardised=standardised),))
    found = judged(TimeZero(), handoff(**TIMED, **WINDOW), answer)
    assert (found.verdict, found.value) == (verdict, abs(days))
    if verdict == "fail":
        late, early = ("A person", "The bot") if days > 0 else ("The bot", "A person")
        assert f"of '{late}' lies 6.8 days later than that of '{early}'" in found.text


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_a_breach_of_time_zero_means_what_the_plan_says(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    answer = TimeZeroAnswer(gaps=(TimeZeroGap(arm="human", days=1.0, se=0.01, standardised=0.3),))
    found = judged(TimeZero(on_breach=on_breach), handoff(**TIMED), answer)
    assert found.verdict == verdict
    assert "lies 1 day later" in found.text


def test_one_date_for_all_is_one_time_zero() -> None:
    assert judged(TimeZero(), handoff(**TIMED), TimeZeroAnswer(gaps=())).verdict == "pass"
    assert judged(TimeZero(), handoff()).verdict == "could_not_run"


def effects(size: float, se: float, arm: str = "human", reason: str | None = None) -> ScoreEffects:
    found = ScoreEffect(
        n=(100, 100), mean=(2.0 + size, 2.0), covariance=np.diag([se**2 / 2, se**2 / 2]), df=500.0, reason=reason
    )
    return ScoreEffects(effects={(arm, "bot", ""): found})


CONTROLS: dict[str, Any] = {"design": {"negative_controls": {"outcomes": ["calls"], "exposures": ["ivr"]}}}


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_a_control_that_moves(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    check = NegativeControls(on_breach=on_breach)
    found = judged(check, handoff(**CONTROLS), effects(0.31, 0.05), score_answers.Tested(p=0.4))
    assert found.verdict == verdict
    assert found.p == pytest.approx(2 * 2 * student.sf(6.2, 500))  # two sides, and the smaller of two
    assert found.text == (
        "Something that 'A person' cannot have changed, 'calls', differs after adjustment by 0.31 from that of "
        "'The bot': the groups differ in something that was not measured. Chance alone does this less than once in a "
        "million times."
    )


def test_an_exposure_that_goes_with_the_outcome() -> None:
    found = judged(NegativeControls(), handoff(**CONTROLS), effects(0.01, 0.05), score_answers.Tested(p=1e-4))
    assert found.verdict == "fail"
    assert found.text.startswith(
        "'ivr' cannot have changed 'churn', and goes with it all the same after adjustment: the groups differ in "
        "something that was not measured."
    )


def test_controls_are_judged_together() -> None:
    spec = handoff(**CONTROLS)
    queries = NegativeControls().queries(spec)
    assert [type(query) for query in queries] == [EffectQuery, ExposureQuery]
    # Each alone would fail at .01, and two of them may not.
    lonely = judged(NegativeControls(), spec, effects(0.1, 0.05), score_answers.Tested(p=0.008))
    assert lonely.verdict == "pass"
    assert lonely.p == pytest.approx(0.016)
    assert lonely.text == "What cannot have moved did not move beyond chance after adjustment: 'calls' and 'ivr'."


@pytest.mark.parametrize("why", ["", "no customer in arm 'human' has a value"])
def test_controls_that_cannot_be_tested(why: str) -> None:
    vain = effects(0.0, 0.0) if not why else effects(0.1, 0.1, reason=why)
    constant = "it does not vary among those present"
    both = judged(NegativeControls(), handoff(**CONTROLS), vain, score_answers.Tested(reason=constant))
    assert both.verdict == "could_not_run"
    assert both.text == f"This could not be looked at: 'calls': {why or constant}; 'ivr': {constant}."
    one = judged(NegativeControls(), handoff(**CONTROLS), vain, score_answers.Tested(p=0.5))
    assert one.verdict == "pass"
    assert one.text.endswith(f": 'ivr'. Not tested: 'calls' ({why or constant}).")


def test_a_control_that_is_adjusted_for_tells_nothing() -> None:
    found = judged(NegativeControls(), handoff(design={"negative_controls": {"outcomes": ["mood"]}}))
    assert found.verdict == "info"
    assert "is adjusted for" in found.text
    assert judged(NegativeControls(), handoff()).verdict == "info"


def test_a_difference_before_anything_was_done() -> None:
    spec = handoff(metrics={"success": [CHURN, {**SPEND, "covariate": "spend_before"}]})
    moved = judged(PlaceboPeriod(), spec, effects(-0.4, 0.05))
    assert moved.verdict == "fail"
    assert moved.text.startswith("'spend_before', from before time zero, differs after adjustment by \N{MINUS SIGN}0.4")
    still = judged(PlaceboPeriod(), spec, effects(0.1, 0.05))
    assert still.verdict == "pass"
    adjusted = handoff(metrics=spec.metrics.model_dump(), covariates=["spend_before"])
    assert judged(PlaceboPeriod(), adjusted).verdict == "info"


@pytest.mark.parametrize(("alone", "verdict"), [(0.995, "fail"), (0.98, "pass")])
def test_a_confounder_that_decides_the_treatment(alone: float, verdict: str) -> None:
    spec = handoff()
    queries = Leakage().queries(spec)
    assert [type(query) for query in queries] == [CorrelationQuery, SeparationQuery, GiveawayQuery]
    found = judged(Leakage(), spec, 0.2, SeparationAnswer(alone={"mood": alone}), GiveawayAnswer(alone={}))
    assert found.verdict == verdict
    assert ("'mood' alone all but tells who was treated" in found.text) == (verdict == "fail")


@pytest.mark.parametrize(("alone", "verdict"), [(0.985, "fail"), (0.97, "pass")])
def test_a_confounder_that_no_line_leads_from_gives_an_outcome_away(alone: float, verdict: str) -> None:
    answers = (SeparationAnswer(alone={"mood": 0.6}), GiveawayAnswer(alone={"mood": alone}))
    found = judged(Leakage(), handoff(), float("nan"), *answers)
    assert (found.verdict, found.value) == (verdict, alone)
    assert ("'mood' all but gives " in found.text) == (verdict == "fail")


def choices(**gaps: tuple[float, float]) -> SpecificationAnswer:
    told = {
        name.replace("_", " "): Opinion(point=0.1 + size, se=0.02, gap=size, gap_se=se)
        for name, (size, se) in gaps.items()
    }
    return SpecificationAnswer(choices={("human", "bot"): told})


def test_an_effect_that_hangs_on_how_it_is_computed() -> None:
    answer = choices(linear_learners=(0.05, 0.01), boosted_learners=(0.001, 0.002), one_split=(0.2, 0.001))
    found = judged(Specification(), handoff(), answer)
    assert found.verdict == "warn"
    assert found.value == pytest.approx(5)
    assert found.text == (
        "How the effect is computed moves it by more than chance explains: with straight-line models, the effect on "
        "'churn', 'A person' against 'The bot', would be 0.15 instead of 0.1 (5 times what chance usually makes of it; "
        "limit: 3). For comparison: either is uncertain by about 0.039 in both directions."
    )
    calm = judged(Specification(), handoff(), choices(boosted_learners=(0.001, 0.002)))
    assert calm.verdict == "pass"
    assert calm.text.startswith("1 other way of computing the effects tells much the same")


def test_an_effect_that_is_far_more_uncertain_supports_nothing_however_small_its_gap() -> None:
    wild = Opinion(point=0.11, se=0.09, scores_se=0.02, gap=0.01, gap_se=0.09)
    near = Opinion(point=0.101, se=0.03, gap=0.001, gap_se=0.002, scores_se=0.02)
    answer = SpecificationAnswer(choices={("human", "bot"): {"boosted learners": wild, "linear learners": near}})
    found = judged(Specification(), handoff(), answer)
    assert found.verdict == "warn"
    assert found.value == pytest.approx(0.5)
    assert found.text == (
        "Computed with decision trees, the effect on 'churn', 'A person' against 'The bot', tells nothing for or "
        "against the plan's own: it is uncertain by about 0.18 in both directions, 4.5 times as much (limit: 3 times). "
        "1 other way of computing the effects tells much the same: for 'churn', 'A person' against 'The bot', all lie "
        "between 0.1 and 0.101 (largest gap: 0.5 times what chance usually makes of it; limit: 3)."
    )
    assert judged(Specification(on_breach="fail"), handoff(), answer).verdict == "warn"
    assert judged(Specification(on_breach="skip"), handoff(), answer).verdict == "info"
    alone = SpecificationAnswer(choices={("human", "bot"): {"boosted learners": wild}})
    assert (judged(Specification(), handoff(), alone).verdict, judged(Specification(), handoff(), alone).value) == (
        "warn",
        None,
    )
    sure = SpecificationAnswer(choices={("human", "bot"): {"boosted learners": replace(wild, se=0.06)}})
    assert judged(Specification(), handoff(), sure).verdict == "pass"


@pytest.mark.parametrize("check", SCORED, ids=lambda check: check.name)
def test_where_a_coin_was_tossed_there_is_nothing_to_see(check: Any) -> None:
    spec = plan(data={"time_zero": "day"})
    assert check.queries(spec) == ()
    assert check.judge(spec, {}).verdict == "info"


@pytest.mark.parametrize("answer", [OverlapAnswer, BalanceAnswer, TimeZeroAnswer, SpecificationAnswer])
def test_what_cannot_be_learned_is_said(answer: type) -> None:
    why = "arm 'human' has too few customers to learn from (at least 20 outside every fold)"
    made = {
        OverlapAnswer: (Overlap(), OverlapAnswer(arms={}, floor=0, discrimination={}, units=9, reason=why)),
        BalanceAnswer: (Balance(), BalanceAnswer(rows=(), reason=why)),
        TimeZeroAnswer: (TimeZero(), TimeZeroAnswer(gaps=(), reason=why)),
        SpecificationAnswer: (
            Specification(),
            SpecificationAnswer(choices={("human", "bot"): {"all": Opinion(reason=why)}}),
        ),
    }
    check, vain = made[answer]
    found = judged(check, handoff(**TIMED), vain)
    assert (found.verdict, found.text) == ("could_not_run", f"This could not be looked at: {why}.")
