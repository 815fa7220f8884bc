"""Checks on what was not measured, and on the computation itself: sensitivity and refutation."""

from typing import Any

import pytest

from cxcausal.checks.refutation import RefutationCheck
from cxcausal.checks.sensitivity import SensitivityCheck, times_as_strong
from cxcausal.core.results import CheckResult
from cxcausal.core.score_answers import Benchmark, RefutationAnswer, Refuter, Sensitivity, SensitivityAnswer
from cxcausal.core.spec.models import ExperimentSpec
from tests.checks.worlds import CHURN, SPEND, plan

MOOD = (Benchmark(column="mood", outcome=0.2, treatment=0.1),)
ROUTES = {"bot": {"label": "Bot"}, "human": {"label": "A person"}, "expert": {"label": "An expert"}}


def spec(*metrics: Any, arms: tuple[str, ...] = ("human",)) -> ExperimentSpec:
    design = {
        "type": "observational",
        "treatment": {"column": "route", "control": "bot", "arms": {arm: ROUTES[arm] for arm in ("bot", *arms)}},
        "confounders": ["mood"],
    }
    return plan(design=design, metrics={"success": list(metrics or (CHURN,))})


def found(multiple: float | None, point: float = -0.05, **more: Any) -> Sensitivity:
    known: dict[str, Any] = {"robustness": 0.2, "robustness_interval": 0.1, "benchmarks": MOOD, **more}
    return Sensitivity(point=point, se=0.01, scale=1.0, multiple=multiple, **known)


def sensitivity(*each: Sensitivity, plan_: ExperimentSpec | None = None, **options: Any) -> CheckResult:
    made, check = plan_ or spec(), SensitivityCheck(**options)
    answers: dict[Any, Any] = {}
    place = 0
    for query in check.queries(made):
        arms = made.treated_arms
        answers[query] = SensitivityAnswer(
            found={(arm, "bot"): each[place + at] for at, arm in enumerate(arms)} | {("human", "expert"): found(0.01)}
        )
        place += len(arms)
    return check.judge(made, answers)


def test_a_sentence_that_a_person_can_picture() -> None:
    told = sensitivity(found(2.04))
    assert told.text == (
        "An unmeasured difference twice as strong as 'mood' would be enough to explain the effect of 'A person' on"
        " 'churn'."
    )
    assert (told.verdict, told.value) == ("info", 0.1)


def test_an_effect_that_less_than_a_covariate_undoes_is_warned_of_and_never_fails_by_default() -> None:
    told = sensitivity(found(0.5))
    assert told.verdict == "warn"
    assert "half as strong as 'mood'" in told.text
    assert sensitivity(found(0.5), on_breach="fail").verdict == "fail"
    assert sensitivity(found(0.5), on_breach="skip").verdict == "info"
    assert sensitivity(found(0.5), min_multiple=0.4).verdict == "info"
    assert sensitivity(found(2.04), min_multiple=3.0).verdict == "warn"


@pytest.mark.parametrize(
    ("each", "words"),
    [
        (found(40.0), "Even an unmeasured difference ten times as strong as 'mood' would not explain"),
        (found(None), "Even an unmeasured difference a hundred times as strong as 'mood' would not explain"),
        (found(None, benchmarks=()), "An unmeasured difference that explains 10 % of what is left unexplained"),
        (found(0.0, robustness_interval=0.0), "No effect is reliably different from zero anyway"),
    ],
)
def test_what_has_no_multiple_is_told_otherwise(each: Sensitivity, words: str) -> None:
    told = sensitivity(each)
    assert told.verdict == "info"
    assert told.text.startswith(words)


