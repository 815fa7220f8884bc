"""Assignments as the bytes of a CSV or Parquet file: equal assignments give equal bytes."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from cxcausal.core.errors import Problem, UsageError
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.enrolment import Enrolled

_KINDS = (".csv", ".parquet")


def assignment_kind(path: Path) -> str:
    """Return the suffix of a file that can be written.

    Raises:
        UsageError: it is none of them.
    """
    if path.suffix.lower() in _KINDS:
        return path.suffix.lower()
    what = f"assignments can't be written as '{path.suffix or path.name}'"
    raise UsageError(Problem(where="--out", code="U221", what=what, mend=f"name a file in {' or '.join(_KINDS)}"))


def assignment_bytes(kind: str, spec: ExperimentSpec, units: Sequence[Enrolled]) -> bytes:
    """Return a table with the plan's own column names: unit, randomised unit, arm and strata, in the units' order.

    Args:
        kind: of `assignment_kind`.
        spec: names the columns.
        units: with their arms.
    """
    columns: dict[str, list[str | int]] = {str(spec.data.unit): [row.unit for row in units]}
    columns[str(spec.randomization_unit)] = [row.coin for row in units]
    columns[spec.design.treatment.column] = [row.arm for row in units]
    columns |= {name: [row.stratum[place] for row in units] for place, name in enumerate(spec.design.strata)}
    return _csv(columns) if kind == ".csv" else _parquet(columns)


def _csv(columns: dict[str, list[str | int]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _parquet(columns: dict[str, list[str | int]]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - half a second to import, and CSV does without
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()
