"""Ratios, weighted means and strata in the engine against whole matrices on rows, and against themselves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import Regression
from cxcausal.core.errors import DataError, PlanError
from cxcausal.core.measure import Measure
from cxcausal.core.queries import RegressionQuery
from cxcausal.data import Dataset
from tests.data.plans import ARMS, ask, opened, rows
from tests.data.test_regressions import COVARIATES, close, customers, design_of, only
from tests.regression_twins import fits_of
from tests.twins import Values

AOV = Measure(name="aov", terms=(("revenue", 1.0),), denominator="orders")
SPEND = Measure(name="spend", terms=(("spend", 1.0),))
DESIGN = {
    "type": "randomized",
    "treatment": {"column": "arm", "control": "none", "arms": {arm: {} for arm in ARMS}},
}


def open_in(root: Path, frame: pd.DataFrame, *strata: str, name: str = "x.parquet") -> Dataset:
    design = {**DESIGN, "strata": list(strata)}
    return opened(frame, root, name, data={"weight": "weight"}, covariates=COVARIATES, design=design)


def held(found: Regression, parts: Values, arm: Values, z: Values) -> None:
    """Hold every arm's fits of all components to whole matrices."""
    twin = fits_of(parts, arm, z, found.columns)
    assert set(found.arms) == set(twin.arms) == set(ARMS)
    for name, expected in twin.arms.items():
        fit = found.arms[name]
        assert fit.covariance.shape == (parts.shape[1],) * 2
        for one in ("n", "mean", "adjusted", "covariance", "slopes", "leverage"):
            close(getattr(fit, one), getattr(expected, one))


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
@pytest.mark.parametrize("weight", [None, "weight"])
def test_both_components_of_a_ratio_are_fitted_with_their_covariance(
    tmp_path: Path, name: str, weight: str | None
) -> None:
    frame = customers(1500)
    measure = Measure(name="aov", terms=(("revenue", 1.0),), denominator="orders", weight=weight)
    query = RegressionQuery(measure=measure, covariates=tuple(COVARIATES))
    with open_in(tmp_path, frame, name=name) as data:
        found = only(ask(data, (query,))[query])
    parts = frame[["revenue", "orders"]].to_numpy(dtype=np.float64) * (frame[["weight"]].to_numpy() if weight else 1)
    held(found, parts, frame.arm.to_numpy(), design_of(frame, frame).to_numpy())


def test_a_weighted_mean_counts_whom_it_has_a_value_of(tmp_path: Path) -> None:
    frame = customers(1500)
    measure = Measure(name="spend", terms=(("spend", 1.0),), weight="weight")
    query = RegressionQuery(measure=measure, covariates=("before", "channel"))
    with open_in(tmp_path, frame) as data:
        found = only(ask(data, (query,))[query])
    own = frame.spend.notna()
    parts = np.column_stack([frame.spend * frame.weight, frame.weight])[own]
    z = design_of(frame[own], frame)[["before", "channel=phone"]].to_numpy()
    held(found, parts, frame.arm[own].to_numpy(), z)


def test_measures_of_one_and_two_components_share_their_passes(tmp_path: Path) -> None:
    churn = Measure(name="churn", terms=(("churned", 1.0),))
    asked = [RegressionQuery(measure=one, covariates=("before",)) for one in (churn, AOV, churn, AOV)]
    with open_in(tmp_path, customers()) as data:
        together = ask(data, asked)
        for query in asked:
            alone = only(ask(data, (query,))[query]).arms.values()
            for one, two in zip(alone, only(together[query]).arms.values(), strict=True):
                close(one.covariance, two.covariance)
                close(one.adjusted, two.adjusted)


def test_strata_are_their_combinations_without_the_most_frequent(tmp_path: Path) -> None:
    frame = customers(1800)
    frame["grade"] = np.random.default_rng(1).choice([1, 2, 3], len(frame), p=[0.2, 0.5, 0.3])
    query = RegressionQuery(measure=SPEND, covariates=("grade", "channel", "before"), strata=("grade", "channel"))
    with open_in(tmp_path, frame, "grade", "channel") as data:
        found = only(ask(data, (query,))[query])
    cells = [(str(grade), channel) for grade, channel in zip(frame.grade, frame.channel, strict=True)]
    most = max(sorted(set(cells)), key=cells.count)
    others = [cell for cell in sorted(set(cells)) if cell != most]
    assert found.columns == (*(f"grade={grade} and channel={channel}" for grade, channel in others), "before")
    assert not found.strata_apart
    own = frame.spend.notna()
    z = np.column_stack([[one == cell for one in cells] for cell in others] + [frame.before - 1e6])
    held(found, frame.spend[own].to_numpy()[:, None], frame.arm[own].to_numpy(), z[own].astype(float))


