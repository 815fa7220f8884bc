"""Checks on what was known before the contact: balance and leakage."""

from collections.abc import Mapping
from math import nan
from typing import Any

import pytest

from cxcausal.checks.leakage import Leakage
from cxcausal.checks.pre_period_balance import PrePeriodBalance
from cxcausal.core.queries import CorrelationQuery, CovariateQuery
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.score_answers import GiveawayAnswer
from cxcausal.core.score_queries import GiveawayQuery
from tests.checks.worlds import CHURN, CSAT, SPEND, moments, plan, told

BREACHES: list[tuple[OnBreach, CheckVerdict]] = [("fail", "fail"), ("warn", "warn"), ("skip", "info")]


def balance(check: PrePeriodBalance | None = None, **columns: Mapping[Any, Any]) -> CheckResult:
    answers = told({CovariateQuery(column=name): answer for name, answer in columns.items()})
    return (check or PrePeriodBalance()).judge(plan(covariates=list(columns)), answers)


def numbers(mean: float, variance: float = 4.0) -> Mapping[Any, Any]:
    return {("none", ()): moments(400, 10.0, 4.0), ("gig", ()): moments(300, mean, variance)}


def levels(**shares: tuple[int, int]) -> Mapping[Any, Any]:
    return {(arm, (name,)): n for name, pair in shares.items() for arm, n in zip(("none", "gig"), pair, strict=True)}


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_balance_of_numbers(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = balance(PrePeriodBalance(on_breach=on_breach), tenure=numbers(9.4, 5.0), age=numbers(10.1))
    assert found.verdict == verdict
    assert found.value == pytest.approx(0.6 / (4.5**0.5))
    assert found.text == (
        "The arms were not alike before the contact: of 2 things known then, the widest gap is in 'tenure', "
        "'Expert calls' against 'none': 0.28 of the usual spread between units (limit: 0.1)."
    )


def test_balance_of_levels_and_missing_values() -> None:
    found = balance(tier=levels(basic=(200, 120), plus=(200, 180)))
    assert found.value == pytest.approx(0.1 / ((0.25 + 0.24) / 2) ** 0.5)
    assert "the widest gap is in 'tier' = 'basic'" in found.text
    absent = balance(tier={("none", ("a",)): 90, ("gig", ("a",)): 100, ("none", ("",)): 10})
    assert absent.value == pytest.approx(0.1 / (0.09 / 2) ** 0.5)


def test_balance_of_a_level_that_one_arm_lacks() -> None:
    found = balance(tier={("none", ("a",)): 50, ("none", ("b",)): 50, ("gig", ("a",)): 100})
    assert found.value == pytest.approx(0.5 / (0.25 / 2) ** 0.5)
    only = balance(tier={("none", ("a",)): 50, ("gig", ("a",)): 50, ("none", ("b",)): 50, ("gig", ("c",)): 50})
    assert only.value == pytest.approx(0.5 / (0.25 / 2) ** 0.5)


def test_balance_never_prints_a_value_that_could_name_a_customer() -> None:
    mail = {("none", ("ann@example.com",)): 9, ("gig", ("bob@example.com",)): 9}
    found = balance(email=mail)
    assert (found.verdict, found.value) == ("warn", None)
    assert "example.com" not in found.text
    assert "the widest gap is in a rare value of 'email'" in found.text
    assert "'tier' = 'ten'" in balance(tier=levels(ten=(9, 1), rest=(91, 99))).text


def test_balance_passes() -> None:
    found = balance(tenure=numbers(10.1))
    assert (found.verdict, found.threshold) == ("pass", 0.1)
    assert found.value == pytest.approx(0.05)
    assert found.text.startswith("The arms were alike before the contact: of 1 thing known then")
    at_the_limit = balance(PrePeriodBalance(max_abs_smd=0.0), tenure=numbers(10.0))
    assert (at_the_limit.verdict, at_the_limit.text[:20]) == ("pass", "The arms were alike ")
    assert balance(PrePeriodBalance(max_abs_smd=0.04), tenure=numbers(10.1)).verdict == "warn"
    assert balance(tenure={("none", ()): moments(9, 1, 0), ("gig", ()): moments(9, 1, 0)}).value == 0.0


def test_balance_of_constants_that_differ_is_unlimited() -> None:
    found = balance(tenure={("none", ()): moments(9, 1, 0), ("gig", ()): moments(9, 2, 0)})
    assert (found.verdict, found.value) == ("warn", None)
    assert found.text.endswith("'Expert calls' against 'none': it tells the arms apart completely (limit: 0.1).")


def test_balance_asks_for_covariates_and_pre_periods_once() -> None:
    metrics = {"success": [{**SPEND, "covariate": "spend_pre"}, {**CHURN, "covariate": "tenure"}]}
    asked = PrePeriodBalance().queries(plan(metrics=metrics, covariates=["tenure", "tier"]))
    assert asked == tuple(CovariateQuery(column=name) for name in ("tenure", "tier", "spend_pre"))


def test_balance_could_not_run() -> None:
    assert balance().verdict == "could_not_run"
    assert balance(tenure={("none", ()): moments(9, 1, 1), ("gig", ()): moments(1, 1, 1)}).verdict == "could_not_run"
    assert balance(tier={("none", ("a",)): 3}).verdict == "could_not_run"


def leakage(check: Leakage | None = None, **found: float) -> CheckResult:
    spec = plan(covariates=list(found))
    judge = check or Leakage()
    asked = [query for query in judge.queries(spec) if isinstance(query, CorrelationQuery)]
    return judge.judge(spec, told({query: found[query.column] for query in asked}))


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
@pytest.mark.parametrize("sign", [1, -1])
def test_leakage(on_breach: OnBreach, verdict: CheckVerdict, sign: int) -> None:
    found = leakage(Leakage(on_breach=on_breach), tenure=0.1, closed_account=0.99 * sign)
    assert (found.verdict, found.value) == (verdict, 0.99)
    assert found.text == (
        "'closed_account' all but gives 'churn' away (correlation 0.99, limit 0.98): "
        "it was probably measured after the contact."
    )


def test_leakage_passes_below_its_limit() -> None:
    found = leakage(tenure=-0.3, age=0.2, channel=nan)
    assert (found.verdict, found.value) == ("pass", 0.3)
    assert found.text == (
        "No covariate gives an outcome away; the closest is 'tenure' with 'churn' (correlation 0.3, limit 0.98)."
    )
    assert leakage(tenure=0.98).verdict == "fail"
    assert leakage(Leakage(max_correlation=0.3), tenure=0.3).verdict == "fail"
    assert leakage().verdict == "pass"


def test_leakage_could_not_run_without_numbers() -> None:
    assert leakage(channel=nan).verdict == "could_not_run"


def test_leakage_asks_for_success_columns_only_and_both_sides_of_a_ratio() -> None:
    ratio = {"name": "aov", "type": "ratio", "numerator": "r", "denominator": "d", "desired_direction": "increase"}
    metrics = {"success": [CHURN, ratio], "guardrails": [CSAT]}
    asked = Leakage().queries(plan(metrics=metrics, covariates=["tenure"]))
    assert [query.measure.terms for query in asked if isinstance(query, CorrelationQuery)] == [
        (("churned", 1.0),),
        (("r", 1.0),),
        (("d", 1.0),),
    ]


WHOM: dict[str, Any] = {"effect_modifiers": ["mood"]}


@pytest.mark.parametrize("more", [{"estimation": {"method": "aipw"}}, WHOM, {"policy": {"budget": 100}}])
def test_what_no_line_leads_from_is_looked_at_where_rows_are_read_anyway(more: dict[str, Any]) -> None:
    spec = plan(covariates=["mood"], **more)
    queries = Leakage().queries(spec)
    assert [type(query) for query in queries] == [CorrelationQuery, GiveawayQuery]
    found = Leakage().judge(spec, told(dict(zip(queries, (nan, GiveawayAnswer(alone={"mood": 0.99})), strict=True))))
    assert (found.verdict, found.value) == ("fail", 0.99)
    assert [type(query) for query in Leakage().queries(plan(covariates=["mood"]))] == [CorrelationQuery]


def test_effect_modifiers_are_looked_at_where_a_coin_was_tossed() -> None:
    spec = plan(covariates=["tenure"], effect_modifiers=["tenure", "mood"])
    looked = {query.column for query in PrePeriodBalance().queries(spec) if isinstance(query, CovariateQuery)}
    assert looked == {"tenure", "mood"}
    asked = {query.column for query in Leakage().queries(spec) if isinstance(query, CorrelationQuery)}
    assert asked == {"tenure", "mood"}
