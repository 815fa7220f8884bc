"""Bad data, one case each: the files, what the plan says beyond the usual, and the refusal that must come."""

import gzip
import io
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

STRUCTURE = (
    Case(
        name="no such file", files=text(GOOD, name="y.csv"), code="D104", place="data.source", mend="did you mean y.csv"
    ),
    Case(
        name="a folder", files=text(GOOD, name="x.csv/y.csv"), code="D104", place="data.source", mend="x.csv/*.parquet"
    ),
    Case(
        name="a glob without files",
        files=text(GOOD),
        data={"source": "z*.csv"},
        code="D104",
        place="data.source",
        mend="did you mean x.csv",
    ),
    Case(name="an empty file", files={"x.csv": b""}, code="D207", place="x.csv", mend="with a header and rows"),
    Case(name="a header only", files=text(""), code="D207", place="x.csv", mend="with its rows"),
    Case(
        name="rows one field too long",
        files=text("c1,none,0,1.5,9\nc2,gig,1,2.5,9\n"),
        code="D205",
        place="x.csv row 2",
        mend="in quotes",
        what="2 rows are so",
    ),
    Case(
        name="rows with a delimiter at their end",
        files=text("c1,none,0,1.5,\nc2,gig,1,2.5,\n"),
        code="D205",
        place="x.csv row 2",
        mend="in quotes",
        what="5 fields and the header 4",
    ),
    Case(
        name="a decimal comma that shifts one row",
        files=text(GOOD + "c5,gig,1,2,5\n"),
        code="D205",
        place="x.csv row 6",
        mend="csv.decimal",
    ),
    Case(name="a short row", files=text(GOOD + "c5,gig\n"), code="D205", place="x.csv row 6", mend="csv.delimiter"),
    Case(
        name="a short row below a quoted line break",
        files=text('c1,none,0,"1\n"\nc2,gig\n'),
        code="D205",
        place="x.csv row 4",
        mend="csv.delimiter",
    ),
    Case(
        name="a repeated column",
        files=text("c1,none,0,1,2\n", header="id,arm,churned,spend,spend\n"),
        code="D209",
        place="x.csv row 1",
        mend="its own name",
        what="'spend'",
    ),
    Case(
        name="columns that differ in case",
        files=text("c1,none,0,1,2\n", header="id,arm,churned,spend,Spend\n"),
        code="D209",
        place="x.csv row 1",
        mend="its own name",
    ),
    Case(
        name="a column without a name",
        files=text("c1,none,0,1,\n", header="id,arm,churned,spend,\n"),
        code="D209",
        place="x.csv row 1",
        mend="header's end",
    ),
    Case(
        name="semicolons",
        files=text(GOOD.replace(",", ";"), header=HEADER.replace(",", ";")),
        code="D208",
        place="x.csv row 1",
        mend='csv: {delimiter: ";"}',
    ),
    Case(
        name="tabs",
        files=text(GOOD.replace(",", "\t"), header=HEADER.replace(",", "\t")),
        code="D208",
        place="x.csv row 1",
        mend='delimiter: "\\t"',
    ),
    Case(
        name="UTF-16",
        files=text(GOOD, encoding="utf-16"),
        code="D203",
        place="x.csv",
        mend="csv: {encoding: utf-16}",
    ),
    Case(
        name="Latin-1",
        files=text(GOOD.replace("c3", "cé"), encoding="latin-1"),
        code="D203",
        place="x.csv",
        mend="encoding: latin-1",
    ),
    Case(name="a NUL byte", files=text(GOOD.replace("c3", "c\0")), code="D204", place="x.csv row 4", mend="damaged"),
    Case(
        name="an open quote",
        files=text(GOOD.replace("c3", '"c3')),
        code="D206",
        place="x.csv row 4",
        mend="close every quote",
    ),
    Case(
        name="a quote inside a quoted field",
        files=text(GOOD.replace("c3", '"c"3"')),
        code="D206",
        place="x.csv row 4",
        mend="double the quotes",
    ),
    Case(
        name="no header",
        files=text(GOOD, header=f"{ID_OF_NOBODY},none,0,1.5\n"),
        code="D210",
        place="x.csv column id",
        mend="doesn't look like a header",
    ),
    Case(
        name="a missing column",
        files=text(GOOD.replace("spend", "Spent"), header="id,arm,churned,Spend\n"),
        plan=MEAN,
        code="D210",
        place="x.csv column spend",
        mend="did you mean 'Spend'? columns: id, arm, churned, Spend",
    ),
    Case(
        name="a declared column that is not there",
        files=text(GOOD),
        data={"columns": {"chrned": {"map": {"yes": 1}}}},
        code="D210",
        place="x.csv column chrned",
        mend="did you mean 'churned'",
    ),
    Case(
        name="files with different columns",
        files={**text(GOOD, name="x1.csv"), **text("c9,none,0\n", header="id,arm,churned\n", name="x2.csv")},
        data={"source": "x*.csv"},
        code="D211",
        place="x2.csv row 1",
        mend="the same header",
    ),
    Case(
        name="a truncated gzip",
        files={"x.csv.gz": gzip.compress((HEADER + GOOD * 99).encode())[:-20]},
        data={"source": "x.csv.gz"},
        code="D111",
        place="x.csv.gz",
        mend="again",
    ),
    Case(
        name="a truncated Parquet file",
        files={"x.parquet": parquet()["x.parquet"][:-40]},
        data=PARQUET,
        code="D121",
        place="x.parquet",
        mend="again",
    ),
    Case(
        name="a truncated JSON file",
        files={"x.json": b'[{"id": "c1", "arm": "none", "churned": 0, "spend": 1.5}, {"id": "c2", "ar'},
        data={"source": "x.json"},
        code="D121",
        place="x.json",
        mend="again",
    ),
    Case(
        name="a CSV file that is called Parquet",
        files=text(GOOD, name="x.parquet"),
        data=PARQUET,
        code="D121",
        place="x.parquet",
        mend="again",
    ),
    Case(
        name="a database with unwritten changes",
        files={"x.duckdb": b"", "x.duckdb.wal": b""},
        data={"source": "x.duckdb", "table": "t"},
        code="D112",
        place="x.duckdb",
        mend="close every connection",
    ),
    Case(
        name="a filter that leaves nothing",
        files=text(GOOD),
        data={"filter": "spend > 100"},
        code="D212",
        place="x.csv",
        mend="data.filter",
    ),
)