def test_no_multiple_is_told_of_covariates_that_hardly_explain_who_was_treated() -> None:
    weak = (
        Benchmark(column="mood", outcome=0.3, treatment=0.0012),
        Benchmark(column="tier", outcome=0.1, treatment=0.004),
    )
    told = sensitivity(found(40.0, benchmarks=weak))
    assert told.text == (
        "What is declared hardly explains who got 'A person': at most 0.4 % of it, by 'tier'. An unmeasured difference "
        "that explains 10 % of what is left unexplained, both of who was treated and of the outcome, would be enough "
        "to explain the effect of 'A person' on 'churn'."
    )
    assert sensitivity(found(0.5, benchmarks=weak)).verdict == "warn"
    strong = (weak[0], Benchmark(column="tier", outcome=0.1, treatment=0.01))
    assert "twice as strong as 'mood'" in sensitivity(found(2.0, benchmarks=strong)).text


def test_every_success_metric_is_told_reliable_effects_first_the_best_arm_first() -> None:
    both = spec(CHURN, SPEND, arms=("human", "expert"))
    told = sensitivity(
        found(3.0, point=-0.02),
        found(4.0, point=-0.09),
        found(0.0, point=1.0, robustness_interval=0.0),
        found(5.0, point=2.0, robustness_interval=0.05),
        plan_=both,
    )
    sentences = told.text.split(". ")
    assert [sentence.split("'")[1] for sentence in sentences[:3]] == ["mood"] * 3
    assert [sentence.split("'")[3] for sentence in sentences[:3]] == ["An expert", "A person", "An expert"]
    assert sentences[3] == "The effect of 'A person' on 'Spend' is not reliably different from zero anyway."
    assert told.value == 0.05


def test_effects_without_numbers_are_left_out() -> None:
    told = sensitivity(Sensitivity(reason="too few"))
    assert told.verdict == "could_not_run"


def test_words_for_multiples() -> None:
    words = [times_as_strong(each) for each in (0.1, 0.25, 1 / 3, 2 / 3, 0.75, 1.0, 0.86, 8.46)]
    assert words == [
        "a tenth as strong as",
        "a quarter as strong as",
        "a third as strong as",
        "two thirds as strong as",
        "three quarters as strong as",
        "as strong as",
        "90 % as strong as",
        "8.5 times as strong as",
    ]


def refutation(*refuters: Refuter, **options: Any) -> CheckResult:
    made, check = spec(), RefutationCheck(**options)
    (query,) = check.queries(made)
    return check.judge(made, {query: RefutationAnswer(refuters={("human", "bot"): refuters})})


def refuter(name: str, shift: float, se: float = 0.5) -> Refuter:
    return Refuter(name=name, expected=1.0, found=1.0 + shift, se=se, draws=100, refits=False)


def test_what_stays_where_it_must_passes_and_claims_no_more() -> None:
    told = refutation(refuter("subset", 0.4), refuter("placebo_treatment", -0.9))
    assert (told.verdict, told.threshold) == ("pass", 4.0)
    assert told.value == pytest.approx(1.8)
    assert told.text.endswith("This tests the computation; it says nothing about what was not measured.")


def test_what_moves_is_named() -> None:
    told = refutation(refuter("subset", 0.4), refuter("dummy_outcome", -3.0))
    assert told.verdict == "warn"
    assert told.text == (
        "The effect of 'A person' on 'churn' does not stand a test of the computation: a made-up outcome, which nobody"
        " could change, should not be changed, but is 6 of its standard errors off (limit: 4)."
    )
    assert refutation(refuter("subset", 3.0), on_breach="fail").verdict == "fail"
    assert refutation(refuter("subset", 3.0), max_shift_in_se=6.5).verdict == "pass"


def test_dowhys_refuters_are_asked_where_a_plan_asks_and_judged_alike() -> None:
    assert [each.dowhy for each in RefutationCheck(dowhy=True).queries(spec())] == [True]  # type: ignore[union-attr]
    told = refutation(refuter("dowhy_subset", 2.6), dowhy=True)
    assert "a random part of all should tell the same, but is 5.2 of its standard errors off" in told.text


def test_nothing_to_refute() -> None:
    assert refutation().verdict == "could_not_run"


def test_a_coin_needs_neither() -> None:
    for check in (SensitivityCheck(), RefutationCheck()):
        assert check.queries(plan()) == ()
        assert check.judge(plan(), {}).verdict == "info"
