"""Mends data, and the plan beside them, as a patient reader would who has nothing but the messages and the files."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml

from tests.corpus.desk import HELD, Desk, Plan, Told

Rule = Callable[["Desk", Told, "re.Match[str]"], bool]


def mend_data(root: Path, plan_path: Path, problems: Sequence[Told]) -> None:
    """Do what the messages say, each once."""
    plan: Plan = yaml.safe_load(plan_path.read_text())
    for problem in problems:
        desk = Desk(root, plan, problem)
        for pattern, rule in _RULES:
            found = re.search(pattern, problem["mend"])
            if found is not None and rule(desk, problem, found):
                break
    plan_path.write_text(yaml.safe_dump(plan))


def _merge(into: Plan, more: Plan) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _say(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Write below `data` what the message shows."""
    if "…" in found[1]:
        return False
    shown = yaml.load(found[1], Loader=yaml.BaseLoader)  # noqa: S506 - texts only
    if "columns" in shown:
        for column in shown["columns"].values():
            column["map"] = {key: None if to == "null" else _number(to) for key, to in column.get("map", {}).items()}
            if not column["map"]:
                del column["map"]
    _merge(desk.data, shown)
    return True


def _number(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _to_null(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    cells = desk.cells()
    if cells:
        _merge(desk.data, {"columns": {desk.column: {"map": dict.fromkeys(cells)}}})
    return bool(cells)


def _meant(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Write the name that was meant, wherever the plan has the other."""
    name = yaml.safe_load(found[1]) if found[1].startswith('"') else found[1].strip("'")
    if desk.where.startswith("data."):
        _set(desk.plan, desk.where, name)
        return True
    desk.plan = _renamed(desk.plan, str(desk.column), name)
    return True


def _renamed(plan: Plan, old: str, new: str) -> Plan:
    def walk(value: Any, above: str = "") -> Any:
        if isinstance(value, dict):
            named = above == "columns"
            return {(new if named and key == old else key): walk(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, str):
            return new if value == old else re.sub(rf"\b{re.escape(old)}\b", new, value) if " " in value else value
        return value

    changed = {key: value if key == "id" else walk(value, key) for key, value in plan.items()}
    plan.clear()
    plan.update(changed)
    return plan


def _set(plan: Plan, path: str, value: Any) -> None:
    *above, last = path.split(".")
    home = plan
    for step in above:
        home = home[step]
    if value is None:
        del home[last]
    else:
        home[last] = value


def _declare_arm(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    arms = desk.plan["design"]["treatment"]["arms"]
    arms.update({cell: {} for cell in desk.cells()[:1]})
    return bool(desk.cells())


def _drop(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Remove a key of the plan, or a column from its lists."""
    _set(desk.plan, next((group for group in found.groups() if group), desk.where), None)
    return True


def _from_lists(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    for key in ("segments", "covariates"):
        desk.plan[key] = [name for name in desk.plan.get(key, []) if name != desk.column]
    return True


def _mean(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    for metric in desk.plan["metrics"]["success"]:
        metric["type"] = found[1] if metric.get("column") == desk.column else metric["type"]
    return True


def _allowed(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    desk.data["columns"][desk.column]["allow_negative"] = True
    return True


def _plain_numbers(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    def plain(text: str) -> str:
        kept = re.sub(r"[^0-9.,+-]", "", text.replace("\u2212", "-"))
        kept = f"-{kept.strip('-')}" if text.startswith("(") or text.rstrip().endswith(("-", "\u2212")) else kept
        groups = re.split(r"[.,]", kept)
        if not re.fullmatch(r"[+-]?\d{1,3}([.,]\d{3})+([.,]\d+)?", kept):
            return kept
        signs = [sign for sign in kept if sign in ".,"]
        last = signs[-1] != signs[0] or len(groups[-1]) != 3
        return "".join(groups[:-1]) + "." + groups[-1] if last else "".join(groups)

    return desk.change(plain)


def _stripped(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    return desk.change(str.strip)


def _iso_dates(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    if "can't be known" in problem["what"]:
        return False

    def iso(text: str) -> str:
        if re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", text):
            day, month, year = text.split(".")
            return f"{year}-{month}-{day}"
        if re.fullmatch(r"\d{5}", text):
            return (date(1899, 12, 30) + timedelta(days=int(text))).isoformat()
        if re.fullmatch(r"\d{8}", text):
            return f"{text[:4]}-{text[4:6]}-{text[6:]}"
        if re.fullmatch(r"\d{10}", text):
            return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%d %H:%M:%S")
        hour = re.fullmatch(r"(\S+) (\d\d):(\d\d) PM", text)
        return f"{hour[1]} {int(hour[2]) + 12}:{hour[3]}" if hour else text

    return desk.change(iso)


def _alike(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Give the rows that were named the spelling of the first."""
    frame = desk.frame()
    rows = [row - 2 for row in desk.rows]
    frame.loc[rows, desk.column] = frame[desk.column].iloc[rows[0]]
    frame.to_csv(desk.path, index=False)
    return True


def _utf8(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    data = desk.path.read_bytes()
    text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "latin-1")
    return desk.write([text])


def _one_end(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    return desk.write([line.rstrip("\r\n") + "\n" for line in desk.lines()])


def _without_row(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    at = 0 if "above the header" in problem["mend"] else desk.rows[0] - 1
    lines = desk.lines()
    if "blank" in problem["mend"] and lines[at].strip():
        return False
    return desk.write([*lines[:at], *lines[at + 1 :]])


def _first_row_and_say(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    return _say(desk, problem, found) and desk.write(desk.lines()[1:])


def _own_names(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Rename columns that are there twice, or have no name of their own."""
    if desk.path.suffix == ".parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 - as the product does

        table = pq.ParquetFile(desk.path).read()
        pq.write_table(table.rename_columns(_distinct(table.column_names, str(desk.plan))), desk.path)
        return True
    if desk.path.suffix == ".jsonl":
        keys = re.findall(r"'(.+?)'", problem["what"])
        keep = min(keys, key=lambda key: desk.path.read_text().count(f'"{key}"') * -1) if keys else ""
        text = desk.path.read_text()
        for key in keys:
            text = text.replace(f'"{key}"', f'"{keep}"')
        return desk.write([text])
    lines = desk.lines()
    header = lines[0].rstrip("\r\n").split(desk.delimiter)
    return desk.write([desk.delimiter.join(_distinct(header, str(desk.plan))) + "\n", *lines[1:]])


def _distinct(names: list[str], plan: str) -> list[str]:
    """Give other names to those that look like another, rather than to those that the plan has."""
    shapes = ["".join(sign for sign in name if sign.isprintable()).strip().casefold() for name in names]
    kept: dict[str, int] = {}
    for at, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        if shape not in kept or (f"'{name}'" in plan and f"'{names[kept[shape]]}'" not in plan):
            kept[shape] = at
    ours = {at for shape, at in kept.items() if shape and not shape.startswith("__")}
    return [name if at in ours else f"column_{at}" for at, name in enumerate(names)]


def _ending(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Give a file the ending that the message names, and the plan its new name."""
    if found[0].startswith("remove"):
        new = desk.name.removesuffix(found[1])
    else:
        new = desk.name + found[1] if found[1] == ".gz" else str(Path(desk.name).with_suffix(found[1]))
    desk.path.rename(desk.root / new)
    desk.data["source"] = new
    return True


def _one_file(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    desk.data["source"] = desk.name
    return True


def _one_kind(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    desk.data["source"] = min(path.name for path in desk.root.glob(desk.data["source"]))
    return True


def _one_type(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    for path in desk.root.glob(desk.data["source"]):
        frame = pd.read_parquet(path)
        frame[desk.column] = pd.to_numeric(frame[desk.column]).astype("float64")
        frame.to_parquet(path)
    return True


def _as_text(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    frame = pd.read_parquet(desk.path)
    frame[desk.column] = frame[desk.column].map(str)
    frame.to_parquet(desk.path)
    return True


def _as_numbers(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    frame = pd.read_parquet(desk.path)
    frame[desk.column] = frame[desk.column].str.replace(",", ".").astype("float64")
    frame.to_parquet(desk.path)
    return True


def _fields(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Where rows end with a needless delimiter, remove it; more can't be known."""
    wide = [line.rstrip("\r\n") for line in desk.lines()]
    if not all(wide[row - 1].endswith(desk.delimiter) for row in desk.rows):
        return False
    for row in desk.rows:
        wide[row - 1] = wide[row - 1].removesuffix(desk.delimiter)
    return desk.write([f"{line}\n" for line in wide])


def _quotes(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    lines = desk.lines()
    at = desk.rows[0] - 1
    fields = lines[at].rstrip("\n").split(desk.delimiter)
    mended = [
        f'"{field.strip(chr(34)).replace(chr(34), chr(34) * 2)}"' if field.startswith('"') else field
        for field in fields
    ]
    return desk.write([*lines[:at], desk.delimiter.join(mended) + "\n", *lines[at + 1 :]])


def _number_targets(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    column = desk.where.split(".")[2]
    desk.data["columns"][column]["map"] = dict.fromkeys(desk.data["columns"][column]["map"])
    return True


def _renamed_formula(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    desk.data["columns"][f"{desk.column}_2"] = desk.data["columns"].pop(desk.column)
    return True


def _zero_to_null(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    formula = desk.data["columns"][desk.column]["formula"]
    _merge(desk.data, {"columns": {formula.split("/")[1].strip(): {"map": {"0": None}}}})
    return True


def _once(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    return desk.write([re.sub(r'("(\w+)": [^,}]+), "\2": [^,}]+', r"\1", line) for line in desk.lines()])


def _point(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    del desk.data["csv"]["decimal"]
    return True


def _correct(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Write what was meant into the rows that were named."""
    frame = desk.frame()
    frame.loc[[row - 2 for row in desk.rows], desk.column] = found[1]
    frame.to_csv(desk.path, index=False, sep=desk.delimiter)
    return True


def _folder(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    desk.data["source"] = found[1]
    return True


def _exported_again(desk: Desk, problem: Told, found: "re.Match[str]") -> bool:
    """Export anew what the message names; of a kind that can be read, where its own can't."""
    name = desk.name
    if desk.where == "data.source":
        name = desk.data["source"] = "x.csv"
    path = desk.root / name
    packed: Literal["gzip"] | None = "gzip" if path.suffix == ".gz" else None
    kind = Path(path.stem).suffix if packed else path.suffix
    if kind == ".parquet":
        HELD.to_parquet(path)
    elif kind in {".json", ".jsonl"}:
        HELD.to_json(path, orient="records", lines=kind == ".jsonl", compression=packed)
    else:
        HELD.to_csv(path, index=False, sep=desk.delimiter, compression=packed)
    return True


_AGAIN = (
    r"export (it|the data) again|as most exports can|the same (header|columns|keys)|column names there"
    r"|save the sheet as CSV|this version reads|write dates as"
)


_RULES: tuple[tuple[str, Rule], ...] = (
    (r"remove that row, and say (csv: .+) below data", _first_row_and_say),
    (r"without signs between thousands|without its sign|numbers as -5", _plain_numbers),
    (r"write every id in one way|^write them alike", _alike),
    (r"say (?:what it means: )?(csv: \{.*?\}|columns: \{.*?\}\}|filter: \".*?\"|columns: \{.*\}) below data", _say),
    (r"such as columns: .*map", _to_null),
    (r"did you mean '(.+?)'\? correct it in the data", _correct),
    (r"did you mean ('.+?'|\".+?\"|\S+?)(?: or .*)?\?", _meant),
    (r"declare the arm", _declare_arm),
    (r"map it to null|map other answers|or to null, below", _to_null),
    (r"map each value to a number", _number_targets),
    (r"or map the 0 to null", _zero_to_null),
    (r"set allow_negative: true", _allowed),
    (r"use type: (\w+)", _mean),
    (r"remove it from the plan's", _from_lists),
    (r"remove the blanks", _stripped),
    (r"write dates as", _iso_dates),
    (r"save it as UTF-8", _utf8),
    (r"LF line ends", _one_end),
    (r"remove what stands above the header|remove the row if it is blank", _without_row),
    (r"the header's end|own name|give the column another name|spelled alike", _own_names),
    (r"remove the ending (\.gz) from", _ending),
    (r"the ending (\.\w+)", _ending),
    (r"match one of them", _one_file),
    (r"files of one kind only", _one_kind),
    (r"with one type in every file", _one_type),
    (r"store ids as text", _as_text),
    (r"store them as numbers", _as_numbers),
    (r"put fields that hold the delimiter", _fields),
    (r"close every quote", _quotes),
    (r"each key once", _once),
    (r"computed column another name", _renamed_formula),
    (r"^write (\S+)$", _folder),
    (r"remove (data\.\w+)|check (data\.filter)", _drop),
    (r"remove decimal from data.csv", _point),
    (r"columns and literals only", _drop),
    (_AGAIN, _exported_again),
)
