"""The retailer's world at full size against the slow twin; writes docs/validation-events.md."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.events.comparing import Compared, compare, shelved, tables_by_hand
from tests.events.retailer import COLUMNS, World, retailer

PAGE = Path(__file__).resolve().parents[2] / "docs/validation-events.md"
CUSTOMERS, EVENTS = 200_000, 5_000_000
HEAD = """# Event tables against a slow twin

Written by `python -m tests.events`. A retailer's world (`tests/events/retailer.py`): twelve weeks of staggered
enrolment, customers who are assigned twice or watched for less long, orders that are restated, moved to another
customer, taken back, loaded late or twice, events exactly on the edges of windows, four tables on three clocks, ids as
whole numbers and as text, missing and extreme amounts, and one customer who is a machine. The twin
(`tests/events/slow_twin.py`) looks at one event after the other, in plain Python. Every column of every customer is
compared, counts exactly and sums to 1e-12, and so is the flow of customers and what is told of the tables.
"""


def lines(world: World, found: dict[str, Compared], *, same_tables: bool, shelving: float) -> Iterator[str]:
    """Yield the page."""
    yield HEAD
    yield f"{world.events:,} events, {world.assigned['customer'].nunique():,} customers, {len(COLUMNS)} columns.\n"
    yield "| analysed | customers | values compared | different | seconds of work | of the twin |"
    yield "|---|---|---|---|---|---|"
    for name, one in found.items():
        slow, different = one.twin_seconds + shelving, sum(one.differences.values())
        yield f"| {name} | {one.units:,} | {one.values:,} | {different} | {one.product_seconds:.1f} | {slow:.0f} |"
    yield f"\nWhat is told of the tables: {'the same' if same_tables else 'DIFFERENT'}.\n"
    yield "| table | rows | of nobody | dated after the end | arrived after it |"
    yield "|---|---|---|---|---|"
    entry = next(iter(found.values())).flow.entry
    for table in () if entry is None else entry.tables:
        strangers = table.rows - sum(table.matched_by_arm.values())
        yield f"| {table.name} | {table.rows:,} | {strangers:,} | {table.after_end:,} | {table.late:,} |"


def main() -> int:
    """Compare, write the page, and return 1 where anything differs."""
    with tempfile.TemporaryDirectory() as folder:
        world = retailer(CUSTOMERS, EVENTS)
        world.write(Path(folder))
        shelves, shelving = shelved(world)
        found = {
            "all who were assigned": compare(world, Path(folder), shelves, exposure=False),
            "those exposed, from then on": compare(world, Path(folder), shelves, exposure=True),
        }
        entry = found["all who were assigned"].flow.entry
        told = {} if entry is None else {table.name: table for table in entry.tables}
        same_tables = told == tables_by_hand(world, shelves)
    text = "\n".join(lines(world, found, same_tables=same_tables, shelving=shelving)) + "\n"
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    for one in found.values():
        sys.stdout.write(f"{one.differences}\n")
    return int(not same_tables or any(one.differences for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
