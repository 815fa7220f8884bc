"""What `UpliftModel` refuses before it learns, and what scikit-learn's `clone` asks of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from cxcausal import UpliftModel
from cxcausal.core.errors import CxCausalError, DataError, UsageError

N = 600
RNG = np.random.default_rng(3)
X = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.choice(["x", "y"], N)})
ARM = RNG.choice(["none", "call"], N)
Y = RNG.normal(size=N) + (ARM == "call") * (X["b"] == "x").to_numpy()
SHARES = {"none": 0.5, "call": 0.5}
ONE_MISSING = np.array([None, *ARM[1:]], dtype=object)


def fitted(model: UpliftModel | None = None, **changed: Any) -> UpliftModel:
    given: dict[str, Any] = {"X": X, "treatment": ARM, "y": Y, "control": "none", "shares": SHARES, **changed}
    return (model or UpliftModel(learners=("t",))).fit(**given)


@pytest.fixture(scope="module")
def model() -> UpliftModel:
    return fitted()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"X": X[["a"]].to_numpy()}, "pd.DataFrame"),
        ({"X": X["a"]}, "Series"),
        ({"X": pd.concat([X, X], axis=1)}, "same name"),
        ({"X": X.assign(a=np.inf)}, "infinite"),
        ({"y": Y[:-1]}, "599 values for 600 rows"),
        ({"y": Y.reshape(-1, 1)}, "one value per row"),
        ({"y": np.full(N, "much")}, "does not hold numbers"),
        ({"y": np.where(np.arange(N) == 0, np.inf, Y)}, "infinite"),
        ({"treatment": ONE_MISSING}, "1 rows have no arm"),
        ({"cluster": ONE_MISSING}, "1 rows have no cluster"),
        ({"control": "nobody"}, "no customer has the arm"),
        ({"shares": {"none": 0.5, "call": 0.9}}, "1 together"),
        ({"shares": {"none": 1.5, "call": -0.5}}, "above zero"),
        ({"shares": {"none": 1.0}}, "has no share"),
        ({"sample_weight": -np.ones(N)}, "below zero"),
        ({"sample_weight": np.zeros(N)}, "all are zero"),
        ({"sample_weight": np.full(N, np.nan)}, "missing"),
    ],
)
def test_what_has_no_meaning_is_refused_before_anything_is_learned(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fitted(**changed)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"alpha": 5}, "between 0 and 1"),
        ({"cost": {"call": float("nan")}}, "from 0 on"),
        ({"cost": {"call": -1}}, "from 0 on"),
        ({"cost": {"mail": 1}}, "no arm 'mail'"),
    ],
)
def test_a_model_made_of_nonsense_is_refused_when_it_is_fitted(made: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fitted(UpliftModel(learners=("t",), **made))


@pytest.mark.parametrize(
    "asked",
    [
        {"budget": -1},
        {"budget": float("nan")},
        {"capacity": {"mail": 0.2}},
        {"capacity": {"call": 5}},
        {"eligible": [True]},
        {"eligible": ["no"] * N},
        {"current": ["none"]},
        {"current": ["mail"] * N},
    ],
)
def test_a_policy_of_nonsense_is_refused(model: UpliftModel, asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        model.policy(**asked)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda model: model.predict(X.to_numpy()), UsageError),
        (lambda model: model.predict(X.assign(a=-np.inf)), UsageError),
        (lambda model: model.predict(X[["a"]]), DataError),
        (lambda model: model.predict_interval(X, level=95), UsageError),
        (lambda model: model.policy().assign(X.to_numpy()), UsageError),
        (lambda model: model.policy().under_budget(X, budget=-1), UsageError),
    ],
)
def test_what_can_not_be_predicted_is_refused(
    model: UpliftModel, ask: Callable[[UpliftModel], Any], error: type[CxCausalError]
) -> None:
    with pytest.raises(error):
        ask(model)


def test_it_can_be_cloned_changed_and_printed(model: UpliftModel) -> None:
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "model_")
    assert twin.set_params(alpha=0.1).alpha == 0.1
    assert "alpha=0.1" in repr(twin)
    with pytest.raises(UsageError, match="no parameter 'depth'"):
        twin.set_params(depth=3)


def test_a_fit_that_fails_leaves_what_was_fitted_before() -> None:
    model = fitted()
    before = model.predict(X)
    with pytest.raises(DataError):
        fitted(model, y=np.full(N, np.nan))
    assert model.predict(X).equals(before)
    assert fitted(model).predict(X).equals(before)


def test_arms_may_be_numbers() -> None:
    numbers = (ARM == "call").astype(int)
    assert list(fitted(treatment=numbers, control=0, shares={0: 0.5, 1: 0.5}).predict(X)) == ["1"]
