"""Regressions in the engine against whole matrices on rows, and against themselves on rearranged rows."""

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import Regression
from cxcausal.core.errors import DataError, PlanError
from cxcausal.core.measure import Measure
from cxcausal.core.queries import RegressionQuery
from tests.data.plans import ARMS, ask, opened, rows
from tests.regression_twins import interacted, same_slopes

TOLERANCE = 1e-9
SPEND = Measure(name="spend", terms=(("spend", 1.0),))
NPS = Measure(name="nps", terms=(("nps_answer", 1.0),), transform="nps", response="answered")
CHURN = Measure(name="churn", terms=(("churned", 1.0),))
COVARIATES = ["age", "channel", "plan", "before"]
NAMES = ("age", "age=(missing)", "channel=phone", "plan=a", "plan=b", "before")


def customers(n: int = 900, seed: int = 7) -> pd.DataFrame:
    """Return rows with covariates of every kind: some ages and some plans are missing."""
    frame, rng = rows(n, seed), np.random.default_rng(seed + 1)
    return frame.assign(
        age=frame.age.where(rng.random(n) < 0.9).astype(float),
        plan=np.array(["a", "b", None])[rng.integers(0, 3, n)],
        before=1e6 + rng.gamma(2.0, 10.0, n),
        churned=(rng.random(n) < 0.3).astype(int),
    )


def design_of(frame: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": frame.age.fillna(whole.age.mean()),
            "age=(missing)": frame.age.isna().astype(float),
            "channel=phone": (frame.channel == "phone").astype(float),
            "plan=a": (frame.plan == "a").astype(float),
            "plan=b": (frame.plan == "b").astype(float),
            "before": frame.before - 1e6,
        }
    )


def close(found: object, expected: object) -> None:
    assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


def outcomes(frame: pd.DataFrame) -> dict[Measure, pd.Series]:
    score = frame.nps_answer.map(lambda v: -100.0 if v <= 6 else 0.0 if v <= 8 else 100.0, na_action="ignore")
    return {SPEND: frame.spend, NPS: score.where(frame.answered == 1), CHURN: frame.churned.astype(float)}


def only(answer: object) -> Regression:
    assert isinstance(answer, dict)
    (found,) = answer.values()
    assert isinstance(found, Regression)
    return found


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
def test_arm_wise_fits_are_those_of_one_interacted_regression(tmp_path: Path, name: str) -> None:
    frame = customers(1800)
    queries = {measure: RegressionQuery(measure=measure, covariates=tuple(COVARIATES)) for measure in outcomes(frame)}
    with opened(frame, tmp_path, name, covariates=COVARIATES) as data:
        answers = ask(data, tuple(queries.values()))
    for measure, outcome in outcomes(frame).items():
        found, own = only(answers[queries[measure]]), outcome.notna()
        z, arm = design_of(frame[own], frame).to_numpy(), frame.arm[own].to_numpy()
        twin = interacted(outcome[own].to_numpy(), arm, z, sorted(ARMS))
        assert (found.columns, found.dropped, found.n) == (NAMES, (), int(own.sum()))
        close(found.spread, np.cov(z, rowvar=False))
        for place, name_of_arm in enumerate(sorted(ARMS)):
            fit = found.arms[name_of_arm]
            close(fit.adjusted, twin.beta[place : place + 1])
            close(fit.covariance, twin.covariance[place : place + 1, place : place + 1])
            close(fit.slopes[:, 0], twin.beta[3 + 6 * place : 9 + 6 * place])
            close(fit.mean, [outcome[own][arm == name_of_arm].mean()])
            close(fit.leverage, twin.leverage[arm == name_of_arm].max())


def test_segments_are_fitted_apart(tmp_path: Path) -> None:
    frame = customers(1500)
    query = RegressionQuery(measure=SPEND, covariates=("age", "before"), by=("tier",))
    with opened(frame, tmp_path, covariates=COVARIATES) as data:
        answer = ask(data, (query,))[query]
    assert list(answer) == [("",), ("gold",), ("silver",)]
    for (tier,), found in answer.items():
        own = frame.spend.notna() & (frame.tier.fillna("") == tier)
        z = design_of(frame[own], frame)[["age", "age=(missing)", "before"]].to_numpy()
        if len(found.arms) == len(ARMS):
            twin = interacted(frame.spend[own].to_numpy(), frame.arm[own].to_numpy(), z, sorted(ARMS))
            close([found.arms[arm].adjusted[0] for arm in sorted(ARMS)], twin.beta[:3])
            close([found.arms[arm].covariance[0, 0] for arm in sorted(ARMS)], np.diag(twin.covariance)[:3])
        assert set(found.arms) == {arm for arm in ARMS if (own & (frame.arm == arm)).sum() >= 20 * len(found.columns)}
    assert len(answer["silver",].arms) == len(ARMS)


