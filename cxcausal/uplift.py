"""Who responds and whom to contact, for notebooks: `fit` and `predict` in scikit-learn's manner."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxcausal.core.held_out import Aim, HeldOut, Rules, Spending
from cxcausal.core.measure import Measure
from cxcausal.core.pictures import Panel, Picture, Range
from cxcausal.core.rows import Floats, Rows, Text
from cxcausal.core.uplift_inputs import (
    budget_of,
    capacity_of,
    cost_of,
    flags_of,
    numbers_of,
    refusal,
    shares_of,
    texts_of,
    weights_of,
    within,
)
from cxcausal.core.whom import AimHeterogeneity, PolicyResult, Told
from cxcausal.heterogeneity.choosing import DEFAULT
from cxcausal.heterogeneity.effect_model import EffectModel, effect_model
from cxcausal.heterogeneity.telling import told_of
from cxcausal.heterogeneity.turning import held_out
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.policy.deciding import policy_of
from cxcausal.policy.question import Question
from cxcausal.policy.rule import PolicyModel, model_of

_OUTCOME = "y"


@dataclass(frozen=True, kw_only=True, eq=False)
class UpliftPolicy:
    """Whom to contact: what rules are worth, and the recommended one.

    Attributes:
        result: every rule's value on customers that it did not learn from; see `PolicyResult`.
        rule: the recommended one, learned on everybody.
        model: what it asks for gains.
    """

    result: PolicyResult
    rule: PolicyModel
    model: EffectModel

    def assign(self, X: pd.DataFrame) -> pd.Series:  # noqa: N803 - scikit-learn's name
        """Return the arm of every customer of X, each by itself, in the order of X."""
        places = self.rule.assign(self.model.gains(_columns(X)), _keys(X.index), _columns(X))
        return pd.Series(np.array(self.rule.arms, dtype=object)[places], index=X.index, name="arm")

    def under_budget(self, X: pd.DataFrame, budget: float | None = None) -> pd.Series:  # noqa: N803 - as above
        """Return the arm of every customer of X, so that budget and capacities hold exactly for all of X together.

        Args:
            X: customers who may be contacted; its index names them.
            budget: for all of X; by default the rule's own per customer.
        """
        budget_of("policy.under_budget budget", budget)
        share = self.rule.budget if budget is None else budget / max(len(X), 1)
        gains, columns, keys = self.model.gains(_columns(X)), _columns(X), _keys(X.index)
        places = self.rule.under_budget(gains, share, dict(self.rule.capacity), len(X), keys=keys, columns=columns)
        return pd.Series(np.array(self.rule.arms, dtype=object)[places], index=X.index, name="arm")

    def to_frame(self) -> pd.DataFrame:
        """Return a row per rule: its gain against contacting nobody, and beyond the best single arm for everybody."""
        return pd.DataFrame(
            [
                {
                    "policy": one.name,
                    **_told("gain", one.gain),
                    **_told("beyond", one.beyond),
                    "cost": one.cost,
                    **{f"share_{arm}": share for arm, share in one.share.items()},
                    "recommended": one.name == self.result.recommended,
                }
                for one in self.result.policies
            ]
        )

    def plot(self) -> Picture:
        """Return a picture of what every rule gains per customer, with its interval."""
        rows = tuple(_range(one.name, one.gain) for one in self.result.policies)
        return Picture.of([Panel(title="Gain per customer against contacting nobody", ranges=rows)])


class UpliftModel:
    """Who responds to which arm, whether that is more than chance, and whom to contact.

    Thin over what `cxcausal run` does with a plan that names effect modifiers: learners combined by their doubly robust
    loss, and everything that is claimed told on customers that nothing was learned from, in turns.

    Attributes:
        model_: the `EffectModel` that predicts. heterogeneity_: what was found, as an `AimHeterogeneity`.
        leaderboard_: learners with their loss out of fold, as a DataFrame.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> X = pd.DataFrame({"tenure": rng.normal(size=1_200), "plan": rng.choice(["a", "b"], 1_200)})
        >>> called = rng.choice(["none", "call"], 1_200)
        >>> y = rng.normal(size=1_200) + (called == "call") * (X["plan"] == "b") * 2
        >>> model = UpliftModel(learners=("t",)).fit(X, called, y, control="none", shares={"none": 0.5, "call": 0.5})
        >>> list(model.predict(X).columns), bool(model.to_frame()["found"][0])
        (['call'], True)
    """

    def __init__(
        self,
        *,
        cost: Mapping[str, float] | None = None,
        learners: Sequence[str] = DEFAULT,
        alpha: float = 0.05,
        seed: int = 1,
    ) -> None:
        """Say how to learn.

        Args:
            cost: arm → what a contact costs, in the unit of y, which is taken off its gains; the control costs nothing.
            learners: of effects, by name; one effect for everybody is always among them.
            alpha: error level of tests and intervals.
            seed: of every draw.
        """
        self.cost, self.learners = cost, learners  # as given: scikit-learn's clone() compares them
        self.alpha, self.seed = alpha, seed

    def __repr__(self) -> str:
        """Return how the model was made."""
        return f"UpliftModel({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002 - scikit-learn's
        """Return what the model was made with, by name, as scikit-learn's `clone` asks for it."""
        return {name: getattr(self, name) for name in ("cost", "learners", "alpha", "seed")}

    def set_params(self, **params: Any) -> Self:  # noqa: ANN401 - any of them
        """Change what the model is made with, before it is fitted again.

        Raises:
            UsageError: there is no parameter of that name.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise refusal("set_params", f"there is no parameter '{name}'", f"use: {', '.join(known)}")
            setattr(self, name, value)
        return self

    def fit(  # noqa: PLR0913 - scikit-learn's manner
        self,
        X: pd.DataFrame,  # noqa: N803 - scikit-learn's name
        treatment: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        control: str,
        shares: Mapping[str, float] | None = None,
        cluster: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn who gains how much of y, of which more is better.

        Args:
            X: what effects may differ by and, without a coin, all that is adjusted for; numbers and texts, NaN allowed.
                Its index names customers: equal names stay together, and the order of rows doesn't matter.
            treatment: arm of every customer, shape (n,).
            y: outcome, NaN where unknown, shape (n,).
            control: the arm that others are compared with.
            shares: arm → share, where a coin was tossed; learned from X otherwise.
            cluster: what shares a fate, shape (n,).
            sample_weight: of every customer in the population, shape (n,).

        Raises:
            UsageError: an argument has no meaning. DataError: there are too few customers to learn from.
        """
        _check(X)
        cost, n = cost_of(self.cost), len(X)
        within("alpha", self.alpha, ends=(0, 1))
        arm = texts_of("fit treatment", treatment, n, "arm")
        arms = _arms(arm, str(control), tuple(map(str, (*(shares or {}), *cost))))
        known = None if shares is None else shares_of("fit shares", shares, arms)
        weight = weights_of("fit sample_weight", sample_weight, n)
        numbers, texts = _split(X)
        rows = Rows(
            arms=arms,
            arm=_places(arm, arms),
            key=_keys(X.index),
            numbers={**numbers, _named(X): numbers_of("fit y", y, n, unknown=True)},
            texts=texts,
            clusters={}
            if cluster is None
            else {"cluster": _keys(pd.Index(texts_of("fit cluster", cluster, n, "cluster")))},
        )
        self._learn(rows, X, known, weight)
        return self

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803 - scikit-learn's name
        """Return the expected gain of every arm over the control, net of its cost; columns are found by their names.

        Raises:
            UsageError: nothing was fitted. DataError: a column is not there.
        """
        return self._frame(self._gains(X), X.index)

    def predict_interval(self, X: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:  # noqa: N803 - scikit-learn's name
        """Return lower and upper ends by arm: of the mean gain of customers predicted alike, approximately.

        They do not say what one customer would gain, which nobody can know.
        """
        within("predict_interval level", level, ends=(0, 1))
        gains = self._gains(X)
        low, high = self.model_.intervals(gains, level)
        frames = {"low": self._frame(low, X.index), "high": self._frame(high, X.index)}
        return pd.concat(frames, axis=1).swaplevel(axis=1).sort_index(axis=1, level=0, sort_remaining=False)

    def policy(
        self,
        *,
        budget: float | None = None,
        capacity: Mapping[str, float] | None = None,
        current: npt.ArrayLike | None = None,
        eligible: npt.ArrayLike | None = None,
    ) -> UpliftPolicy:
        """Return what rules for whom to contact are worth, on customers that they did not learn from.

        Args:
            budget: per eligible customer, in the unit of costs; without costs a contact costs 1.
            capacity: arm → largest share of eligible customers.
            current: the arm that the rule in use gives every customer fitted, shape (n,).
            eligible: which customers fitted may be contacted at all, shape (n,); all of them by default.
        """
        held = self._fitted().held_
        arms, n, cost = held.rows.arms, held.rows.n, cost_of(self.cost)
        costs = np.array([0.0, *(cost.get(arm, 0.0 if cost else 1.0) for arm in arms[1:])])
        spending = Spending(
            cost=costs,
            budget=budget_of("policy budget", budget),
            capacity=capacity_of(capacity, arms),
            priced=bool(cost),
        )
        places = None
        if current is not None:
            today = texts_of("policy current", current, n, "arm")
            _known_arms(today, arms)
            places = _places(today, arms)
        may = np.ones(n, dtype=np.bool_) if eligible is None else flags_of("policy eligible", eligible, n)
        rules = Rules(eligible=may, current=places)
        question = Question(modifiers=self._modifiers, alpha=self.alpha, seed=self.seed)
        result = policy_of(held, spending, rules, question)
        rule = model_of(held, spending, rules, question, name=result.recommended or "nobody")
        return UpliftPolicy(result=result, rule=rule, model=self.model_)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per arm: its average gain, and the tests of whether gains differ between customers."""
        rows = []
        for one in self._fitted().heterogeneity_.arms:
            told = {name: getattr(one, name) for name in ("average", "slope", "spread", "autoc", "qini", "auuc")}
            flat = {key: value for name, each in told.items() for key, value in _told(name, each).items()}
            rows.append({"arm": one.arm, "n": one.n, **flat, "p": one.p, "p_adjusted": one.p_adjusted})
            rows[-1] |= {"found": one.found, "status": one.status, "reason": one.reason}
        return pd.DataFrame(rows)

    def plot(self) -> Picture:
        """Return a picture of what five equal groups gained, the least promising first, a panel per arm."""
        panels = [
            Panel(
                title=f"{one.arm}: gain by predicted group",
                ranges=tuple(_range(f"group {group.group}", group.gain) for group in one.groups),
            )
            for one in self._fitted().heterogeneity_.arms
        ]
        return Picture.of(panels)

    def _learn(self, rows: Rows, frame: pd.DataFrame, known: tuple[float, ...] | None, weight: Floats) -> None:
        names, outcome, cost = tuple(map(str, frame.columns)), _named(frame), cost_of(self.cost)
        costs = tuple((arm, -each) for arm, each in cost.items())
        seen = np.unique(rows.numbers[outcome])
        aim = Aim(
            name=_OUTCOME,
            label=_OUTCOME,
            unit="",
            measure=Measure(name=_OUTCOME, terms=((outcome, 1.0),), arm_constant=costs),
            sign=1,
            costs=bool(costs),
            binary=set(seen.tolist()) <= {0.0, 1.0} and not costs,
        )
        given: dict[str, Any] = {
            "modifiers": names,
            "nuisances": Nuisances(
                rows=rows, covariates=names, recipe=Recipe(seed=self.seed), known=known, weight=weight
            ),
            "eligible": np.ones(rows.n, dtype=np.bool_),
            "weight": weight,
            "learners": tuple(self.learners),
        }
        held = held_out(rows, aim, **given)
        model, board = effect_model(rows, aim, **given, held=held)
        told = told_of(held, alpha=self.alpha)
        # Set together and last: where learning fails, what was fitted before stays as it was.
        self.held_: HeldOut = held
        self.model_: EffectModel = model
        self._modifiers = names
        self.heterogeneity_: AimHeterogeneity = told
        self.leaderboard_ = pd.DataFrame([asdict(one) for one in board])

    def _fitted(self) -> Self:
        if not hasattr(self, "held_"):
            raise refusal("fit", "nothing was learned yet", "call fit(X, treatment, y, control=...) first")
        return self

    def _gains(self, frame: pd.DataFrame) -> Floats:
        self._fitted()
        return self.model_.gains(_columns(frame))

    def _frame(self, table: Floats, index: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(table[:, 1:], index=index, columns=list(self.model_.arms[1:]))


def _arms(arm: npt.NDArray[Any], control: str, named: Sequence[str]) -> tuple[str, ...]:
    found = sorted(set(arm.tolist()))
    if control not in found:
        raise refusal("fit control", f"no customer has the arm '{control}'", f"use one of: {', '.join(found)}")
    arms = (control, *(one for one in found if one != control))
    _known_arms(np.array(named, dtype=str), arms)
    return arms


def _known_arms(named: npt.NDArray[Any], arms: tuple[str, ...]) -> None:
    strange = sorted(set(named.tolist()) - set(arms))
    if strange:
        raise refusal("arms", f"there is no arm '{strange[0]}'", f"use: {', '.join(arms)}")


def _places(named: npt.NDArray[Any], arms: tuple[str, ...]) -> npt.NDArray[np.int8]:
    place = {arm: code for code, arm in enumerate(arms)}
    return np.array([place[one] for one in named.tolist()], dtype=np.int8)


def _check(frame: object) -> None:
    """Refuse what is no table of named columns, each there once, with numbers that are finite."""
    if not isinstance(frame, pd.DataFrame):
        made = "name its columns: pd.DataFrame(X, columns=[...])"
        raise refusal("X", f"it is a {type(frame).__name__}, and columns are found by their names", made)
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise refusal("X", "two columns have the same name", "give each a name of its own")
    for name, values in frame.items():
        if _is_number(values) and bool(np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan)).any()):
            raise refusal("X", f"'{name}' holds an infinite number", "correct it, or leave it unknown: NaN")


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values))


def _columns(frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Return every column as the effect model reads it: numbers as floats, all else as texts."""
    _check(frame)
    return {
        str(name): values.to_numpy(dtype=np.float64, na_value=np.nan)
        if _is_number(values)
        else values.astype(object).where(values.notna(), "").astype(str).to_numpy(dtype=object)
        for name, values in frame.items()
    }


def _split(frame: pd.DataFrame) -> tuple[dict[str, Floats], dict[str, Text]]:
    numbers: dict[str, Floats] = {}
    texts: dict[str, Text] = {}
    for name, values in _columns(frame).items():
        if values.dtype == np.float64:
            numbers[name] = values
        else:
            levels, codes = np.unique(values.astype(str), return_inverse=True)
            texts[name] = Text(codes=codes.astype(np.int32), levels=tuple(levels.tolist()))
    return numbers, texts


def _named(frame: pd.DataFrame) -> str:
    """Return a name for the outcome that no column of X has."""
    name = _OUTCOME
    while name in set(map(str, frame.columns)):
        name += "_"
    return name


def _keys(index: pd.Index) -> npt.NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(index, index=False), dtype=np.uint64)


def _told(name: str, told: Told) -> dict[str, float | None]:
    return {name: told.point, f"{name}_low": told.low, f"{name}_high": told.high}


def _range(label: str, told: Told) -> Range:
    return Range(label=label, point=told.point, low=told.low, high=told.high)
