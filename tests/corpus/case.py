"""One case of bad data: the files, what the plan says beyond the usual, and the refusal that must come."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cxcausal.core.errors import ExitCode

HEADER = "id,arm,churned,spend\n"
GOOD = "c1,none,0,1.5\nc2,gig,1,2.5\nc3,none,0,0\nc4,gig,1,7\n"
ID_OF_NOBODY = "canary@example.com"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One refusal.

    Attributes:
        name: of the test.
        files: content by path below the root.
        code, place, mend: of one of the problems; `place` is the whole `where`, `mend` a part.
        data: added to the plan's data block.
        plan: top-level blocks of the plan.
        exit_code: of the error.
        what: a part of the problem's text.
    """

    name: str
    files: Mapping[str, bytes]
    code: str
    place: str
    mend: str
    what: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.DATA


def text(body: str, header: str = HEADER, name: str = "x.csv", encoding: str = "utf-8") -> dict[str, bytes]:
    return {name: (header + body).encode(encoding)}


def parquet(**columns: Any) -> dict[str, bytes]:
    usual = {"id": ["c1", "c2"], "arm": ["none", "gig"], "churned": [0, 1], "spend": [1.0, 2.0]}
    stream = io.BytesIO()
    pd.DataFrame({**usual, **columns}).to_parquet(stream)
    return {"x.parquet": stream.getvalue()}


def metric(kind: str, column: str, **more: Any) -> dict[str, Any]:
    return {"success": [{"name": "m", "type": kind, "column": column, "desired_direction": "increase", **more}]}


MEAN = {"metrics": metric("mean", "spend")}
WINDOW = {"metrics": metric("mean", "spend", window={"start": "0d", "end": "30d"})}
PARQUET = {"source": "x.parquet"}
DATES = "id,arm,churned,spend,entered,seen\n"


def jsonl(*changes: dict[str, Any], name: str = "x.jsonl") -> dict[str, bytes]:
    """Return records of two arms and the changed ones behind the first; a key that changes to None is left out."""
    usual = [{"id": f"c{at}", "arm": ("none", "gig")[at % 2], "churned": at % 2, "spend": at} for at in range(4)]
    records = [
        usual[0],
        *({**one, **new} for one, new in zip(usual[1:], changes, strict=False)),
        *usual[1 + len(changes) :],
    ]
    kept = [{key: value for key, value in record.items() if value is not None} for record in records]
    return {name: "".join(f"{json.dumps(record)}\n" for record in kept).encode()}
