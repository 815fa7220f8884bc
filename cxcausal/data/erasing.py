"""Customers taken out of a kept file: rows whose keyed hash is among those of the ids to be erased."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from cxcausal.core.errors import DataError, Problem

UNIT = "key"
"""The column of a kept file with the keyed hash of a unit's id; of other ids it is `id:<column>`."""
_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Without:
    """A kept file without some customers: its new bytes, and how many rows are gone."""

    content: bytes
    rows: int


def keyed_hashes(ids: Iterable[str], key: bytes) -> frozenset[str]:
    """Return the hashes under which kept files know these ids.

    Args:
        ids: as text.
        key: the project's secret.

    Example:
        >>> len(keyed_hashes(["a", "b", "a"], b"secret")), keyed_hashes(["a"], b"x") == keyed_hashes(["a"], b"y")
        (2, False)
    """
    salt = key.hex()
    return frozenset(_hashed(salt, _hashed(salt, text))[:_DIGITS] for text in ids)


def without_customers(path: Path, hashes: frozenset[str], column: str = UNIT) -> Without | None:
    """Return a kept file without the rows of some customers; None where it has none of them, or no such column.

    Args:
        path: of the file.
        hashes: of the ids, by `keyed_hashes`.
        column: of the file.

    Raises:
        DataError: the file is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    try:
        rows = pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as error:
        what, mend = "the kept units can't be read", "restore the run's folder from a copy, or delete this file"
        raise DataError(Problem(where=f"kept/{path.name}", code="F844", what=what, mend=mend)) from error
    if column not in rows.column_names:
        return None
    theirs = pc.is_in(rows[column], value_set=pa.array(sorted(hashes), pa.string()))
    kept = rows.filter(pc.invert(theirs))
    if kept.num_rows == rows.num_rows:
        return None
    stream = BytesIO()
    pq.write_table(kept, stream, compression="zstd", write_page_checksum=True)
    return Without(content=stream.getvalue(), rows=rows.num_rows - kept.num_rows)


def _hashed(salt: str, text: str) -> str:
    return hashlib.sha256((salt + text).encode()).hexdigest()
