"""A small good world as sheets of text: customers in arms, and their orders."""

import csv
import io
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from tests.fuzz.draw import Rng, between, chance, pick, rng_of
from tests.fuzz.judging import CANARY

ARMS = ("none", "gig", "agent")
_ROWS = 96
_START = date(2026, 1, 5)
_NOTES = ("", "was friendly", 'said "no, thanks"', "Grüße, bis bald", "two\nlines", "a;b", "日本", " padded ", "'")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table of text cells; rows may be of any length."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def place(self, name: str) -> int:
        """Return where a column stands."""
        return self.header.index(name)

    def with_rows(self, rows: list[tuple[str, ...]] | list[list[str]]) -> "Sheet":
        """Return the sheet with other rows."""
        return replace(self, rows=tuple(map(tuple, rows)))


def customers(seed: int) -> Sheet:
    """Return customers in households: texts, numbers, dates, and values that are missing."""
    rng = rng_of("customers", seed, 0)
    rows = [_customer(rng, at) for at in range(_ROWS)]
    return Sheet(header=tuple(rows[0]), rows=tuple(tuple(row.values()) for row in rows))


def _customer(rng: Rng, at: int) -> dict[str, str]:
    answered, orders = chance(rng, 0.6), between(rng, 0, 4)
    entered = _START + timedelta(days=between(rng, 0, 60))
    return {
        "customer": f"{CANARY}-{at:05d}",
        "house": f"H{CANARY}{at // 2}",
        "arm": pick(rng, (*ARMS, "none")),
        "tier": pick(rng, ("gold", "Silber-ä", "gold", "")),
        "region": pick(rng, ("north", "south, upper", "west")),
        "age": str(between(rng, 18, 90)),
        "before": f"{rng.gamma(2, 30):.2f}",
        "left": str(between(rng, 0, 1)),
        "stayed": pick(rng, ("yes", "no")),
        "spend": "" if chance(rng, 0.1) else f"{rng.gamma(2, 20):.2f}",
        "orders": str(orders),
        "calls": str(between(rng, 0, 5)),
        "answered": str(int(answered)),
        "score": str(between(rng, 0, 10)) if answered else "",
        "csat": str(between(rng, 1, 5)) if answered else "",
        "weight": f"{rng.uniform(0.5, 3):.3f}",
        "reached": str(between(rng, 0, 1)),
        "entered": entered.isoformat(),
        "seen": "2026-06-01 12:30:00",
        "note": pick(rng, _NOTES),
    }


def orders(seed: int) -> Sheet:
    """Return orders of the customers, some of them restated."""
    rng = rng_of("orders", seed, 0)
    rows = [_order(rng, at) for at in range(4 * _ROWS)]
    return Sheet(header=tuple(rows[0]), rows=tuple(tuple(row.values()) for row in rows))


def _order(rng: Rng, at: int) -> dict[str, str]:
    day = _START + timedelta(days=between(rng, -40, 120))
    return {
        "who": f"{CANARY}-{between(rng, 0, _ROWS - 1):05d}",
        "order": str(at - (at % 9 == 0)),
        "at": f"{day.isoformat()} {between(rng, 0, 23):02d}:00:00",
        "loaded": (day + timedelta(days=between(rng, 0, 5))).isoformat(),
        "amount": f"{rng.gamma(2, 20):.2f}",
        "shop": pick(rng, ("web", "kiosk", "Köln")),
        "gone": str(int(chance(rng, 0.1))),
    }


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a sheet is written as text."""

    delimiter: str = ","
    decimal: str = "."
    line_end: str = "\n"
    quote_all: bool = False
    last_line_ends: bool = True
    encoding: str = "utf-8"


def written(sheet: Sheet, dialect: Dialect) -> bytes:
    """Return a sheet as a file of delimited text."""
    stream = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if dialect.quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(stream, delimiter=dialect.delimiter, lineterminator=dialect.line_end, quoting=quoting)
    writer.writerow(sheet.header)
    writer.writerows(sheet.rows)
    text = stream.getvalue()
    text = text if dialect.last_line_ends else text.removesuffix(dialect.line_end)
    return text.encode(dialect.encoding, "replace")
