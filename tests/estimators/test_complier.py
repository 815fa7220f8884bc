"""Complier rows against raw rows: every kind of outcome, two-sided delivery, clusters, segments, and every reason."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as reference

from cxcausal.core.registry import Registry
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.estimators.complier import NEITHER_IS_NOTHING, NOT_REACHED, Complier
from cxcausal.estimators.delivery import DELIVERY
from cxcausal.estimators.multiplicity import apply_multiplicity
from tests.estimators.plans import CHURN, SPEND, compared, draw, levels_of, one, plan
from tests.twins import Rows, Values, full_cr2

EXACT = 1e-9
CSAT = {"name": "csat", "type": "ordinal", "column": "csat", "desired_direction": "increase", "response": "answered"}
NPS = {"name": "nps", "type": "nps", "column": "nps", "desired_direction": "increase"}
TOP = {"name": "top", "type": "top_box", "column": "csat", "at_least": 4, "desired_direction": "increase"}
AOV = {"name": "aov", "type": "ratio", "numerator": "spend", "denominator": "orders", "desired_direction": "increase"}
P90 = {"name": "p90", "type": "quantile", "column": "spend", "q": 0.9, "desired_direction": "increase"}


def reaching(
    metrics: dict[str, Any] | None = None, *, arms: tuple[str, ...] = ("none", "gig"), **more: Any
) -> ExperimentSpec:
    """Return a plan that says what was delivered."""
    spec = plan(metrics, arms=arms, **more)
    treatment = spec.design.treatment.model_copy(update={"received": "reached"})
    return spec.model_copy(update={"design": spec.design.model_copy(update={"treatment": treatment})})


def reached(seed: int, n: int = 600, *, always: float = 0.0, **more: Any) -> Rows:
    """Return rows of which six in ten are reached if assigned, and some in any case."""
    rows, rng = draw(seed, n, **more), np.random.default_rng(seed + 1000)
    kind, assigned = rng.random(n), rows.columns["arm"] != "none"
    got = (kind < always) | (assigned & (kind < 0.6 + always))
    return Rows(columns={**rows.columns, "reached": got.astype(float), "spend": rows.columns["spend"] + 3.0 * got})


def told(spec: ExperimentSpec, rows: Rows, alpha: float = 0.05) -> list[Estimate]:
    """Return the companion's rows of every metric."""
    companion, levels, found = Complier(), levels_of(spec, rows), []
    for _, metric in spec.metrics.with_roles():
        answers = rows.answers(companion.queries(spec, metric, levels))
        found += [row.at(alpha) for row in companion.compare(spec, metric, levels, answers)]
    return found


def welch(values: Values, treated: Values) -> tuple[float, float, float]:
    """Return the difference, its standard error and degrees of freedom."""
    one, two = values[treated], values[~treated]
    parts = [side.var(ddof=1) / len(side) for side in (one, two)]
    df = sum(parts) ** 2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, (one, two), strict=True))
    return float(one.mean() - two.mean()), float(sum(parts) ** 0.5), float(df)


def twin(y: Values, d: Values, treated: Values, level: float) -> tuple[float, float, float, float]:
    """Return point, low, high and SE from raw rows: the ends by search among the tests that they invert."""
    point = welch(y, treated)[0] / welch(d, treated)[0]
    df = welch(y, treated)[2]
    bound = reference.t.ppf((1 + level) / 2, df)

    def distance(beta: float) -> float:
        found = welch(y - beta * d, treated)
        return abs(found[0]) / found[1] - bound

    ends = []
    for side in (-1, 1):
        near, far = point, point + side * 1e4
        for _ in range(200):
            middle = (near + far) / 2
            near, far = (middle, far) if distance(middle) <= 0 else (near, middle)
        ends.append(near)
    return point, ends[0], ends[1], welch(y - point * d, treated)[1] / abs(welch(d, treated)[0])


