"""The recommended rule as data: it says whom of any customers to contact, one by one or within a budget in all."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cxcausal.core.hashing import mixed
from cxcausal.core.held_out import HeldOut, Places, Rules, Spending
from cxcausal.core.rows import Floats
from cxcausal.policy.best_arm import by_lot
from cxcausal.policy.prices import Prices
from cxcausal.policy.question import Question, everyone
from cxcausal.policy.readable import readable_tree
from cxcausal.policy.seen import Setting, with_lots
from cxcausal.policy.splits import Split
from cxcausal.policy.trees import Leaf, Tree
from cxcausal.stats.allotting import allotted, limits_for

Keys = npt.NDArray[np.uint64]
_LOTS = 0x0007_5C0E


@dataclass(frozen=True, kw_only=True)
class PolicyModel:
    """A rule that was recommended, with what it learned.

    Attributes:
        name: nobody, best_arm, value, limited or tree. arms: the control first.
        cost: of each arm per customer beyond the control's. budget: per eligible customer, None without a limit.
        capacity: arm → largest share of eligible customers.
        arm, share: of best_arm: its place, and the share of customers whom the limits let have it.
        prices: of limited. tree: of tree.
    """

    name: str
    arms: tuple[str, ...]
    cost: tuple[float, ...]
    budget: float | None = None
    capacity: tuple[tuple[str, float], ...] = ()
    arm: int = 0
    share: float = 1.0
    prices: Prices | None = None
    tree: Tree | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it needs beside predicted gains."""
        return self.tree.columns if self.name == "tree" and self.tree is not None else ()

    def assign(self, gains: Floats, keys: Keys | None = None, columns: Mapping[str, Any] | None = None) -> Places:
        """Return the place of every customer's arm, shape (n,), each by itself: no other customer matters.

        A budget is kept on average only, as far as these customers are like those learned from. Without keys no lot is
        drawn: everybody gets what a lot would decide on.

        Args:
            gains: predicted, against the control, shape (n, arms).
            keys: hashes of the customers' ids: what lots are drawn from, shape (n,).
            columns: of the plan, where the rule asks for some (`columns`).
        """
        if self.name == "best_arm" and keys is not None:
            drawn = mixed(keys, _LOTS).astype(np.float64) / 2.0**64 < self.share
            return np.where(drawn, self.arm, 0).astype(np.intp)
        if self.name == "limited" and self.prices is not None:
            return self.prices.best(gains if keys is None else with_lots(gains, keys), np.array(self.cost))
        return np.asarray(np.argmax(self._wished(gains, columns), axis=1))

    def under_budget(
        self,
        gains: Floats,
        budget: float | None,
        capacity: Mapping[str, float],
        population: int,
        *,
        keys: Keys | None = None,
        columns: Mapping[str, Any] | None = None,
    ) -> Places:
        """Return the place of every customer's arm, so that budget and capacities hold exactly for all together.

        They are dealt out as `score` does it (`stats.allotting`): of customers alike the smallest key comes first.

        Args:
            gains: predicted, of every customer who may be contacted, shape (n, arms).
            budget: per customer of the population; None without a limit.
            capacity: arm → largest share of the population.
            population: customers who may be contacted, mostly n.
            keys: hashes of the customers' ids, shape (n,); without them the first rows come first.
            columns: of the plan, where the rule asks for some (`columns`).

        Example:
            >>> model = PolicyModel(name="value", arms=("none", "call"), cost=(0.0, 1.0))
            >>> gains = np.array([[0.0, 3.0], [0.0, -1.0], [0.0, 2.0], [0.0, 5.0]])
            >>> model.under_budget(gains, 0.5, {}, 4).tolist()
            [1, 0, 0, 1]
        """
        total = None if budget is None else budget * population
        limits = limits_for(self.arms, self.cost, total, capacity, population)
        own = np.arange(len(gains), dtype=np.uint64) if keys is None else keys
        return allotted(self._wished(gains, columns)[:, 1:], limits, own).astype(np.intp)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as JSON can write it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return the rule that was written; `from_dict(to_dict())` is the same."""
        prices, tree = kept["prices"], kept["tree"]
        return cls(
            name=kept["name"],
            arms=tuple(kept["arms"]),
            cost=tuple(kept["cost"]),
            budget=kept["budget"],
            capacity=tuple((arm, most) for arm, most in kept["capacity"]),
            arm=kept["arm"],
            share=kept["share"],
            prices=prices and Prices(budget=prices["budget"], capacity=tuple(prices["capacity"])),
            tree=tree and Tree(leaves=tuple(_leaf(leaf) for leaf in tree["leaves"])),
        )

    def of(self, places: Sequence[int]) -> Self:
        """Return the rule over some of its arms, by their places, the control's first; it gives no other.

        Example:
            >>> model = PolicyModel(name="best_arm", arms=("none", "bot", "call"), cost=(0.0, 1.0, 4.0), arm=2)
            >>> rest = model.of([0, 2])
            >>> rest.arms, rest.arm, rest.cost
            (('none', 'call'), 1, (0.0, 4.0))
        """
        arms = tuple(self.arms[place] for place in places)
        prices, tree = self.prices, self.tree
        if prices is not None:
            prices = replace(prices, capacity=tuple(prices.capacity[place] for place in places))
        if tree is not None:
            tree = replace(tree, leaves=tuple(replace(leaf, arm=places.index(leaf.arm)) for leaf in tree.leaves))
        return replace(
            self,
            arms=arms,
            cost=tuple(self.cost[place] for place in places),
            capacity=tuple((arm, most) for arm, most in self.capacity if arm in arms),
            arm=places.index(self.arm),
            prices=prices,
            tree=tree,
        )

    def _wished(self, gains: Floats, columns: Mapping[str, Any] | None) -> Floats:
        """Return what each arm is worth to the rule for every customer, −∞ where it would not give it."""
        if self.name in {"value", "limited"}:
            return gains
        own = self._named(len(gains), columns)
        # What is predicted has no say in such a rule: whom it names an arm gains the same.
        found = np.where(np.arange(len(self.arms)) == own[:, None], 1.0, -np.inf)
        found[:, 0] = 0.0
        return found

    def _named(self, n: int, columns: Mapping[str, Any] | None) -> Places:
        if self.name != "tree" or self.tree is None:
            return np.full(n, self.arm if self.name == "best_arm" else 0, dtype=np.intp)
        if columns is None:
            raise ValueError(f"the rule asks for columns: {', '.join(self.columns)}")
        return self.tree.best(columns, n)


def model_of(held: HeldOut, spending: Spending, rules: Rules, question: Question, *, name: str) -> PolicyModel:
    """Return the rule of a name as it is to be followed from now on: learned on all customers of the trial.

    It knows only the arms that a rule may give.

    Args:
        held: turns of the aim.
        spending: costs, budget and capacities.
        rules: who may be contacted.
        question: columns and seed.
        name: of the recommended policy.
    """
    setting = Setting.of(held, spending, rules, question.modifiers, seed=question.seed)
    last, whole = setting.seen(held.turns[-1].judged), setting.seen(everyone(held, rules))
    lot = by_lot(whole, spending)
    model = PolicyModel(
        name=name,
        arms=held.arms,
        cost=tuple(spending.cost.tolist()),
        budget=spending.budget,
        capacity=spending.capacity,
        arm=lot.arm if name == "best_arm" else 0,
        share=lot.share if name == "best_arm" else 1.0,
        prices=last.prices if name == "limited" else None,
        tree=readable_tree(whole) if name == "tree" else None,
    )
    return model.of(setting.offered)


def _leaf(kept: Mapping[str, Any]) -> Leaf:
    return Leaf(path=tuple((Split(**split), answer) for split, answer in kept["path"]), arm=kept["arm"])