@pytest.mark.parametrize("strata", [("place",), ("place", "time")])
def test_strata_of_one_value_make_no_column(tmp_path: Path, strata: tuple[str, ...]) -> None:
    query = RegressionQuery(measure=AOV, covariates=strata, strata=strata)
    with open_in(tmp_path, customers().assign(place="here", time="now"), *strata) as data:
        found = only(ask(data, (query,))[query])
    assert (found.columns, found.arms, found.strata_apart) == ((), {}, False)


def test_strata_and_covariates_together_have_a_limit_of_columns(tmp_path: Path) -> None:
    frame = customers(3000)
    frame = frame.assign(**{f"t{i}": [f"v{(j + i) % 40}" for j in range(len(frame))] for i in range(3)})
    query = RegressionQuery(measure=SPEND, covariates=("t0", "t1", "t2"), strata=("t0",))
    data = opened(frame, tmp_path, covariates=["t1", "t2"], design={**DESIGN, "strata": ["t0"]})
    with data, pytest.raises(DataError) as refused:
        ask(data, (query,))
    (problem,) = refused.value.problems
    assert (problem.code, "the strata and covariates make 117 columns" in problem.what) == ("D331", True)


def test_a_missing_stratum_is_one_of_its_own(tmp_path: Path) -> None:
    query = RegressionQuery(measure=SPEND, covariates=("tier",), strata=("tier",))
    with open_in(tmp_path, customers(1500), "tier") as data:
        found = only(ask(data, (query,))[query])
    assert found.columns == ("tier=(missing)", "tier=gold")


def test_the_same_column_may_be_a_stratum_for_one_and_a_covariate_for_another(tmp_path: Path) -> None:
    one, two = (RegressionQuery(measure=SPEND, covariates=("tier",), strata=strata) for strata in ((), ("tier",)))
    frame = customers(1500)
    data = opened(frame, tmp_path, covariates=["tier"], segments=[], design={**DESIGN, "strata": ["tier"]})
    with data:
        answers = ask(data, (one, two))
    assert only(answers[one]).columns == ("tier=gold", "tier=silver")
    assert only(answers[two]).columns == ("tier=(missing)", "tier=gold")


def test_residuals_that_go_against_each_other_are_summed_exactly(tmp_path: Path) -> None:
    frame = customers(900)
    frame["revenue"] = 1e6 - 1e5 * frame.orders
    query = RegressionQuery(measure=AOV, covariates=("before",))
    with open_in(tmp_path, frame) as data:
        found = only(ask(data, (query,))[query])
    assert all(fit.covariance[0, 1] < 0 for fit in found.arms.values())
    parts = frame[["revenue", "orders"]].to_numpy(dtype=np.float64)
    held(found, parts, frame.arm.to_numpy(), design_of(frame, frame)[["before"]].to_numpy())


def test_too_many_combinations_make_columns_of_each_stratum_alone(tmp_path: Path) -> None:
    frame = customers(3000)
    rng = np.random.default_rng(2)
    frame["branch"], frame["day"] = (rng.integers(0, 9, len(frame)).astype(str) for _ in range(2))
    query = RegressionQuery(measure=SPEND, covariates=("branch", "day"), strata=("branch", "day"))
    with open_in(tmp_path, frame, "branch", "day") as data:
        found = only(ask(data, (query,))[query])
    assert found.strata_apart
    assert len(found.columns) == 16
    assert all(name.startswith(("branch=", "day=")) and " and " not in name for name in found.columns)


def test_a_stratum_that_was_not_read_is_refused(tmp_path: Path) -> None:
    query = RegressionQuery(measure=SPEND, covariates=("before",), strata=("channel_of_old",))
    with open_in(tmp_path, customers()) as data, pytest.raises(PlanError) as refused:
        ask(data, (query,))
    assert [problem.code for problem in refused.value.problems] == ["D140"]


def test_numbers_are_the_same_to_the_bit_in_every_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = rows(2500).assign(before=rows(2500, seed=3).revenue, plan="a")
    query = RegressionQuery(measure=AOV, covariates=("tier", "before"), strata=("tier",))
    found = set()
    for seed, threads in ((None, 1), (1, 2), (2, 4), (3, None)):
        monkeypatch.setattr("cxcausal.data.engines.embedded.THREADS", threads)
        shuffled = frame if seed is None else frame.sample(frac=1, random_state=seed)
        with open_in(tmp_path, shuffled, "tier") as data:
            fits = only(ask(data, (query,))[query]).arms.values()
        found.add(tuple((fit.covariance.tobytes(), fit.adjusted.tobytes(), fit.slopes.tobytes()) for fit in fits))
    assert len(found) == 1
