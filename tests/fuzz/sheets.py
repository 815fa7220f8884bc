"""Mutations of a sheet: cells, rows and columns, as exports, spreadsheets and merges break them."""

from collections.abc import Callable, Mapping, Sequence

from tests.fuzz.draw import Rng, between, chance, pick
from tests.fuzz.judging import CANARY
from tests.fuzz.values import TEXTS, typo
from tests.fuzz.world import Sheet

Mutation = Callable[[Rng, Sheet], Sheet]

CELLS: tuple[str, ...] = (
    "",
    " ",
    "NA",
    "N/A",
    "nan",
    "NaN",
    "NULL",
    "null",
    "None",
    "-",
    "?",
    "#REF!",
    "#DIV/0!",
    "inf",
    "-Infinity",
    "1e999",
    "-1e400",
    "1e308",
    "1e-320",
    "1e70",
    "1.1e70",
    "9007199254740993",
    "99999999999999999999",
    "-5",
    "-0",
    "+3",
    "0.0",
    "1.0",
    "1.",
    ".5",
    "00123",
    "1,5",
    "1.234,56",
    "1 234",
    "1_000",
    "0x1F",
    "12%",
    "€5",
    "5€",
    "true",
    "FALSE",
    "yes",
    "Y",
    "ja",
    "gold",
    "none ",
    "None",
    "NONE",
    "Gig",
    "gig\u200b",
    "２",
    "2026-01-05",
    "2026-02-30",
    "05.01.2026",
    "01/05/2026",
    "2026-01-05T10:00:00Z",
    "2026-01-05T10:00:00+02:00",
    "2026-01-05 25:00",
    "0001-01-01",
    "9999-12-31",
    "99999-01-01",
    "1600000000",
    "'5",
    '"',
    '""',
    'a"b',
    "a\rb",
    "a\nb",
    "a,b",
    "a\tb",
    "=cmd|' /C calc'!A0",
    "x" * 5000,
    f"{CANARY}-00003",
    *TEXTS[:20],
)


_STYLES: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace(".", ","),
    lambda text: f" {text}",
    lambda text: f"{text} ",
    str.upper,
    lambda text: text.zfill(6),
    lambda text: f'"{text}"',
    lambda text: f"{text}.0" if text.isdigit() else text,
    lambda text: f"{text}e0" if text.isdigit() else text,
    lambda text: text or "NA",
)
_NAMED: tuple[Callable[[str], str], ...] = (str.upper, str.title, lambda name: f" {name} ")


def damaged(rng: Rng, sheet: Sheet) -> tuple[Sheet, tuple[str, ...]]:
    """Return a sheet with one to three mutations, and their names."""
    names = []
    for _ in range(pick(rng, (1, 1, 1, 2, 3))):
        name = pick(rng, (*MUTATIONS, "cell", "cell", "cell"))
        sheet = MUTATIONS[name](rng, sheet)
        names.append(name)
    return sheet, tuple(names)


def _cell(rng: Rng, sheet: Sheet) -> Sheet:
    """Put one odd value into one or a few cells of a column."""
    rows = [list(row) for row in sheet.rows]
    column, value = between(rng, 0, len(sheet.header) - 1), pick(rng, CELLS)
    for _ in range(pick(rng, (1, 1, 3, 40)) if rows else 0):
        row = pick(rng, rows)
        if column < len(row):
            row[column] = value if chance(rng, 0.9) else pick(rng, CELLS)
    return sheet.with_rows(rows)


def _column_of(rng: Rng, sheet: Sheet) -> Sheet:
    """Give a whole column one value, or that of another column."""
    column, other = between(rng, 0, len(sheet.header) - 1), between(rng, 0, len(sheet.header) - 1)
    value = pick(rng, CELLS)
    copied = chance(rng, 0.5)

    def changed(row: Sequence[str]) -> tuple[str, ...]:
        if max(column, other) >= len(row):
            return tuple(row)
        return (*row[:column], row[other] if copied else value, *row[column + 1 :])

    return sheet.with_rows([changed(row) for row in sheet.rows])


def _restyled(rng: Rng, sheet: Sheet) -> Sheet:
    """Write a whole column another way: decimal commas, blanks, capitals, quotes, zeros."""
    column = between(rng, 0, len(sheet.header) - 1)
    style = pick(rng, _STYLES)
    rows = [(*row[:column], style(row[column]), *row[column + 1 :]) if column < len(row) else row for row in sheet.rows]
    return sheet.with_rows(rows)


