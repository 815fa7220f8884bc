"""Families of rows: who is in them, which level each gets, and that intervals agree with the rule."""

import pytest

from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import Analysis
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.stats.multiplicity import benjamini_hochberg, holm
from tests.estimators.plans import CHURN, SPEND, compared, draw, one, plan

ARMS = ("none", "gig", "agent")
METRICS = {
    "success": [SPEND, CHURN],
    "guardrails": [{**SPEND, "name": "orders", "column": "orders", "margin": {"absolute": 0.2}}],
    "secondary": [{**SPEND, "name": "csat", "type": "ordinal", "column": "csat"}],
}
PLAN = plan(METRICS, arms=ARMS, contrasts=[["gig", "agent"]], segments=["tier"])


def _rows(analysis: Analysis | None = None, seed: int = 1) -> tuple[Estimate, ...]:
    return apply_multiplicity(compared(PLAN, draw(seed, 900, ARMS)), analysis or Analysis())


def _excludes_zero(row: Estimate) -> bool:
    assert row.low is not None
    assert row.high is not None
    return row.low > 0 or row.high < 0


def test_holm_covers_success_metrics_times_arms() -> None:
    rows = _rows()
    family = [one(rows, metric=m, arm=a, control="none") for a in ("gig", "agent") for m in ("spend", "churn")]
    expected = holm([row.p or 0.0 for row in family], 0.05)
    assert [row.p_adjusted for row in family] == pytest.approx(expected.p, rel=1e-12)
    assert [row.level for row in family] == pytest.approx([1 - alpha for alpha in expected.alpha], rel=1e-12)
    assert [_excludes_zero(row) for row in family] == list(expected.rejected)


def test_relative_rows_follow_their_absolute_row() -> None:
    rows = _rows()
    for absolute in (row for row in rows if row.scale == "absolute"):
        keys = {"metric": absolute.metric, "arm": absolute.arm, "control": absolute.control}
        relative = one(rows, scale="relative", population=absolute.population, **keys)
        assert (relative.level, relative.p_adjusted) == (absolute.level, absolute.p_adjusted)
        assert _excludes_zero(relative) == _excludes_zero(absolute)


def test_segments_are_a_family_per_metric() -> None:
    rows = _rows()
    family = [row for row in rows if row.metric == "spend" and row.population != "all" and row.scale == "absolute"]
    assert len(family) == 6
    expected = benjamini_hochberg([row.p or 0.0 for row in family], 0.05)
    assert [row.p_adjusted for row in family] == pytest.approx(expected.p, rel=1e-12)
    assert [_excludes_zero(row) for row in family] == list(expected.rejected)


def test_the_rest_stands_alone() -> None:
    rows = _rows()
    for row in (one(rows, metric="csat", arm="gig", control="none"), one(rows, metric="spend", control="agent")):
        assert (row.p_adjusted, row.level) == (None, 0.95)
    guardrail = one(rows, metric="orders", arm="gig", control="none")
    assert (guardrail.p_adjusted, guardrail.level) == (None, 0.9)


def test_no_rule_adjusts_nothing() -> None:
    rows = _rows(Analysis(multiplicity="none"))
    assert {row.p_adjusted for row in rows} == {None}
    assert {row.level for row in rows} == {0.95, 0.9}


def test_a_family_of_one_is_left_at_alpha() -> None:
    rows = apply_multiplicity(compared(plan(), draw(2)), Analysis(alpha=0.1))
    found = one(rows)
    assert (found.level, found.p_adjusted) == (0.9, found.p)


def test_an_incomputable_row_still_counts_in_the_family() -> None:
    spec = plan({"success": [SPEND, {**SPEND, "name": "flat", "column": "zero"}]})
    data = draw(3)
    data = type(data)(columns={**data.columns, "zero": data.columns["spend"] * 0})
    rows = apply_multiplicity(compared(spec, data), Analysis())
    assert one(rows, metric="flat").status == "not_computed"
    assert one(rows, metric="spend").p_adjusted == pytest.approx(2 * (one(rows, metric="spend").p or 0.0))


def test_order_and_number_of_rows_are_kept() -> None:
    before = [comparison.at(0.05) for comparison in compared(PLAN, draw(1, 900, ARMS))]
    keys = [(row.metric, row.arm, row.control, row.population, row.scale, row.point) for row in before]
    after = [(row.metric, row.arm, row.control, row.population, row.scale, row.point) for row in _rows()]
    assert after == keys