VALUES = (
    Case(
        name="an arm with a blank at its end",
        files=text(GOOD.replace("c3,none", "c3,none ")),
        code="D300",
        place="x.csv row 4 column arm",
        mend="did you mean 'none'?",
        what="'none ' is not an arm",
    ),
    Case(
        name="an arm in capitals",
        files=text(GOOD.replace("gig", "GIG")),
        code="D300",
        place="x.csv row 3 column arm",
        mend="did you mean 'gig'?",
        what="rows 3, 5",
    ),
    Case(
        name="an unknown arm",
        files=text(GOOD + "c9,robot,0,1\n"),
        code="D300",
        place="x.csv row 6 column arm",
        mend="arms: none, gig",
    ),
    Case(
        name="a treatment column full of ids",
        files=text("".join(f"c{i},{ID_OF_NOBODY}{i},0,1\n" for i in range(99))),
        code="D300",
        place="x.csv column arm",
        mend="check design.treatment.column",
        what="more than 50",
    ),
    Case(
        name="a missing arm",
        files=text(GOOD.replace("c3,none", "c3,")),
        code="D301",
        place="x.csv row 4 column arm",
        mend="data.filter",
    ),
    Case(
        name="a missing id",
        files=text(GOOD.replace("c3,none", ",none")),
        code="D302",
        place="x.csv row 4 column id",
        mend="data.filter",
    ),
    Case(
        name="a missing cluster",
        files=text("c1,none,0,1,h1\nc2,gig,0,1,\n", header="id,arm,churned,spend,home\n"),
        data={"cluster": "home"},
        code="D302",
        place="x.csv row 3 column home",
        mend="every row",
    ),
    Case(
        name="ids as decimal numbers",
        files=parquet(id=[1.5, 2.0]),
        data=PARQUET,
        code="D303",
        place="x.parquet row 1 column id",
        mend="as text",
    ),
    Case(
        name="ids too large for their type",
        files=parquet(id=[1.0, 12345678901234567890.0]),
        data=PARQUET,
        code="D303",
        place="x.parquet row 2 column id",
        mend="as text",
    ),
    Case(
        name="a decimal comma",
        files=text('c1,none,0,"1,5"\nc2,gig,1,"2,5"\n'),
        plan=MEAN,
        code="D304",
        place="x.csv row 2 column spend",
        mend='csv: {decimal: ","}',
        what="rows 2, 3",
    ),
    Case(
        name="NA in numbers",
        files=text(GOOD.replace("7\n", "NA\n")),
        plan=MEAN,
        code="D305",
        place="x.csv row 5 column spend",
        mend="map: {NA: null}",
    ),
    Case(
        name="two currencies",
        files=text(GOOD.replace("2.5", "2.5 USD")),
        plan=MEAN,
        code="D305",
        place="x.csv row 3 column spend",
        mend="correct it",
    ),
    Case(
        name="text in a number, not shown",
        files=text(GOOD.replace("2.5", ID_OF_NOBODY)),
        plan=MEAN,
        code="D305",
        place="x.csv row 3 column spend",
        mend="correct it",
    ),
    Case(
        name="thousands behind points where commas are declared",
        files=text(GOOD.replace(",", ";").replace("7\n", "1.700\n"), header=HEADER.replace(",", ";")),
        data={"csv": {"delimiter": ";", "decimal": ","}},
        plan=MEAN,
        code="D305",
        place="x.csv row 2 column spend",
        mend="correct it",
    ),
    Case(
        name="a date as an outcome",
        files=parquet(spend=pd.to_datetime(["2026-01-01", "2026-01-02"])),
        data=PARQUET,
        plan=MEAN,
        code="D305",
        place="x.parquet row 1 column spend",
        mend="correct it",
    ),
    Case(
        name="infinite spend",
        files=parquet(spend=[1.0, float("inf")]),
        data=PARQUET,
        plan=MEAN,
        code="D306",
        place="x.parquet row 2 column spend",
        mend="map it to null",
    ),
    Case(
        name="a number beyond all numbers",
        files=text(GOOD.replace("2.5", "1e999")),
        plan=MEAN,
        code="D306",
        place="x.csv row 3 column spend",
        mend="map it to null",
    ),
    Case(
        name="a proportion of two",
        files=text(GOOD.replace("c3,none,0", "c3,none,2")),
        code="D307",
        place="x.csv row 4 column churned",
        mend="map its values to 0 and 1",
    ),
    Case(
        name="a response that is not 0 or 1",
        files=text(GOOD),
        plan={"metrics": metric("mean", "churned", response="spend")},
        code="D307",
        place="x.csv row 2 column spend",
        mend="map its values",
        what="response",
    ),
    Case(
        name="a recommendation of eleven",
        files=text(GOOD.replace("7\n", "11\n").replace("1.5", "1").replace("2.5", "2")),
        plan={"metrics": metric("nps", "spend")},
        code="D308",
        place="x.csv row 5 column spend",
        mend="map other answers to null",
    ),
    Case(
        name="half a contact",
        files=text(GOOD),
        plan={"metrics": metric("count", "spend")},
        code="D309",
        place="x.csv row 2 column spend",
        mend="type: mean",
    ),
    Case(
        name="a weight of nothing",
        files=text(GOOD),
        data={"weight": "spend"},
        code="D310",
        place="x.csv row 4 column spend",
        mend="data.filter",
    ),
    Case(
        name="a missing weight",
        files=text(GOOD.replace("c3,none,0,0", "c3,none,0,")),
        data={"weight": "spend"},
        code="D310",
        place="x.csv row 4 column spend",
        mend="data.filter",
        what="must be present",
    ),
    Case(
        name="refunds that were not declared",
        files=text(GOOD.replace("7\n", "-7\n")),
        data={"columns": {"spend": {"allow_negative": False}}},
        plan=MEAN,
        code="D311",
        place="x.csv row 5 column spend",
        mend="allow_negative: true",
    ),
    Case(
        name="a missing time zero",
        files=text("c1,none,0,1,2026-01-01,2026-03-01\nc2,gig,0,1,,2026-03-01\n", header=DATES),
        data={"time_zero": "entered", "observed_until": "seen"},
        plan=WINDOW,
        code="D312",
        place="x.csv row 3 column entered",
        mend="fill it in",
    ),
    Case(
        name="a day before a month",
        files=text("c1,none,0,1,2026-01-01,2026-03-01\nc2,gig,0,1,01/02/2026,2026-03-01\n", header=DATES),
        data={"time_zero": "entered", "observed_until": "seen"},
        plan=WINDOW,
        code="D313",
        place="x.csv row 3 column entered",
        mend="2026-01-31",
    ),
    Case(
        name="a time zero in the future",
        files=text("c1,none,0,1,2026-01-01,2026-03-01\nc2,gig,0,1,2027-01-01,2026-03-01\n", header=DATES),
        data={"time_zero": "entered", "observed_until": "2026-06-01"},
        plan=WINDOW,
        code="D314",
        place="x.csv row 3 column entered",
        mend="observed_until",
    ),
    Case(
        name="a segment like an identifier",
        files=text("".join(f"c{i},none,0,1\n" for i in range(99))),
        plan={"segments": ["id"]},
        code="D315",
        place="x.csv column id",
        mend="group its values",
        what="more than 50",
    ),
    Case(
        name="a covariate like an identifier",
        files=text(
            "".join(f"c{i},none,0,1,p{i // 2}\n" for i in range(2_999)), header=HEADER.replace("\n", ",postcode\n")
        ),
        plan={"covariates": ["postcode"]},
        code="D315",
        place="x.csv column postcode",
        mend="group its values",
        what="more than 1000",
    ),
    Case(
        name="a formula that divides by zero",
        files=text(GOOD),
        data={"columns": {"share": {"formula": "churned / spend"}}},
        plan={"metrics": metric("mean", "share")},
        code="D316",
        place="x.csv row 4 column share",
        mend="map the 0 to null",
        what="row 4",
    ),
    Case(
        name="a formula over a text",
        files=text(GOOD),
        data={"columns": {"twice": {"formula": "spend * 2 + id"}}},
        code="D305",
        place="x.csv row 2 column id",
        mend="correct it",
    ),
    Case(
        name="numbers too large to be squared",
        files=text(GOOD.replace("2.5", "1e200")),
        plan=MEAN,
        code="D306",
        place="x.csv row 3 column spend",
        mend="map it to null",
        what="too large",
    ),
    Case(
        name="words where a proportion is wanted",
        files=text(GOOD.replace(",0,", ",no,").replace(",1,", ",yes,")),
        code="D305",
        place="x.csv row 2 column churned",
        mend='{churned: {map: {"yes": 1, "no": 0}}}',
    ),
)