def _copied_cell(rng: Rng, sheet: Sheet) -> Sheet:
    """Put a cell of one column into another one of the same row."""
    rows = [list(row) for row in sheet.rows]
    for _ in range(pick(rng, (1, 1, 5)) if rows else 0):
        row = pick(rng, rows)
        if row:
            row[between(rng, 0, len(row) - 1)] = pick(rng, row)
    return sheet.with_rows(rows)


def _rows(change: Callable[[Rng, list[tuple[str, ...]]], None]) -> Mutation:
    def mutation(rng: Rng, sheet: Sheet) -> Sheet:
        rows = list(sheet.rows)
        if rows:
            change(rng, rows)
        return sheet.with_rows(rows)

    return mutation


def _drop_rows(rng: Rng, rows: list[tuple[str, ...]]) -> None:
    at = between(rng, 0, len(rows) - 1)
    del rows[at : at + pick(rng, (1, 1, 20, 90, 10_000))]


def _repeat_rows(rng: Rng, rows: list[tuple[str, ...]]) -> None:
    at = between(rng, 0, len(rows) - 1)
    rows[at:at] = rows[at : at + pick(rng, (1, 1, 5, 1000))]


def _shorten_row(rng: Rng, rows: list[tuple[str, ...]]) -> None:
    at = between(rng, 0, len(rows) - 1)
    rows[at] = rows[at][: between(rng, 0, max(len(rows[at]) - 1, 0))]


def _lengthen_row(rng: Rng, rows: list[tuple[str, ...]]) -> None:
    many = pick(rng, (1, 1, len(rows)))
    start = between(rng, 0, len(rows) - many)
    for at in range(start, start + many):
        rows[at] = (*rows[at], pick(rng, ("", "", "x", "1,5")))


def _shift_row(rng: Rng, rows: list[tuple[str, ...]]) -> None:
    at = between(rng, 0, len(rows) - 1)
    rows[at] = ("", *rows[at][:-1]) if chance(rng, 0.5) else (*rows[at][1:], "")


def _blank_rows(rng: Rng, rows: list[tuple[str, ...]]) -> None:
    for _ in range(pick(rng, (1, 1, 5))):
        width = len(rows[0])
        rows.insert(between(rng, 0, len(rows)), pick(rng, ((), ("",) * width, ("",))))


def _header_again(rng: Rng, sheet: Sheet) -> Sheet:
    rows = list(sheet.rows)
    rows.insert(between(rng, 0, len(rows)), sheet.header)
    return sheet.with_rows(rows)


def _footer(rng: Rng, rows: list[tuple[str, ...]]) -> None:
    width = len(rows[0])
    rows.append(pick(rng, (("Total",), ("96 rows", *[""] * (width - 1)), ("--",), ("Total", "", "", "12"))))


def _header(rng: Rng, sheet: Sheet) -> Sheet:
    """Change the names of columns, not what stands below them."""
    names, at = list(sheet.header), between(rng, 0, len(sheet.header) - 1)
    other = between(rng, 0, len(names) - 1)
    kind = between(rng, 0, 6)
    if kind == 0:
        names[at] = typo(rng, names[at])
    elif kind == 1:
        names[at] = names[other]
    elif kind == 2:
        names[at], names[other] = names[other], names[at]
    elif kind == 3:
        names[at] = pick(rng, TEXTS)
    elif kind == 4:
        names = [pick(rng, _NAMED)(name) for name in names]
    elif kind == 5:
        names = names[:-1] if chance(rng, 0.5) else [*names, pick(rng, ("", "x", names[0]))]
    else:
        names[at] = f"\ufeff{names[at]}"
    return Sheet(header=tuple(names), rows=sheet.rows)


def _no_header(rng: Rng, sheet: Sheet) -> Sheet:
    return Sheet(header=sheet.rows[0], rows=sheet.rows[1:]) if sheet.rows else sheet


def _drop_column(rng: Rng, sheet: Sheet) -> Sheet:
    at = between(rng, 0, len(sheet.header) - 1)
    cut = [(*row[:at], *row[at + 1 :]) for row in (sheet.header, *sheet.rows)]
    return Sheet(header=cut[0], rows=tuple(cut[1:])) if len(sheet.header) > 1 else sheet


MUTATIONS: Mapping[str, Mutation] = {
    "cell": _cell,
    "column of one value": _column_of,
    "restyled column": _restyled,
    "copied cell": _copied_cell,
    "drop rows": _rows(_drop_rows),
    "repeat rows": _rows(_repeat_rows),
    "shorten row": _rows(_shorten_row),
    "lengthen row": _rows(_lengthen_row),
    "shift row": _rows(_shift_row),
    "blank rows": _rows(_blank_rows),
    "footer": _rows(_footer),
    "header again": _header_again,
    "header": _header,
    "no header": _no_header,
    "drop column": _drop_column,
}
