"""Changes of a file that mean nothing, such as another order of rows or another format: no number may change."""

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from tests.fuzz.draw import Rng, chance, pick, some
from tests.fuzz.world import Dialect, Sheet, written

_DECIMALS = ("before", "spend", "weight")
_WHOLE = ("age", "left", "orders", "calls", "answered", "reached")


@dataclass(frozen=True, kw_only=True)
class Told:
    """Files as they are written, and what the plan's data block must say of them.

    Attributes:
        sheet: the customers.
        dialect: how they are written as text.
        name: of the file; a star stands for several files.
        data: keys of the data block.
    """

    sheet: Sheet
    dialect: Dialect = field(default_factory=Dialect)
    name: str = "data/units.csv"
    data: Mapping[str, Any] = field(default_factory=dict)

    def said(self, **data: Any) -> "Told":
        """Return the same with more said in the plan; what is below `csv` is added up."""
        merged = {**self.data, **data}
        if "csv" in data:
            merged["csv"] = {**self.data.get("csv", {}), **data["csv"]}
        return replace(self, data=merged)

    def files(self) -> dict[str, bytes]:
        """Return the bytes of every file."""
        if "*" in self.name:
            half = len(self.sheet.rows) // 2
            parts = (self.sheet.rows[:half], self.sheet.rows[half:])
            sheets = (replace(self.sheet, rows=rows) for rows in parts)
            return {
                self.name.replace("*", str(at)): written(sheet, self.dialect)
                for at, sheet in enumerate(sheets, start=1)
            }
        data = _FORMATS.get(self.name.partition(".")[2], _text)(self)
        return {self.name: gzip.compress(data, mtime=0) if self.name.endswith(".gz") else data}


def retold(rng: Rng, sheet: Sheet) -> tuple[Told, tuple[str, ...]]:
    """Return the customers told in one to three other ways, and their names; text is written in one kind of file."""
    told, names = Told(sheet=sheet), []
    for name in some(rng, tuple(_ANYWHERE), 2):
        told = _ANYWHERE[name](rng, told)
        names.append(name)
    name = pick(rng, (*_TEXTS, *_KINDS))
    return {**_TEXTS, **_KINDS}[name](rng, told), (*names, name)


def _text(told: Told) -> bytes:
    return written(told.sheet, told.dialect)


def _frame(told: Told, *, typed: bool) -> pd.DataFrame:
    """Return a frame of the sheet; an empty cell is missing, as it is in a CSV file."""
    frame = pd.DataFrame([dict(zip(told.sheet.header, row, strict=True)) for row in told.sheet.rows], dtype=object)
    frame = frame.where(frame != "", None)
    for name in (*_DECIMALS, *_WHOLE, "score", "csat") if typed else ():
        kind: Literal["int64", "float64"] = "int64" if name in _WHOLE else "float64"
        frame[name] = pd.to_numeric(frame[name]).astype(kind)
    return frame


def _parquet(told: Told) -> bytes:
    stream = io.BytesIO()
    _frame(told, typed="typed" in told.name).to_parquet(stream, index=False)
    return stream.getvalue()


def _json(told: Told) -> bytes:
    lines = told.name.endswith("jsonl")
    return str(_frame(told, typed=False).to_json(orient="records", lines=lines, force_ascii=False)).encode()


_FORMATS: Mapping[str, Callable[[Told], bytes]] = {
    "parquet": _parquet,
    "typed.parquet": _parquet,
    "json": _json,
    "jsonl": _json,
}


def _shuffled(rng: Rng, told: Told) -> Told:
    rows = [told.sheet.rows[int(at)] for at in rng.permutation(len(told.sheet.rows))]
    return replace(told, sheet=told.sheet.with_rows(rows))


def _reordered(rng: Rng, told: Told) -> Told:
    order = [int(at) for at in rng.permutation(len(told.sheet.header))]
    rows = tuple(tuple(row[at] for at in order) for row in told.sheet.rows)
    return replace(told, sheet=Sheet(header=tuple(told.sheet.header[at] for at in order), rows=rows))


def _spare_column(rng: Rng, told: Told) -> Told:
    rows = tuple((*row, pick(rng, ("", "x,y", "1"))) for row in told.sheet.rows)
    return replace(told, sheet=Sheet(header=(*told.sheet.header, "spare column"), rows=rows))


def _dialect(**changes: Any) -> Callable[[Rng, Told], Told]:
    return lambda _, told: replace(told, dialect=replace(told.dialect, **changes))


def _delimited(rng: Rng, told: Told) -> Told:
    sign = pick(rng, (";", "\t", "|"))
    return replace(told, dialect=replace(told.dialect, delimiter=sign)).said(csv={"delimiter": sign})


def _decimal_commas(rng: Rng, told: Told) -> Told:
    places = [told.sheet.place(name) for name in _DECIMALS]
    rows = [
        tuple(cell.replace(".", ",") if at in places else cell for at, cell in enumerate(row))
        for row in told.sheet.rows
    ]
    told = replace(told, sheet=told.sheet.with_rows(rows)).said(csv={"decimal": ","})
    return _delimited(rng, told) if chance(rng, 0.7) else told


def _encoded(rng: Rng, told: Told) -> Told:
    name = pick(rng, ("utf-16", "latin-1"))
    rows = [tuple(cell.replace("日本", "Japan") for cell in row) for row in told.sheet.rows]
    sheet = told.sheet.with_rows(rows)
    return replace(told, sheet=sheet, dialect=replace(told.dialect, encoding=name)).said(csv={"encoding": name})


def _named(name: str) -> Callable[[Rng, Told], Told]:
    return lambda _, told: replace(told, name=name).said(source=name)


def _tabbed(rng: Rng, told: Told) -> Told:
    return _named("data/units.tsv")(rng, replace(told, dialect=replace(told.dialect, delimiter="\t")))


_ANYWHERE: Mapping[str, Callable[[Rng, Told], Told]] = {
    "shuffled rows": _shuffled,
    "other order of columns": _reordered,
    "spare column": _spare_column,
}
_TEXTS: Mapping[str, Callable[[Rng, Told], Told]] = {
    "crlf": _dialect(line_end="\r\n"),
    "all quoted": _dialect(quote_all=True),
    "bom": _dialect(encoding="utf-8-sig"),
    "no last line end": _dialect(last_line_ends=False),
    "quoted crlf and bom": _dialect(line_end="\r\n", quote_all=True, encoding="utf-8-sig"),
    "other delimiter": _delimited,
    "decimal commas": _decimal_commas,
    "other encoding": _encoded,
}
_KINDS: Mapping[str, Callable[[Rng, Told], Told]] = {
    "gz": _named("data/units.csv.gz"),
    "tsv": _tabbed,
    "two files": _named("data/units*.csv"),
    "parquet of texts": _named("data/units.parquet"),
    "parquet": _named("data/units.typed.parquet"),
    "json": _named("data/units.json"),
    "json lines": _named("data/units.jsonl"),
}
