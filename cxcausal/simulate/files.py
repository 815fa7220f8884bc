"""A drawn world as files: Parquet with page checksums for the analyst, and the truth in JSON beside it."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cxcausal.core.errors import MachineError, Problem, UsageError
from cxcausal.core.interrupts import held
from cxcausal.simulate.effects import RETAINED_CUSTOMER
from cxcausal.simulate.handoff import HandoffDrawn, HandoffWorld, HiddenHandoffWorld, LateHandoffWorld
from cxcausal.simulate.moments import MomentsDrawn, MomentsWorld
from cxcausal.simulate.outreach import Column, Drawn, OutreachWorld

if TYPE_CHECKING:
    import pyarrow as pa

TRUTH_SCHEMA_VERSION = 1
World = OutreachWorld | HandoffWorld | HiddenHandoffWorld | LateHandoffWorld | MomentsWorld
WORLDS: Mapping[str, type[World]] = {
    kind.name: kind for kind in (OutreachWorld, HandoffWorld, HiddenHandoffWorld, LateHandoffWorld, MomentsWorld)
}

_WHOLE_WITH_GAPS = ("csat", "nps_answer")


@dataclass(frozen=True, kw_only=True)
class WrittenWorld:
    """Where a world was written, and the SHA-256 of its data."""

    data: Path
    truth: Path
    rows: int
    sha256: str


def simulate(name: str, out: str | Path, **options: Any) -> WrittenWorld:  # noqa: ANN401 - the world's own fields
    """Draw a world with known truth and write it.

    Args:
        name: a key of `WORLDS`, such as `outreach`, `handoff` or `moments`.
        out: the Parquet file to write; the truth goes beside it as `<stem>.truth.json`.
        **options: fields of the world, such as n, seed, effect_scale.

    Raises:
        UsageError: no such world or option, a value that makes no sense, or a file of another kind than Parquet.
        MachineError: the file can't be written.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> simulate("outreach", f"{folder}/outreach.parquet", n=1_000, seed=1).rows
        1000
    """
    kind = WORLDS.get(name)
    if kind is None:
        raise UsageError(_problem(name, f"there is no world '{name}'", f"use one of: {', '.join(WORLDS)}"))
    known = [field.name for field in fields(kind)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        mend = f"use: {', '.join(known)}"
        raise UsageError([_problem(name, f"there is no option '{option}'", mend) for option in unknown])
    if Path(out).suffix.lower() not in {".parquet", ".pq"}:
        raise UsageError(_problem(name, f"'{out}' would hold Parquet under another name", "let it end in .parquet"))
    plain: dict[str, Any] = {
        option: tuple(value) if isinstance(value, list) else value for option, value in options.items()
    }
    return write(kind(**plain), Path(out))


def write(world: World, path: Path) -> WrittenWorld:
    """Write a world's data and truth, both or neither; equal worlds give equal bytes.

    Args:
        world: what to draw.
        path: the Parquet file; its folder is made where missing.

    Raises:
        MachineError: the folder or the file can't be written.
    """
    drawn = world.draw()
    truth = path.with_name(f"{path.stem}.truth.json")
    unfinished = [one.with_name(f".{one.name}.{os.getpid()}.partial") for one in (path, truth)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_parquet(drawn.columns, unfinished[0])
        digest = sha256(unfinished[0].read_bytes()).hexdigest()
        unfinished[1].write_text(_truth_json(world, drawn, path.name, digest), encoding="utf-8")
        with held():
            unfinished[0].replace(path)
            unfinished[1].replace(truth)
    except OSError as error:
        what = f"can't be written: {error.strerror}"
        raise MachineError(Problem(where=str(path), code="M310", what=what, mend="choose a writable place")) from error
    finally:
        _discard(unfinished)
    return WrittenWorld(data=path, truth=truth, rows=world.n, sha256=digest)


def _discard(unfinished: Iterable[Path]) -> None:
    """Remove what was not renamed into place, where the disk still allows it."""
    for one in unfinished:
        with suppress(OSError):
            one.unlink(missing_ok=True)


def _write_parquet(columns: Mapping[str, Column], path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and needed only to write
    from pyarrow import parquet  # noqa: PLC0415

    table = pa.table({name: _arrow(name, values) for name, values in columns.items()})
    parquet.write_table(table, path, compression="zstd", write_page_checksum=True, row_group_size=131_072)


def _arrow(name: str, values: Column) -> "pa.Array":
    import pyarrow as pa  # noqa: PLC0415

    if values.dtype.kind == "U":
        levels, codes = np.unique(values, return_inverse=True)
        few = len(levels) < len(values) // 10
        return pa.array(levels.tolist()).take(pa.array(codes)) if few else pa.array(values.tolist())
    if name in _WHOLE_WITH_GAPS:
        return pa.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values))
    return pa.array(values)


def _truth_json(world: World, drawn: Drawn | HandoffDrawn | MomentsDrawn, name: str, digest: str) -> str:
    document = {
        "schema_version": TRUTH_SCHEMA_VERSION,
        "world": world.name,
        "options": asdict(world),
        "data": {"file": name, "sha256": digest},
        "money": {
            "retained_customer": RETAINED_CUSTOMER,
            "unit_cost": dict(world.costs),
        },
        **asdict(drawn.truth),
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _problem(name: str, what: str, mend: str) -> Problem:
    return Problem(where=f"simulate {name}", code="U211", what=what, mend=mend)
