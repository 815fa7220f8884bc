"""Page one says what is adjusted, shows each effect once, and prefers rows that hold a number."""

from dataclasses import replace

import pytest

from cxcausal.core.results import Estimate, RunResult
from cxcausal.report.facts import Facts
from cxcausal.report.sections.change import ChangeSection
from cxcausal.report.sentences.adjustment import adjustment_sentence
from cxcausal.report.sentences.caveats import harmed_groups
from cxcausal.report.text import Number, plain
from tests.report.test_numbers import recomputed
from tests.report.worlds import one_arm, outreach


def twice(result: RunResult, metrics: tuple[str, ...], *, segments: bool = True) -> RunResult:
    """Return the result with an adjusted row, which leads, before each row of some metrics."""
    rows: list[Estimate] = []
    for row in result.effects:
        if row.metric not in metrics:
            rows.append(row)
            continue
        known = row.population == "all" or segments
        adjusted = replace(row, adjustment="covariates", method="lin")
        if not known:
            blank = dict.fromkeys(("point", "low", "high", "se", "p", "p_adjusted", "level"))
            adjusted = replace(adjusted, status="not_computed", reason="too few customers", **blank)  # type: ignore[arg-type]
        rows += [adjusted, replace(row, headline=False)]
    return replace(result, effects=tuple(rows))


def names(result: RunResult) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.metric for row in result.effects))


def test_nothing_is_said_where_nothing_is_adjusted() -> None:
    assert adjustment_sentence(Facts(outreach())) is None


def test_all_metrics_adjusted_for_the_covariates_by_name() -> None:
    result = twice(one_arm(outreach()), names(outreach()))
    sentence = adjustment_sentence(Facts(result))
    assert sentence is not None
    assert plain(sentence) == (
        "Differences and averages are adjusted for what was known beforehand: “tenure_months”, “tier”, "
        "“contacts_prev_90d”. That left the range of “Customers who leave within 90 days” about as wide as it was. The "
        "appendix shows them unadjusted as well."
    )
    words = [plain(block.words) for block in ChangeSection().build(Facts(result)).blocks if hasattr(block, "words")]
    assert plain(sentence) in words


def test_some_metrics_adjusted_are_named() -> None:
    sentence = adjustment_sentence(Facts(twice(one_arm(outreach()), ("churn_90d",))))
    assert sentence is not None
    assert plain(sentence).startswith("Differences and averages of “")
    assert "All others are as they came out." in plain(sentence)


@pytest.mark.parametrize(("by", "words"), [(0.82, "18 % narrower"), (1.031, "3 % wider")])
def test_what_the_adjustment_brought_comes_from_the_two_rows(by: float, words: str) -> None:
    result = twice(one_arm(outreach()), ("churn_90d",))
    rows = [closer(row, by) if row.adjustment == "covariates" else row for row in result.effects]
    facts = Facts(replace(result, effects=tuple(rows)))
    sentence = adjustment_sentence(facts)
    assert sentence is not None
    assert f" That made the range of “Customers who leave within 90 days” {words}. The" in plain(sentence)
    (number,) = [piece for piece in sentence if isinstance(piece, Number)]
    assert number.value == pytest.approx(100 * abs(1 - by))
    assert recomputed(dict(facts.tree), number.key) == pytest.approx(number.value)
    told = ("churn_90d", "all", "absolute")
    adjusted, beside = (at for at, row in enumerate(rows) if (row.metric, row.population, row.scale) == told)
    ends = ",".join(f"effects.{at}.{end}" for at in (adjusted, beside) for end in ("low", "high"))
    assert number.key == f"derived:percent_apart({ends})"


def test_nothing_is_said_of_ranges_at_another_level() -> None:
    result = twice(one_arm(outreach()), ("churn_90d",))
    rows = [replace(row, level=0.9) if row.adjustment == "none" else row for row in result.effects]
    sentence = adjustment_sentence(Facts(replace(result, effects=tuple(rows))))
    assert sentence is not None
    assert "the range of" not in plain(sentence)


def closer(row: Estimate, by: float) -> Estimate:
    assert row.low is not None
    assert row.high is not None
    middle, half = (row.low + row.high) / 2, (row.high - row.low) / 2 * by
    return replace(row, low=middle - half, high=middle + half)


def test_strata_are_named_before_covariates() -> None:
    result = twice(one_arm(outreach()), ("churn_90d",))
    design = {**result.plan["design"], "strata": ["region"]}
    sentence = adjustment_sentence(Facts(replace(result, plan={**result.plan, "design": design})))
    assert sentence is not None
    assert "beforehand: “region”, “tenure_months”, “tier”" in plain(sentence)


def test_many_covariates_are_not_listed() -> None:
    result = twice(one_arm(outreach()), ("churn_90d",))
    result = replace(result, plan={**result.plan, "covariates": [f"c{i}" for i in range(9)]})
    sentence = adjustment_sentence(Facts(result))
    assert sentence is not None
    assert "beforehand (the covariates of the plan)." in plain(sentence)


@pytest.mark.parametrize("segments", [True, False])
def test_each_effect_is_told_once_and_from_a_row_with_numbers(*, segments: bool) -> None:
    before, facts = Facts(outreach()), Facts(twice(outreach(), ("churn_90d",), segments=segments))
    assert [plain(one) for one in harmed_groups(facts)] == [plain(one) for one in harmed_groups(before)]
    rows = list(facts.rows(metric="churn_90d", scale="absolute"))
    assert len(rows) == len(list(before.rows(metric="churn_90d", scale="absolute")))
    shown = {row.estimate.adjustment for row in rows if row.estimate.population != "all"}
    assert shown == {"covariates" if segments else "none"}
    assert all(row.computed for row in rows)
