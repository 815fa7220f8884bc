"""What an accepted CSV file must have come to, by a strict reader of the standard library and sums done by hand."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import fsum, isclose
from typing import Any

from tests.fuzz.cookbook import Recipe

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TOLERANCE = 1e-12
Table = tuple[list[str], list[list[str]]]


def strictly_read(data: bytes) -> Table | None:
    """Return the header and rows of a CSV file in UTF-8; None where a strict reader refuses it."""
    try:
        records = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    kept = [record for record in records if record]
    if not kept or any(len(record) != len(kept[0]) for record in kept):
        return None
    return kept[0], kept[1:]


def contradictions(recipe: Recipe, data: bytes, told: Mapping[str, Any]) -> Iterator[str]:
    """Yield in what a result differs from what the file says.

    Args:
        recipe: the plan that was run.
        data: the bytes of its CSV file.
        told: the result, as `run --json` tells it.
    """
    table = strictly_read(data)
    if table is None:
        yield "read, although a strict reader refuses it"
        return
    header, rows = table
    facts = told["data"]
    if facts["rows"] != len(rows):
        yield f"{facts['rows']} rows are told, and {len(rows)} are there"
    if facts["filtered_out"] + facts["enrolled"] != facts["rows"]:
        yield "rows went missing without a word"
    if facts["filtered_out"] == 0 and not recipe.events:
        arms = Counter(row[header.index("arm")] for row in rows)
        known = {arm: count for arm, count in facts["enrolled_by_arm"].items() if count}
        if known != dict(arms):
            yield f"arms are told as {known}, and are {dict(arms)}"
    if recipe.plain is not None:
        yield from _means(recipe.plain, header, rows, told["effects"])


def _means(metric: str, header: Sequence[str], rows: Sequence[Sequence[str]], effects: Any) -> Iterator[str]:
    """Yield means of the plain metric that differ from sums done by hand."""
    arm, value = header.index("arm"), header.index(metric)
    for row in effects:
        if row["metric"] != metric or row["population"] != "all" or row["trimming"] != "none" or row["companion"]:
            continue
        for key, name in (("mean_treated", row["arm"]), ("mean_control", row["control"])):
            values = [_number(cells[value]) for cells in rows if cells[arm] == name]
            known = [number for number in values if number is not None]
            if known and row[key] is not None and not _alike(row[key], fsum(known) / len(known), known):
                yield f"{key} of {metric} is told as {row[key]}, and is {fsum(known) / len(known)}"


def _alike(told: float, mine: float, values: Sequence[float]) -> bool:
    return isclose(told, mine, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE * max(map(abs, values)))


def _number(text: str) -> float | None:
    """Return a cell as a number; None where it is missing."""
    if text.lower() in {"true", "false"}:
        return float(text.lower() == "true")
    return float(text) if _NUMBER.fullmatch(text) else None
