"""A retailer's customers over half a year: who was assigned when, and everything that was recorded of them.

Nothing is tidy: orders are restated, taken back or loaded days later, some rows stand there twice, ids are whole
numbers in one table and text in the other, and every table has its own clock.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

HOME = "Europe/Berlin"
"""The project's clock; it is set forward on 29 March."""
AWAY = "America/New_York"
"""The clock of the call centre; it is set forward on 8 March."""
CUT = np.datetime64("2026-06-01T00:00:00", "s")
_BEGIN = np.datetime64("2026-01-05T00:00:00", "s")
_ENROLMENT = np.datetime64("2026-02-23T00:00:00", "s")
_DAY = 86_400
_WEEKS = 12
Times = npt.NDArray[np.datetime64]

SOURCES: dict[str, dict[str, Any]] = {
    "orders": {
        "path": "data/orders.parquet",
        "unit": "customer",
        "time": "ordered_at",
        "recorded": "loaded_at",
        "key": "order_id",
        "removed": "cancelled",
        "settles_after": "5d",
    },
    "returns": {"path": "data/returns.parquet", "unit": "buyer", "time": "returned_at", "recorded": "booked_at"},
    "contacts": {"path": "data/contacts.csv", "unit": "customer", "time": "called_at", "timezone": AWAY},
    "visits": {"path": "data/visits.parquet", "unit": "visitor", "time": "seen_at", "timezone": "UTC"},
}
COLUMNS: dict[str, dict[str, Any]] = {
    "revenue": {"source": "orders", "aggregate": "sum", "value": "amount"},
    "orders": {"source": "orders", "aggregate": "count"},
    "large": {"source": "orders", "aggregate": "count", "where": "amount >= 50 and shop != 'kiosk'"},
    "shops": {"source": "orders", "aggregate": "distinct", "value": "shop"},
    "first_amount": {"source": "orders", "aggregate": "first", "value": "amount"},
    "refunds": {"source": "returns", "aggregate": "sum", "value": "refund"},
    "returned": {"source": "returns", "aggregate": "any"},
    "calls": {"source": "contacts", "aggregate": "count", "where": "channel in ['phone', 'mail']"},
    "visits": {"source": "visits", "aggregate": "count"},
    "came_back": {"source": "visits", "aggregate": "any", "window": {"start": "7d", "end": "28d"}},
    "revenue_before": {
        "source": "orders",
        "aggregate": "sum",
        "value": "amount",
        "window": {"start": "-28d", "end": "0d"},
    },
    "last_shop": {"source": "orders", "aggregate": "last", "value": "shop", "window": {"end": "0d"}},
    "pages_before": {
        "source": "visits",
        "aggregate": "distinct",
        "value": "page",
        "window": {"start": "-14d", "end": "0d"},
    },
}


@dataclass(frozen=True, kw_only=True)
class World:
    """The tables as they are written, one frame each; times are on the clock of their table."""

    assigned: pd.DataFrame
    orders: pd.DataFrame
    returns: pd.DataFrame
    contacts: pd.DataFrame
    visits: pd.DataFrame

    @property
    def events(self) -> int:
        """Rows of all event tables."""
        return sum(map(len, (self.orders, self.returns, self.contacts, self.visits)))

    def write(self, folder: Path) -> None:
        """Write the files that `SOURCES` names."""
        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        for name in ("assigned", "orders", "returns", "visits"):
            getattr(self, name).to_parquet(data / f"{name}.parquet", index=False)
        self.contacts.to_csv(data / "contacts.csv", index=False)


