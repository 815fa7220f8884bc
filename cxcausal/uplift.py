"""Who responds and whom to contact, for notebooks: `fit` and `predict` in scikit-learn's manner."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxcausal.core.errors import Problem, UsageError
from cxcausal.core.held_out import Aim, HeldOut, Rules, Spending
from cxcausal.core.measure import Measure
from cxcausal.core.pictures import Panel, Picture, Range
from cxcausal.core.rows import Floats, Rows, Text
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
        self.cost, self.learners = dict(cost or {}), tuple(learners)
        self.alpha, self.seed = alpha, seed

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
        arm = np.asarray(treatment).astype(str)
        arms = _arms(arm, control, (*(shares or {}), *self.cost))
        given = {"treatment": arm, "y": y, "cluster": cluster, "sample_weight": sample_weight}
        _check(len(X), {name: values for name, values in given.items() if values is not None})
        numbers, texts = _split(X)
        groups = {} if cluster is None else {"cluster": _keys(pd.Index(np.asarray(cluster)))}
        self._rows = Rows(
            arms=arms,
            arm=_places(arm, arms),
            key=_keys(X.index),
            numbers={**numbers, _named(X): np.asarray(y, dtype=np.float64)},
            texts=texts,
            clusters=groups,
        )
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self._learn(tuple(map(str, X.columns)), _named(X), shares, weight / weight.mean())
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
        arms = held.rows.arms
        costs = np.array([0.0, *(self.cost.get(arm, 0.0 if self.cost else 1.0) for arm in arms[1:])])
        shares = tuple((capacity or {}).items())
        spending = Spending(cost=costs, budget=budget, capacity=shares, priced=bool(self.cost))
        places = None
        if current is not None:
            today = np.asarray(current).astype(str)
            _known_arms(today, arms)
            places = _places(today, arms)
        may = np.ones(held.rows.n, dtype=np.bool_) if eligible is None else np.asarray(eligible, dtype=np.bool_)
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

    def _learn(self, names: tuple[str, ...], outcome: str, shares: Mapping[str, float] | None, weight: Floats) -> None:
        rows, self._modifiers = self._rows, names
        if shares is not None and (missing := sorted(set(rows.arms) - set(shares))):
            raise _refusal("fit shares", f"the arm '{missing[0]}' has no share", "give every arm one, the control too")
        known = None if shares is None else tuple(float(shares[arm]) for arm in rows.arms)
        costs = tuple((arm, -cost) for arm, cost in self.cost.items())
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
            "learners": self.learners,
        }
        self.held_: HeldOut = held_out(rows, aim, **given)
        self.model_, board = effect_model(rows, aim, **given, held=self.held_)
        self.heterogeneity_: AimHeterogeneity = told_of(self.held_, alpha=self.alpha)
        self.leaderboard_ = pd.DataFrame([asdict(one) for one in board])

    def _fitted(self) -> Self:
        if not hasattr(self, "held_"):
            raise _refusal("fit", "nothing was learned yet", "call fit(X, treatment, y, control=...) first")
        return self

    def _gains(self, frame: pd.DataFrame) -> Floats:
        self._fitted()
        return self.model_.gains(_columns(frame))

    def _frame(self, table: Floats, index: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(table[:, 1:], index=index, columns=list(self.model_.arms[1:]))


def _refusal(where: str, what: str, mend: str) -> UsageError:
    return UsageError(Problem(where=f"UpliftModel.{where}", code="U244", what=what, mend=mend))


def _arms(arm: npt.NDArray[Any], control: str, named: Sequence[str]) -> tuple[str, ...]:
    found = sorted(set(arm.tolist()))
    if control not in found:
        raise _refusal("fit control", f"no customer has the arm '{control}'", f"use one of: {', '.join(found)}")
    arms = (control, *(one for one in found if one != control))
    _known_arms(np.array(named, dtype=str), arms)
    return arms


def _known_arms(named: npt.NDArray[Any], arms: tuple[str, ...]) -> None:
    strange = sorted(set(named.tolist()) - set(arms))
    if strange:
        raise _refusal("arms", f"there is no arm '{strange[0]}'", f"use: {', '.join(arms)}")


def _places(named: npt.NDArray[Any], arms: tuple[str, ...]) -> npt.NDArray[np.int8]:
    place = {arm: code for code, arm in enumerate(arms)}
    return np.array([place[one] for one in named.tolist()], dtype=np.int8)


def _check(n: int, given: Mapping[str, Any]) -> None:
    for name, values in given.items():
        if len(values) != n:
            raise _refusal(f"fit {name}", f"it has {len(values)} values for {n} rows of X", "give one value per row")


def _columns(frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Return every column as the effect model reads it: numbers as floats, all else as texts."""
    return {
        str(name): values.to_numpy(dtype=np.float64, na_value=np.nan)
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
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