def test_common_slopes_are_those_of_two_arms_alone(tmp_path: Path) -> None:
    frame = customers()
    query = RegressionQuery(measure=SPEND, covariates=("age", "before"), contrast=("gig", "none"))
    with opened(frame, tmp_path, covariates=COVARIATES) as data:
        found = only(ask(data, (query,))[query])
    own = frame.spend.notna() & frame.arm.isin(["gig", "none"])
    z = design_of(frame[own], frame)[["age", "age=(missing)", "before"]].to_numpy()
    twin = same_slopes(frame.spend[own].to_numpy(), (frame.arm[own] == "gig").to_numpy().astype(float), z)
    close(found.arms["gig"].adjusted - found.arms["none"].adjusted, [twin.beta[1]])
    close((found.arms["gig"].covariance + found.arms["none"].covariance)[0, 0], twin.covariance[1, 1])
    assert (found.n, set(found.arms)) == (int(own.sum()), {"gig", "none"})


def test_numbers_are_the_same_to_the_bit_in_every_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = customers(2500)
    query = RegressionQuery(measure=SPEND, covariates=tuple(COVARIATES), by=("region",))
    found = set()
    for seed, threads in ((None, 1), (1, 2), (2, 4), (3, None)):
        monkeypatch.setattr("cxcausal.data.engines.embedded.THREADS", threads)
        shuffled = frame if seed is None else frame.sample(frac=1, random_state=seed)
        with opened(shuffled, tmp_path, covariates=COVARIATES) as data:
            answer = ask(data, (query,))[query]
        found.add(
            tuple(
                (
                    key,
                    one.spread.tobytes(),
                    *(value if np.isscalar(value) else value.tobytes() for value in astuple(fit)),
                )
                for key, one in answer.items()
                for fit in one.arms.values()
            )
        )
    assert len(found) == 1
    assert len(next(iter(found))) == 9


def test_columns_without_anything_of_their_own_are_dropped_in_the_plans_order_and_named(tmp_path: Path) -> None:
    frame = customers().assign(twice=lambda f: 2 * f.before + 3, constant=4.0, rare="no")
    frame.loc[frame.index[frame.arm == "gig"][0], "rare"] = "yes"
    names = ("before", "twice", "constant", "rare", "channel")
    query = RegressionQuery(measure=CHURN, covariates=names)
    with opened(frame, tmp_path, covariates=list(names)) as data:
        found = only(ask(data, (query,))[query])
    assert found.columns == ("before", "channel=phone")
    assert found.dropped == ("twice", "constant", "rare=yes")
    assert set(found.arms) == set(ARMS)


def test_an_arm_that_is_too_small_has_no_fit(tmp_path: Path) -> None:
    frame = customers()
    frame = frame.drop(frame.index[frame.arm == "agent"][39:])
    query = RegressionQuery(measure=CHURN, covariates=("before", "channel"))
    with opened(frame, tmp_path, covariates=COVARIATES) as data:
        found = only(ask(data, (query,))[query])
    assert set(found.arms) == {"none", "gig"}


def test_a_covariate_with_too_many_values_is_refused(tmp_path: Path) -> None:
    frame = customers().assign(street=[f"street {i % 51}" for i in range(900)])
    query = RegressionQuery(measure=CHURN, covariates=("street",))
    with opened(frame, tmp_path, covariates=["street"]) as data, pytest.raises(DataError) as refused:
        ask(data, (query,))
    assert [problem.code for problem in refused.value.problems] == ["D330"]


def test_covariates_that_make_too_many_columns_are_refused(tmp_path: Path) -> None:
    frame = customers().assign(**{f"t{i}": [f"v{(j + i) % 49}" for j in range(900)] for i in range(3)})
    query = RegressionQuery(measure=CHURN, covariates=("t0", "t1", "t2"))
    with opened(frame, tmp_path, covariates=["t0", "t1", "t2"]) as data, pytest.raises(DataError) as refused:
        ask(data, (query,))
    (problem,) = refused.value.problems
    assert (problem.code, "144 columns" in problem.what) == ("D331", True)


def test_a_covariate_that_was_not_read_is_refused(tmp_path: Path) -> None:
    query = RegressionQuery(measure=CHURN, covariates=("revenue_before",))
    with opened(customers(), tmp_path, covariates=COVARIATES) as data, pytest.raises(PlanError) as refused:
        ask(data, (query,))
    assert [problem.code for problem in refused.value.problems] == ["D141"]