@pytest.mark.parametrize("always", [0.0, 0.25])
@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (SPEND, lambda c: c["spend"]),
        (CHURN, lambda c: c["churned"]),
        (CSAT, lambda c: np.where(c["answered"] == 1, c["csat"], np.nan)),
        (TOP, lambda c: (c["csat"] >= 4).astype(float)),
        (NPS, lambda c: 100.0 * (c["nps"] >= 9) - 100.0 * (c["nps"] <= 6)),
    ],
    ids=["mean", "proportion", "ordinal", "top_box", "nps"],
)
def test_every_metric_with_a_mean_has_the_anderson_rubin_set(metric: dict[str, Any], value: Any, always: float) -> None:
    rows = reached(1, always=always)
    y, d = value(rows.columns), rows.columns["reached"]
    known, treated = ~np.isnan(y), rows.columns["arm"] == "gig"
    row = one(told(reaching({"success": [metric]}), rows), method="wald")
    expected = twin(y[known], d[known], treated[known], 0.95)
    assert (row.point, row.low, row.high, row.se) == pytest.approx(expected, rel=1e-7)
    assert row.point == pytest.approx(expected[0], rel=EXACT)
    assert row.p == pytest.approx(2 * reference.t.sf(abs(_t(y[known], treated[known])), float(row.df or 0)), rel=EXACT)
    assert (row.estimand, row.companion, row.headline, row.level) == ("late", True, False, 0.95)
    assert (row.n_treated, row.n_control) == (int(known[treated].sum()), int(known[~treated].sum()))


def _t(y: Values, treated: Values) -> float:
    difference, se, _ = welch(y, treated)
    return difference / se


def test_a_guardrails_bound_errs_at_alpha_on_either_side_and_has_no_p() -> None:
    rows = reached(2)
    spec = reaching({"success": [CHURN], "guardrails": [{**SPEND, "margin": {"absolute": 1.0}}]})
    row = one(told(spec, rows), metric="spend")
    treated = rows.columns["arm"] == "gig"
    expected = twin(rows.columns["spend"], rows.columns["reached"], treated, 0.9)
    assert (row.point, row.low, row.high) == pytest.approx(expected[:3], rel=1e-7)
    assert row.level == pytest.approx(0.9)
    assert row.p is None


def test_units_without_an_outcome_or_without_a_delivery_count_in_neither() -> None:
    rows = reached(3)
    spend, got = rows.columns["spend"].copy(), rows.columns["reached"].copy()
    spend[::7], got[::11] = np.nan, np.nan
    known, treated = ~np.isnan(spend) & ~np.isnan(got), rows.columns["arm"] == "gig"
    found = told(reaching(), Rows(columns={**rows.columns, "spend": spend, "reached": got}))
    row, share = one(found, method="wald"), one(found, metric=DELIVERY)
    expected = twin(spend[known], got[known], treated[known], 0.95)
    assert (row.point, row.low, row.high, row.se) == pytest.approx(expected, rel=1e-7)
    assert row.n_treated == int((known & treated).sum())
    assert share.n_treated == int((~np.isnan(got) & treated).sum())


def test_delivery_stands_once_per_arm_however_many_metrics_there_are() -> None:
    rows = reached(4, n=1800, arms=("none", "gig", "agent"), always=0.2)
    spec = reaching({"success": [SPEND, CHURN], "secondary": [NPS]}, arms=("none", "gig", "agent"), segments=["tier"])
    shares = [row for row in told(spec, rows) if row.metric == DELIVERY]
    assert [row.arm for row in shares] == ["gig", "agent"]
    for row in shares:
        sides = [rows.columns["reached"][rows.columns["arm"] == arm] for arm in (row.arm, "none")]
        limits = reference.ttest_ind(*sides, equal_var=False).confidence_interval(0.95)
        assert (row.mean_treated, row.mean_control) == pytest.approx([side.mean() for side in sides], rel=EXACT)
        assert (row.low, row.high) == pytest.approx((limits.low, limits.high), rel=EXACT)
        assert (row.role, row.companion, row.unit) == ("exploratory", True, "share of customers")


def test_with_nobody_reached_in_the_control_delivery_has_newcombes_range() -> None:
    (row,) = [row for row in told(reaching(), reached(5)) if row.metric == DELIVERY]
    assert (row.method, row.mean_control) == ("newcombe", 0.0)
    assert row.point == row.mean_treated