def retailer(customers: int, events: int, seed: int = 1) -> World:
    """Return a world of so many customers and about so many events, the same for the same seed."""
    rng = np.random.default_rng(seed)
    ids = np.arange(1, customers + 1) * 7
    zero = _ENROLMENT + rng.integers(0, _WEEKS * 7 * _DAY, customers)
    zero[: customers // 50] = zero[: customers // 50].astype("datetime64[D]")  # at midnight
    orders = _orders(rng, ids, zero, int(events * 0.3))
    visits = _visits(rng, ids, zero, int(events * 0.6))
    return World(
        assigned=_assigned(rng, ids, zero),
        orders=orders,
        returns=_returns(rng, orders, int(events * 0.06)),
        contacts=_contacts(rng, ids, events - int(events * 0.96)),
        visits=visits,
    )


def _assigned(rng: np.random.Generator, ids: npt.NDArray[np.int64], zero: Times) -> pd.DataFrame:
    """Some were assigned again, to another arm; some are watched for less long; another campaign stands beside."""
    until = np.where(rng.random(len(ids)) < 0.1, CUT - rng.integers(1, 20, len(ids)) * _DAY, CUT)
    until = np.maximum(until, zero + _DAY)
    frame = pd.DataFrame({"customer": ids, "assigned_at": zero, "arm": rng.choice(["none", "call"], len(ids))})
    frame = frame.assign(until=until, campaign="spring")
    again = frame.iloc[: len(ids) // 20].copy()
    again["assigned_at"] += pd.to_timedelta(rng.integers(1, 20 * _DAY, len(again)), unit="s")
    again["arm"] = rng.choice(["none", "call"], len(again))
    again = again[again["assigned_at"] <= again["until"]]
    other = frame.iloc[-len(ids) // 10 :].copy()
    other["assigned_at"] -= pd.Timedelta(days=30)
    other["campaign"] = "winter"
    return _shuffled(rng, pd.concat([frame, again, other]))


def _orders(rng: np.random.Generator, ids: npt.NDArray[np.int64], zero: Times, n: int) -> pd.DataFrame:
    frame = _happened(rng, ids, zero, n, "customer", "ordered_at")
    frame["order_id"] = np.arange(n) + 10_000_000
    frame["loaded_at"] = frame["ordered_at"] + pd.to_timedelta(rng.integers(0, 4 * _DAY, n), unit="s")
    frame["amount"] = np.round(rng.gamma(2, 20, n), 2)
    frame.loc[rng.random(n) < 0.01, "amount"] = np.nan
    frame.loc[frame.index[:2], "amount"] = [1e12, 1e-6]
    frame["shop"] = rng.choice(["web", "kiosk", "phone", "Zürich"], n)
    frame["cancelled"] = 0
    end = pd.Timestamp(CUT)  # loaded at the very end of observation
    frame["loaded_at"] = frame["loaded_at"].mask((frame.index < n // 100) & (frame["ordered_at"] < end), end)
    restated = frame[rng.random(n) < 0.12].copy()
    restated["loaded_at"] += pd.to_timedelta(rng.integers(0, 12, len(restated)), unit="D")
    restated["amount"] = np.round(restated["amount"] * 0.5, 2)
    restated["cancelled"] = (rng.random(len(restated)) < 0.3).astype(int)
    moved = rng.random(len(restated)) < 0.2
    restated.loc[moved, "customer"] = rng.choice(ids, int(moved.sum()))
    later = restated[rng.random(len(restated)) < 0.2].copy()
    later["loaded_at"] += pd.to_timedelta(rng.integers(0, 30, len(later)), unit="D")
    later["ordered_at"] += pd.to_timedelta(rng.integers(-2, 3, len(later)), unit="D")
    later["cancelled"] = 0
    twice = frame[rng.random(n) < 0.01]
    return _shuffled(rng, pd.concat([frame, restated, later, twice]))


def _returns(rng: np.random.Generator, orders: pd.DataFrame, n: int) -> pd.DataFrame:
    """With ids as text, and moments in UTC."""
    of = orders.iloc[rng.integers(0, len(orders), n)]
    frame = pd.DataFrame({"buyer": of["customer"].astype(str).to_numpy()})
    moment = of["ordered_at"].to_numpy().astype("datetime64[s]") + rng.integers(1, 20 * _DAY, n)
    frame["returned_at"] = pd.DatetimeIndex(moment).tz_localize("UTC")
    frame["booked_at"] = frame["returned_at"] + pd.to_timedelta(rng.integers(0, 3 * _DAY, n), unit="s")
    frame["refund"] = -rng.integers(1, 200, n).astype("float64")
    return frame


def _contacts(rng: np.random.Generator, ids: npt.NDArray[np.int64], n: int) -> pd.DataFrame:
    """As text, by the clock of the call centre."""
    moment = _BEGIN + rng.integers(0, 150 * _DAY, n)
    local = pd.DatetimeIndex(moment).tz_localize("UTC").tz_convert(AWAY).tz_localize(None)
    frame = pd.DataFrame({"customer": rng.choice(ids, n), "called_at": local.strftime("%Y-%m-%dT%H:%M:%S")})
    frame["channel"] = rng.choice(["phone", "mail", "chat"], n)
    return frame


def _visits(rng: np.random.Generator, ids: npt.NDArray[np.int64], zero: Times, n: int) -> pd.DataFrame:
    """In UTC without saying so, with ids as text; one customer is a machine."""
    frame = _happened(rng, ids, zero, n, "visitor", "seen_at")
    frame.loc[frame.index[: n // 20], "visitor"] = ids[len(ids) // 2]
    midnight = frame.index[-n // 50 :]  # around the night when the clock is set forward
    frame.loc[midnight, "seen_at"] = pd.Timestamp("2026-03-28T23:00") + pd.to_timedelta(
        rng.integers(0, 4, len(midnight)), unit="h"
    )
    local = pd.DatetimeIndex(frame["seen_at"]).tz_localize(HOME, nonexistent="shift_forward", ambiguous=True)
    frame["seen_at"] = local.tz_convert("UTC").tz_localize(None)
    frame["visitor"] = frame["visitor"].astype(str)
    frame["page"] = rng.choice(["home", "offer", "help"], n)
    return frame


def _happened(
    rng: np.random.Generator, ids: npt.NDArray[np.int64], zero: Times, n: int, unit: str, time: str
) -> pd.DataFrame:
    """Return events of customers and of strangers, many of them exactly where a window begins or ends."""
    strangers = np.arange(len(ids) // 20) + 100_000_001
    who = rng.choice(np.concatenate([ids, strangers]), n)
    at = _BEGIN + rng.integers(0, 152 * _DAY, n)
    edge = rng.integers(0, len(ids), n // 20)
    who[: len(edge)] = ids[edge]
    at[: len(edge)] = zero[edge] + rng.choice([-28, -14, 0, 7, 14, 28], len(edge)) * _DAY
    at[len(edge) : len(edge) + n // 200] = CUT
    return pd.DataFrame({unit: who, time: at})


def _shuffled(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
