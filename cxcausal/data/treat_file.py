"""The file that says who is to be contacted: rows as they come, whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.errors import MachineError, Problem, UsageError
from cxcausal.core.rows import Flags, Floats

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = (".csv", ".parquet")
NUMBERS = ("expected_effect", "low", "high", "net_value")
KNOWN = "known"
_NAMES = ("arm", *NUMBERS, "reason", KNOWN)
_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Treated:
    """What is written of some customers, in the order of the file they came from.

    Attributes:
        ids: as they are stored there.
        arm: place of each one's arm among `arms`, shape (n,). reason: place among `reasons`, shape (n,).
        numbers: one of `NUMBERS` → shape (n,), NaN where there is none.
        known: whether the model knows all of their texts, shape (n,). able: of whom that is told, shape (n,).
    """

    ids: "pa.Array"
    arm: npt.NDArray[np.integer]
    reason: npt.NDArray[np.integer]
    numbers: dict[str, Floats]
    known: Flags
    able: Flags


@dataclass(frozen=True, kw_only=True)
class TreatFile:
    """An output that is being written.

    Attributes:
        arms, reasons: the words that places stand for. unit: the name of the column of ids.
    """

    writer: Any
    unit: str
    arms: tuple[str, ...]
    reasons: tuple[str, ...]

    def write(self, rows: Treated) -> None:
        """Add rows."""
        import pyarrow as pa  # noqa: PLC0415 - heavy

        columns = {self.unit: rows.ids, "arm": _words(rows.arm, self.arms)}
        columns |= {name: pa.array(rows.numbers[name], from_pandas=True) for name in NUMBERS}
        columns |= {"reason": _words(rows.reason, self.reasons), KNOWN: pa.array(rows.known, mask=~rows.able)}
        self.writer.write_table(pa.table(columns))


def refuse_target(path: Path, *, force: bool) -> None:
    """Refuse a file that can't be written, or that must not be lost.

    Raises:
        UsageError: it is of another kind, or exists and may not be replaced.
    """
    if path.suffix.lower() not in KINDS:
        what = f"who is to be contacted can't be written as '{path.suffix or path.name}'"
        raise UsageError(Problem(where="--out", code="U640", what=what, mend=f"name a file in {' or '.join(KINDS)}"))
    if path.exists() and not force:
        what, mend = "the file exists already", "choose another --out, or say --force to replace it"
        raise UsageError(Problem(where=str(path), code="U641", what=what, mend=mend))


def refuse_input(path: Path, files: tuple[Path, ...]) -> None:
    """Refuse to replace what is read, by whatever name: the customers' own columns would be lost.

    Raises:
        UsageError: the target is one of the files.
    """
    if path.exists() and any(file.exists() and path.samefile(file) for file in files):
        what, mend = "this is the file of the customers themselves", "choose another --out"
        raise UsageError(Problem(where=str(path), code="U646", what=what, mend=mend))


@contextmanager
def writing(
    path: Path, ids: "pa.DataType", unit: str, words: tuple[tuple[str, ...], tuple[str, ...]]
) -> Iterator[TreatFile]:
    """Write beside the target and rename at the end, so that nobody ever reads a part of it.

    Args:
        path: ends in one of `KINDS`.
        ids: the type of the ids.
        unit: their column's name.
        words: the arms and the reasons that stand in the columns of that name.

    Raises:
        MachineError: the disk refuses; an older file stays as it was.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    target = path.resolve() if path.is_symlink() else path
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    name = unit if unit not in _NAMES else f"{unit}_id"
    kinds = {name: ids, "arm": pa.string(), **dict.fromkeys(NUMBERS, pa.float64()), "reason": pa.string()}
    kinds[KNOWN] = pa.bool_()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as handle:
            with _writer(target.suffix.lower(), handle, pa.schema(list(kinds.items()))) as writer:
                yield TreatFile(writer=writer, unit=name, arms=words[0], reasons=words[1])
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(target)
    except OSError as error:
        what = f"could not write this file: {error.strerror or type(error).__name__}"
        mend = "check space and permissions of its folder, then run again; an older file is unchanged"
        raise MachineError(Problem(where=str(path), code="E641", what=what, mend=mend)) from error
    finally:
        _discard(partial)


def sha256_of_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of what was written."""
    digest = sha256()
    with path.open("rb") as handle:
        while piece := handle.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _writer(suffix: str, handle: Any, schema: "pa.Schema") -> Any:  # noqa: ANN401 - of Arrow
    if suffix == ".csv":
        from pyarrow import csv  # noqa: PLC0415 - heavy

        return csv.CSVWriter(handle, schema, write_options=csv.WriteOptions(quoting_style="needed"))
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    # Ids and effects hardly repeat: looking for words among them takes longer than all else, and more space.
    return pq.ParquetWriter(
        handle, schema, compression="zstd", write_page_checksum=True, use_dictionary=["arm", "reason"]
    )


def _words(places: npt.NDArray[np.integer], words: tuple[str, ...]) -> "pa.Array":
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(words)).cast(pa.string())


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