def test_segments_and_clusters() -> None:
    rows = reached(6, n=900, always=0.1)
    spec = reaching(data={"cluster": "household"}, segments=["tier"])
    found = told(spec, rows)
    for population, own in (("all", np.ones(900, dtype=bool)), ("tier=plus", rows.columns["tier"] == "plus")):
        row = one(found, metric="spend", population=population)
        treated = (rows.columns["arm"][own] == "gig").astype(float)
        design, contrast = np.column_stack([treated, 1 - treated]), np.array([1.0, -1.0])
        cluster, y, d = (rows.columns[name][own] for name in ("household", "spend", "reached"))
        plain = full_cr2(design, y, cluster, contrast)
        bound = reference.t.ppf(0.975, plain.df)
        assert row.df == pytest.approx(plain.df, rel=EXACT)
        for end in (row.low, row.high):
            fit = full_cr2(design, y - end * d, cluster, contrast)
            t = contrast @ fit.beta / np.sqrt(contrast @ fit.covariance @ contrast)
            assert abs(t) == pytest.approx(bound, rel=1e-7)


def test_contrasts_between_two_contacts_say_why_not_and_only_over_everybody() -> None:
    arms = ("none", "gig", "agent")
    spec = reaching(arms=arms, contrasts=[["gig", "agent"]], segments=["tier"])
    rows = [row for row in told(spec, reached(7, arms=arms)) if row.control == "agent"]
    assert [(row.population, row.status, row.reason) for row in rows] == [("all", "not_computed", NEITHER_IS_NOTHING)]


@pytest.mark.parametrize(
    ("metric", "data", "words"),
    [
        (AOV, {}, "a ratio of means has no effect per customer reached"),
        (P90, {}, "a quantile is not an average"),
        (SPEND, {"weight": "w"}, "weighted customers"),
    ],
)
def test_what_has_no_complier_effect_says_so_once(metric: dict[str, Any], data: dict[str, Any], words: str) -> None:
    found = told(reaching({"success": [metric]}, data=data, segments=["tier"]), reached(8))
    (row,) = [row for row in found if row.metric != DELIVERY]
    assert (row.population, row.status) == ("all", "not_computed")
    assert words in str(row.reason)
    assert (row.n_treated, row.mean_treated, row.point) == (None, None, None)


def test_weighted_shares_of_delivery_are_ratios_of_sums() -> None:
    rows = reached(9)
    (row,) = [row for row in told(reaching(data={"weight": "w"}), rows) if row.metric == DELIVERY]
    own = rows.columns["arm"] == "gig"
    assert row.mean_treated == pytest.approx(np.average(rows.columns["reached"][own], weights=rows.columns["w"][own]))


def _changed(rows: Rows, **columns: Values) -> Rows:
    return Rows(columns={**rows.columns, **columns})


def test_where_delivery_hardly_moves_the_effect_is_withheld_and_the_counts_stay() -> None:
    rows = reached(10)
    coin = (np.random.default_rng(1).random(600) < 0.5).astype(float)
    row = one(told(reaching(), _changed(rows, reached=coin)), method="wald")
    assert (row.status, row.reason, row.point, row.low) == ("not_computed", NOT_REACHED, None, None)
    assert row.n_treated


def test_where_fewer_are_reached_because_they_are_assigned_it_is_withheld() -> None:
    rows = reached(10)
    row = one(told(reaching(), _changed(rows, reached=1 - rows.columns["reached"])), method="wald")
    assert (row.status, row.reason) == ("not_computed", NOT_REACHED)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_delivery_that_is_the_same_for_all(value: float) -> None:
    found = told(reaching(), _changed(reached(11), reached=np.full(600, value)))
    effect, share = one(found, method="wald"), one(found, metric=DELIVERY)
    assert (effect.status, effect.reason) == ("not_computed", NOT_REACHED)
    assert (share.status, share.reason) == ("not_computed", "delivery does not vary")
    assert share.mean_treated == value


def test_full_delivery_gives_the_effect_of_being_assigned() -> None:
    rows = reached(12)
    rows = _changed(rows, reached=(rows.columns["arm"] == "gig").astype(float))
    row = one(told(reaching(), rows), method="wald")
    itt = one([found.at(0.05) for found in compared(reaching(), rows)], scale="absolute")
    assert (row.point, row.low, row.high, row.se, row.p) == pytest.approx((itt.point, itt.low, itt.high, itt.se, itt.p))


def test_rare_events_are_withheld_because_their_effect_of_being_assigned_is_told_by_another_method() -> None:
    rows = reached(13)
    churned = np.zeros(600)
    churned[:15] = 1.0
    row = one(told(reaching({"success": [CHURN]}), _changed(rows, churned=churned)), metric="churn")
    assert row.status == "not_computed"
    assert "too few events" in str(row.reason)


