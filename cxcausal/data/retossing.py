"""The plan's coin tossed anew: the arms that units were in are forgotten, and a hash in the engine deals new ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from itertools import accumulate
from math import ceil
from operator import add
from typing import Any, cast

import ibis

from cxcausal.core.answers import Counts
from cxcausal.core.epochs import EPOCH
from cxcausal.core.errors import DataError, Problem
from cxcausal.core.queries import CountQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.dataset import Dataset
from cxcausal.data.engine import Table, Value

_BASE, _COINS, _TOSSED, _SALT = "untossed_units", "coins", "tossed_units", "salt"
_SPACE = 1 << 64
_BETWEEN = "\x1f"
_STORED_ARM = "stored:arm"
_NOT_CONTENT = frozenset({"arm", _STORED_ARM, "row", "file"})
Shares = Mapping[str, Mapping[str, Fraction]]
"""By epoch (the empty text without epochs), the share of every arm."""


def _md5(text: str) -> Any:  # noqa: ANN401 - an Ibis expression
    """Return 64 bits of a text's MD5, the same on every machine."""


_hashed = ibis.udf.scalar.builtin(name="md5_number_lower", signature=(("string",), "uint64"))(_md5)


@dataclass(frozen=True, kw_only=True)
class Coin:
    """What is tossed for, and with which shares.

    Attributes:
        dataset: open; its engine keeps the units. No arm of theirs is looked at.
        shares: by epoch.
        units: with the columns `coin` (the text that decides), and `stratum` and `epoch` of that coin.
        coins: one row per coin, where strata are dealt out; None where every coin is tossed alone.
    """

    dataset: Dataset
    shares: Shares
    units: Table
    coins: Table | None

    def toss(self, salt: str) -> Dataset:
        """Return the data with new arms; close the dataset of the toss before with `forget` first.

        A randomisation unit's number is a hash of the salt and its id, so that neither threads nor the order of the
        rows matter. Without strata its arm depends on that number alone. Within strata the units are put in the order
        of their numbers and dealt out at equal steps from a start that the stratum's hash draws, so that each arm
        gets its share of every stratum to within one unit, as where arms are assigned.
        """
        engine = self.dataset.engine
        # The salt is a table, so that all tosses are one expression, which is compiled once.
        salted = engine.keep(_SALT, ibis.literal(salt).name("salt").as_table())
        table = self._alone(salted) if self.coins is None else self._dealt(self.coins, salted)
        kept = engine.keep(_TOSSED, table)
        engine.forget(_SALT)
        return replace(self.dataset, units=replace(self.dataset.units, table=kept))

    def forget(self) -> None:
        """Drop what the last toss made."""
        self.dataset.engine.forget(_TOSSED)

    def _alone(self, salted: Table) -> Table:
        units = self.units.cross_join(salted)
        return units.mutate(arm=self._arm(_number(units.salt, units.coin), units.epoch)).drop("salt")

    def _dealt(self, coins: Table, salted: Table) -> Table:
        each = coins.cross_join(salted)
        start = _number(each.salt.concat(f"{_BETWEEN}start"), each.stratum)
        drawn = each.mutate(number=_number(each.salt, each.coin), start=start)
        order = ibis.window(group_by=drawn.stratum, order_by=[drawn.number, drawn.coin])
        many = drawn.count().over(ibis.window(group_by=drawn.stratum))
        place = (ibis.row_number().over(order) + drawn.start.cast("float64") / float(_SPACE)) / many
        arms = drawn.select(of=drawn.coin, dealt=self._arm(place, drawn.epoch))
        joined = self.units.drop("arm").inner_join(arms, self.units.coin == arms.of)
        return joined.mutate(arm=joined.dealt).drop("of", "dealt")

    def _arm(self, drawn: Value, epoch: Value) -> Value:
        """Return the arm in whose part of 0 to 1 a number lies: a hash of 64 bits, or a fraction."""
        arms = {name: _cut(drawn, shares) for name, shares in self.shares.items()}
        *others, last = arms
        return ibis.cases(*((epoch == name, arms[name]) for name in others), else_=arms[last]) if others else arms[last]


def coin_of(dataset: Dataset, spec: ExperimentSpec, shares: Shares) -> Coin:
    """Return the coin of a plan, ready to be tossed.

    Args:
        dataset: the plan's data.
        spec: whose randomisation unit and strata count. Without a unit every row is one, and the hash is of its
            content with a counter of its copies.
        shares: by epoch, where the plan has epochs.
    """
    units = dataset.units
    table = units.table.drop(_STORED_ARM) if _STORED_ARM in units.table.columns else units.table
    content = table if units.randomization_unit is not None else _counted(table)
    coin = content["copy"] if units.randomization_unit is None else content[units.randomization_unit].cast("string")
    epoch = content[f"text:{EPOCH}"] if spec.epochs else ibis.literal("")
    strata = [content[f"text:{name}"] for name in spec.design.strata]
    stratum = reduce(add, (part.concat(_BETWEEN) for part in (*strata, epoch)))
    base = dataset.engine.keep(_BASE, content.mutate(coin=coin, epoch=epoch, stratum=stratum))
    if not strata:
        return Coin(dataset=dataset, shares=shares, units=base, coins=None)
    coins = base.group_by("coin").aggregate(stratum=base.stratum.min(), epoch=base.epoch.min())
    return Coin(dataset=dataset, shares=shares, units=base, coins=dataset.engine.keep(_COINS, coins))


def shares_of(dataset: Dataset, spec: ExperimentSpec) -> Shares:
    """Return the shares to toss by: the epochs', the plan's, or those of the randomised units in the data.

    Raises:
        DataError: the plan has no shares, and an arm no units.
    """
    if spec.epochs:
        return {epoch.begins: epoch.fractions for epoch in spec.epochs}
    if spec.shares is not None:
        return {"": spec.shares}
    query = CountQuery(of="randomization_unit")
    counts = cast("Counts", dataset.answer((query,))[query])
    by_arm = {arm: counts.get((arm, ()), 0) for arm in spec.arms}
    absent = [arm for arm, units in by_arm.items() if not units]
    if absent:
        what, mend = f"the plan has no shares, and the data no unit of arm '{absent[0]}'", "give every arm its share"
        raise DataError(Problem(where="design.treatment.arms", code="D351", what=what, mend=mend))
    return {"": {arm: Fraction(units, sum(by_arm.values())) for arm, units in by_arm.items()}}


def _counted(table: Table) -> Table:
    """Return rows that have no id with a text of their content, in which copies are numbered."""
    columns = [name for name in table.columns if name not in _NOT_CONTENT]
    content = reduce(add, (table[name].cast("string").fill_null("").concat(_BETWEEN) for name in columns))
    named = table.mutate(content=content)
    copy = ibis.row_number().over(ibis.window(group_by=named.content)).cast("string")
    return named.mutate(copy=named.content.concat(copy)).drop("content")


def _number(salt: Value, coin: Value) -> Value:
    return _hashed(salt.concat(_BETWEEN).concat(coin))


def _cut(drawn: Value, shares: Mapping[str, Fraction]) -> Value:
    arms = sorted(shares)
    bounds = list(accumulate(shares[arm] for arm in arms))[:-1]
    whole = drawn.type().is_integer()
    limits = [
        ibis.literal(ceil(bound * _SPACE), "uint64") if whole else ibis.literal(float(bound), "float64")
        for bound in bounds
    ]
    return ibis.cases(*((drawn < limit, arm) for limit, arm in zip(limits, arms, strict=False)), else_=arms[-1])
