"""The effects as one long table in CSV: a row per estimate, a column per field."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields

from cxcausal.core.results import Estimate


def effects_csv(effects: Sequence[Estimate]) -> bytes:
    """Return UTF-8 CSV with a header; numbers as Python spells them, nothing where there is no value.

    Example:
        >>> effects_csv(()).decode().split(",")[:3]
        ['metric', 'role', 'arm']
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=[item.name for item in fields(Estimate)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in effects)
    return text.getvalue().encode("utf-8")