@pytest.mark.parametrize("units", [0, 1, 2, 3])
def test_arms_of_few_units_give_rows_and_never_a_traceback(units: int) -> None:
    rows = reached(14)
    kept = np.flatnonzero(rows.columns["arm"] == "none").tolist()
    kept += np.flatnonzero(rows.columns["arm"] == "gig")[:units].tolist()
    few = Rows(columns={name: column[kept] for name, column in rows.columns.items()})
    for data in ({}, {"cluster": "household"}):
        found = told(reaching(data=data), few)
        assert {row.metric for row in found} == {"spend", DELIVERY}
        for row in found:
            assert row.status == "ok" or row.reason
            assert (row.point is None) == (row.status != "ok")


def test_tiny_segments_are_hidden() -> None:
    rows = reached(15)
    tier = np.array(["plus"] * 600)
    tier[np.flatnonzero(rows.columns["arm"] == "gig")[:6]] = "rare"
    tier[np.flatnonzero(rows.columns["arm"] == "none")[:40]] = "rare"
    row = one(told(reaching(segments=["tier"]), _changed(rows, tier=tier)), population="tier=rare")
    assert (row.status, row.n_treated, row.mean_treated, row.mean_control) == ("not_computed", None, None, None)
    assert "not shown" in str(row.reason)


def test_without_a_word_on_delivery_there_is_neither_query_nor_row() -> None:
    assert Complier().queries(plan(), plan().metrics.success[0], {}) == ()
    assert Complier().compare(plan(), plan().metrics.success[0], {}, {}) == ()


def test_no_level_or_family_changes_because_of_the_rows_beside() -> None:
    rows, spec = reached(16), reaching({"success": [SPEND, CHURN]}, segments=["tier"])
    main = compared(spec, rows)
    companion, levels = Complier(), levels_of(spec, rows)
    beside = [
        row
        for metric in spec.metrics.success
        for row in companion.compare(spec, metric, levels, rows.answers(companion.queries(spec, metric, levels)))
    ]
    assert not any(row.confirmatory for row in beside)
    together = apply_multiplicity([*main, *beside], spec.analysis)
    assert together[: len(main)] == apply_multiplicity(main, spec.analysis)
    assert {row.p_adjusted for row in together[len(main) :]} == {None}


def test_the_plans_rows_stay_of_being_assigned_where_the_complier_effect_is_asked_for() -> None:
    spec = reaching(estimand={"contrast": "itt"}).model_copy(update={"estimand": _late()})
    assert {row.at(0.05).estimand for row in compared(spec, reached(17))} == {"itt"}


def _late() -> Any:
    return plan(estimand={"contrast": "itt"}).estimand.model_copy(update={"contrast": "late"})


@pytest.mark.parametrize("data", [{}, {"cluster": "household"}, {"cluster": ["household", "agent"]}, {"weight": "w"}])
def test_the_engine_and_the_rows_agree(tmp_path: Path, data: dict[str, Any]) -> None:
    rows = reached(18, n=900, arms=("none", "gig", "agent"), always=0.15)
    spend = rows.columns["spend"].copy()
    spend[::9] = np.nan
    rows = _changed(rows, spend=spend)
    pd.DataFrame(rows.columns).assign(id=np.arange(900)).to_parquet(tmp_path / "rows.parquet")
    metrics = {"success": [SPEND, TOP], "guardrails": [CHURN], "secondary": [NPS, CSAT, AOV]}
    source = {"source": "rows.parquet", **data}
    spec = reaching(metrics, arms=("none", "gig", "agent"), data=source, segments=["tier"])
    companion, found = Complier(), []
    with open_dataset(spec, tmp_path, data_roots=()) as dataset:
        for _, metric in spec.metrics.with_roles():
            answers = dataset.answer(companion.queries(spec, metric, dataset.levels))
            found += [row.at(0.05) for row in companion.compare(spec, metric, dataset.levels, answers)]
    wanted = told(spec, rows)
    assert len(found) == len(wanted) > 8
    for ours, theirs in zip(found, wanted, strict=True):
        for name, value in asdict(theirs).items():
            assert asdict(ours)[name] == (pytest.approx(value, rel=1e-8) if isinstance(value, float) else value), name


def test_it_is_registered_and_randomised_designs_name_it() -> None:
    assert Registry(kind="companions").load("complier") is Complier
    assert "complier" in Registry(kind="designs").load("randomized").companions
