"""The same columns by looking at one event after the other: dicts and loops, and nothing of ours or of an engine's."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import fsum
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from tests.events.retailer import AWAY, HOME, World

WINDOW, SETTLED, CALLS_END = timedelta(days=28), timedelta(days=33), timedelta(days=28)
EXPOSED_WITHIN = timedelta(days=14)
_HOME, _AWAY = ZoneInfo(HOME), ZoneInfo(AWAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One version of an order."""

    customer: str
    at: datetime
    loaded: datetime
    amount: float | None
    shop: str
    cancelled: int

    def rank(self) -> tuple[Any, ...]:
        """Of versions that were loaded at the same moment the largest of these is the last."""
        amount = float("-inf") if self.amount is None else self.amount
        return (self.loaded, self.at, amount, self.cancelled, int(self.customer), self.shop)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One customer as they were assigned first."""

    customer: str
    zero: datetime
    until: datetime
    arm: str


@dataclass(kw_only=True)
class Shelves:
    """Everything by customer; orders by their number, with the numbers that ever were a customer's."""

    versions: dict[int, list[Order]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    returns: dict[str, list[tuple[datetime, datetime, float]]] = field(default_factory=lambda: defaultdict(list))
    contacts: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    visits: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))


def units_of(world: World) -> tuple[list[Unit], int]:
    """Return every customer of the spring campaign once, and how many later assignments were left out."""
    first: dict[str, Unit] = {}
    rows = 0
    for row in world.assigned.to_dict("records"):
        if row["campaign"] != "spring":
            continue
        rows += 1
        unit = Unit(
            customer=str(row["customer"]),
            zero=row["assigned_at"].to_pydatetime(),
            until=row["until"].to_pydatetime(),
            arm=row["arm"],
        )
        known = first.get(unit.customer)
        if known is None or unit.zero < known.zero:
            first[unit.customer] = unit
    return list(first.values()), rows - len(first)


def shelves_of(world: World) -> Shelves:
    """Put every event where its customer's are, with its moment on the project's clock."""
    shelves = Shelves()
    for number, order in _orders(world.orders):
        shelves.versions[number].append(order)
        shelves.numbers[order.customer].add(number)
    for buyer, at, booked, refund in _tuples(world.returns, "buyer", "returned_at", "booked_at", "refund"):
        shelves.returns[buyer].append((_home(at.to_pydatetime()), _home(booked.to_pydatetime()), refund))
    for customer, at, channel in _tuples(world.contacts, "customer", "called_at", "channel"):
        local = datetime.fromisoformat(at).replace(tzinfo=_AWAY)
        shelves.contacts[str(customer)].append((_home(local), channel))
    for visitor, at, page in _tuples(world.visits, "visitor", "seen_at", "page"):
        shelves.visits[visitor].append((_home(at.to_pydatetime().replace(tzinfo=UTC)), page))
    return shelves


def exposed(units: Iterable[Unit], shelves: Shelves) -> Iterator[Unit]:
    """Yield those who saw the offer within two weeks, from that moment on."""
    for unit in units:
        seen = [
            at
            for at, page in shelves.visits[unit.customer]
            if page == "offer" and unit.zero <= at < unit.zero + EXPOSED_WITHIN and at <= unit.until
        ]
        if seen:
            yield Unit(customer=unit.customer, zero=min(seen), until=unit.until, arm=unit.arm)


def row_of(unit: Unit, shelves: Shelves) -> dict[str, Any]:
    """Return everything that the plan asks of one customer."""
    zero, end = unit.zero, unit.zero + WINDOW
    orders = [one for one in _orders_known(unit, shelves, unit.until) if one.at <= unit.until]
    inside = [one for one in orders if zero <= one.at < end]
    known = [one for one in _orders_known(unit, shelves, zero) if one.at < zero and one.at <= unit.until]
    recent = [one for one in known if one.at >= zero - WINDOW]
    refunds = [
        refund
        for at, booked, refund in shelves.returns[unit.customer]
        if zero <= at < end and at <= unit.until and booked <= unit.until
    ]
    calls = [at for at, channel in shelves.contacts[unit.customer] if channel in {"phone", "mail"}]
    visits = [(at, page) for at, page in shelves.visits[unit.customer] if at <= unit.until]
    before = {page for at, page in visits if zero - timedelta(days=14) <= at < zero}
    return {
        "arm": unit.arm,
        "mature": zero + SETTLED <= unit.until,
        "revenue": _sum(one.amount for one in inside),
        "orders": len(inside),
        "large": sum(one.amount is not None and one.amount >= 50 and one.shop != "kiosk" for one in inside),
        "shops": len({one.shop for one in inside}),
        "first_amount": _first_amount(inside),
        "refunds": _sum(refunds),
        "returned": int(bool(refunds)),
        "calls": sum(zero <= at < zero + CALLS_END and at <= unit.until for at in calls),
        "visits": sum(zero <= at < end for at, _ in visits),
        "came_back": int(any(zero + timedelta(days=7) <= at < end for at, _ in visits)),
        "revenue_before": _sum(one.amount for one in recent),
        "last_shop": max(((one.at, one.shop) for one in known), default=(None, ""))[1],
        "pages_before": len(before),
    }


def _orders_known(unit: Unit, shelves: Shelves, moment: datetime) -> Iterator[Order]:
    """Yield the orders that were this customer's as far as was known at a moment."""
    for number in shelves.numbers[unit.customer]:
        loaded = [one for one in shelves.versions[number] if one.loaded <= moment]
        if not loaded:
            continue
        last = max(loaded, key=Order.rank)
        if last.customer == unit.customer and last.cancelled != 1:
            yield last


def _first_amount(orders: list[Order]) -> float | None:
    found = [(one.at, one.amount) for one in orders if one.amount is not None]
    return min(found)[1] if found else None


def _sum(values: Iterable[float | None]) -> float:
    return fsum(value for value in values if value is not None)


def _orders(frame: pd.DataFrame) -> Iterator[tuple[int, Order]]:
    names = ("order_id", "customer", "ordered_at", "loaded_at", "amount", "shop", "cancelled")
    for number, customer, at, loaded, amount, shop, cancelled in _tuples(frame, *names):
        yield (
            number,
            Order(
                customer=str(customer),
                at=at.to_pydatetime(),
                loaded=loaded.to_pydatetime(),
                amount=None if amount != amount else amount,  # noqa: PLR0124 - not a number
                shop=shop,
                cancelled=cancelled,
            ),
        )


def _home(moment: datetime) -> datetime:
    return moment.astimezone(_HOME).replace(tzinfo=None)


def _tuples(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    return frame.loc[:, list(names)].itertuples(index=False, name=None)