PLANS = (
    Case(
        name="a warehouse",
        files={},
        data={"source": "postgresql://user:secret@host/db", "table": "t"},
        code="D101",
        place="data.source",
        mend="export the table",
        what="postgresql://' is not built",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a spreadsheet",
        files={"x.xlsx": b"PK"},
        data={"source": "x.xlsx"},
        code="D106",
        place="data.source",
        mend=".csv",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="files of two kinds",
        files={**text(GOOD), **parquet()},
        data={"source": "x.*"},
        code="D106",
        place="data.source",
        mend="one kind only",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a table of a file",
        files=text(GOOD),
        data={"table": "t"},
        code="D107",
        place="data.table",
        mend="remove data.table",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a database without a table",
        files={"x.duckdb": b""},
        data={"source": "x.duckdb"},
        code="D107",
        place="data.table",
        mend="add table",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="an unknown encoding",
        files=text(GOOD),
        data={"csv": {"encoding": "utf-18"}},
        code="D201",
        place="data.csv.encoding",
        mend="did you mean utf-8",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a filter with code",
        files=text(GOOD),
        data={"filter": "__import__('os').system('true')"},
        code="D130",
        place="data.filter",
        mend="columns and literals only",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a text compared with a number",
        files=text(GOOD),
        data={"filter": "arm == 1"},
        code="D132",
        place="data.filter",
        mend="text in quotes",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a number compared with a text",
        files=parquet(),
        data={**PARQUET, "filter": "spend in ['high']"},
        code="D132",
        place="data.filter",
        mend="numbers with numbers",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="arithmetic with a text",
        files=text(GOOD),
        data={"filter": "arm * 2 > 1"},
        code="D132",
        place="data.filter",
        mend="numeric column",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a number as a condition",
        files=text(GOOD),
        data={"filter": "spend"},
        code="D132",
        place="data.filter",
        mend="compare it",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a filter over a column that is not there",
        files=text(GOOD),
        data={"filter": "spent > 1"},
        code="D210",
        place="x.csv column spent",
        mend="did you mean 'spend'",
    ),
    Case(
        name="a formula over a column that is not there",
        files=text(GOOD),
        data={"columns": {"twice": {"formula": "spent * 2"}}},
        code="D210",
        place="x.csv column spent",
        mend="did you mean 'spend'",
    ),
    Case(
        name="a formula with the name of a column",
        files=text(GOOD),
        data={"columns": {"Spend": {"formula": "spend * 2"}}},
        code="D214",
        place="x.csv column Spend",
        mend="another name",
    ),
    Case(
        name="a formula with code",
        files=text(GOOD),
        data={"columns": {"twice": {"formula": "__import__('os')"}}},
        code="D130",
        place="data.columns.twice.formula",
        mend="parentheses only",
        exit_code=ExitCode.PLAN,
    ),
    Case(
        name="a map to a word",
        files=text(GOOD),
        data={"columns": {"churned": {"map": {"yes": "often"}}}},
        code="D131",
        place="data.columns.churned.map",
        mend="to null",
        exit_code=ExitCode.PLAN,
    ),
)

CASES = (*STRUCTURE, *VALUES, *PLANS)
