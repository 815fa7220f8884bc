"""Files whose kind, ends, columns or repeats an engine would pass over or tell badly."""

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpus.case import GOOD, HEADER, MEAN, PARQUET, Case, jsonl, parquet, text

ALL = {"source": "x*.parquet"}
JSON = {"source": "x.jsonl"}


def table(names: list[str], name: str = "x.parquet") -> dict[str, bytes]:
    """Return a Parquet file whose further columns have these names."""
    columns = [
        pa.array(["c1", "c2"]),
        pa.array(["none", "gig"]),
        pa.array([0, 1]),
        *[pa.array([1.0, 2.0])] * len(names),
    ]
    stream = io.BytesIO()
    pq.write_table(pa.table(columns, names=["id", "arm", "churned", *names]), stream)
    return {name: stream.getvalue()}


def two(**second: object) -> dict[str, bytes]:
    """Return two Parquet files, of which the second has other values."""
    other = parquet(**{"id": ["d1", "d2"], **second})["x.parquet"]
    return {"x1.parquet": parquet()["x.parquet"], "x2.parquet": other}


def wrong_kind(name: str, content: bytes, mend: str) -> Case:
    """A file of another kind than its name says."""
    return Case(name=name, files={"x.csv": content}, code="D218", place="x.csv", mend=mend)


def cut(name: str, content: bytes, file: str, place: str, what: str) -> Case:
    """A JSON file that is damaged."""
    files, data = {file: content}, {"source": file}
    return Case(name=name, files=files, data=data, plan=MEAN, code="D121", place=place, mend="again", what=what)


RECORDS = jsonl()["x.jsonl"]
FILES = (
    wrong_kind("gzip that is called CSV", gzip.compress((HEADER + GOOD).encode()), "the ending .gz"),
    wrong_kind("Parquet that is called CSV", parquet()["x.parquet"], "the ending .parquet"),
    wrong_kind("a spreadsheet that is called CSV", b"PK\x03\x04\x14\x00\x06\x00", "save the sheet as CSV"),
    wrong_kind("a page in place of data", b"<!DOCTYPE html><html><body>Sign in</body></html>\n", "a login that ended"),
    Case(
        name="CSV that is called gzip",
        files=text(GOOD, name="x.csv.gz"),
        data={"source": "x.csv.gz"},
        code="D111",
        place="x.csv.gz",
        mend="remove the ending .gz",
    ),
    Case(
        name="one file under two names",
        files={**text(GOOD, name="x.csv"), **text(GOOD, name="x (1).csv")},
        data={"source": "x*.csv"},
        code="D217",
        place="x.csv",
        mend="match one of them",
        what="x (1).csv",
    ),
    Case(
        name="rows that end in two ways",
        files={"x.csv": (HEADER + GOOD.replace("2.5\n", "2.5\r\n")).encode()},
        code="D215",
        place="x.csv row 3",
        mend="LF line ends",
    ),
    Case(
        name="a note for spreadsheets",
        files=text(GOOD.replace(",", ";"), header="sep=;\n" + HEADER.replace(",", ";")),
        code="D219",
        place="x.csv row 1",
        mend='remove that row, and say csv: {delimiter: ";"}',
    ),
    Case(
        name="a title above the header",
        files=text(GOOD, header="Export of 3 May\n" + HEADER),
        code="D205",
        place="x.csv row 2",
        mend="remove what stands above the header",
    ),
    Case(
        name="a title with empty fields above the header",
        files=text(GOOD, header="Export of 3 May,,,\n" + HEADER),
        code="D209",
        place="x.csv row 1",
        mend="remove what stands above the header",
    ),
    Case(
        name="a row of blanks",
        files=text(GOOD + "   \n"),
        code="D205",
        place="x.csv row 6",
        mend="remove the row if it is blank",
    ),
    Case(
        name="a field without an end",
        files=text(GOOD + '"' + "x" * 1_100_000),
        code="D206",
        place="x.csv row 6",
        mend="close every quote",
        what="longer than 1,000,000",
    ),
    Case(
        name="columns that a blank tells apart",
        files=text(GOOD.replace("\n", ",5\n"), header="id,arm,churned,spend,spend \n"),
        code="D209",
        place="x.csv row 1",
        mend="its own name",
        what="'spend '",
    ),
    Case(
        name="columns that a hidden sign tells apart",
        files=text(GOOD.replace("\n", ",5\n"), header="id,arm,churned,spend,\u200bspend\n"),
        code="D209",
        place="x.csv row 1",
        mend="its own name",
        what="<U+200B>spend",
    ),
    Case(
        name="a column with a name of our own",
        files=text(GOOD.replace("\n", ",5\n"), header="id,arm,churned,spend,__cxcausal_file\n"),
        code="D209",
        place="x.csv row 1",
        mend="another name",
    ),
    Case(
        name="a header with blanks",
        files=text(GOOD, header="id,arm,churned, spend\n"),
        plan=MEAN,
        code="D210",
        place="x.csv column spend",
        mend="did you mean ' spend'?",
    ),
    Case(
        name="a column with a letter of another alphabet",
        files=text(GOOD, header="id,arm,churned,sp\u0435nd\n"),
        plan=MEAN,
        code="D210",
        place="x.csv column spend",
        mend=r'did you mean "sp\u0435nd"? its sign 3 is U+0435',
    ),
    Case(
        name="a mark of an editor twice",
        files={"x.csv": b"\xef\xbb\xbf" * 2 + (HEADER + GOOD).encode()},
        code="D210",
        place="x.csv column id",
        mend=r'did you mean "\ufeffid"?',
    ),
    Case(
        name="columns of Parquet that differ in case",
        files=table(["Spend", "spend"]),
        data=PARQUET,
        plan=MEAN,
        code="D209",
        place="x.parquet",
        mend="its own name",
        what="'Spend' and 'spend'",
    ),
    Case(
        name="a column of Parquet twice",
        files=table(["spend", "spend"]),
        data=PARQUET,
        plan=MEAN,
        code="D209",
        place="x.parquet",
        mend="its own name",
    ),
    Case(
        name="shares that a whole-number column would round",
        files={
            "x1.parquet": parquet(spend=[1, 2])["x.parquet"],
            "x2.parquet": parquet(id=["d1", "d2"], spend=[0.4, 1.5])["x.parquet"],
        },
        data=ALL,
        plan=MEAN,
        code="D216",
        place="x2.parquet column spend",
        mend="with one type in every file",
        what="double here and int64 in x1.parquet",
    ),
    Case(
        name="numbers as text in a later file",
        files=two(spend=["1.5", "2"]),
        data=ALL,
        plan=MEAN,
        code="D216",
        place="x2.parquet column spend",
        mend="with one type in every file",
    ),
    Case(
        name="a later file without a column",
        files={"x1.parquet": parquet()["x.parquet"], "x2.parquet": table([])["x.parquet"]},
        data=ALL,
        plan=MEAN,
        code="D211",
        place="x2.parquet column spend",
        mend="the same columns",
    ),
    cut(
        "a list without its end", b'[{"id": "c1", "arm": "none", "churned": 0, "spend": 1},', "x.json", "x.json", "cut"
    ),
    cut("a record cut in the middle", RECORDS[:-9], "x.jsonl", "x.jsonl row 4", "not a whole JSON record"),
    cut("records in single quotes", RECORDS.replace(b'"', b"'"), "x.jsonl", "x.jsonl row 1", "not a whole JSON record"),
    Case(
        name="a key twice in a record",
        files={"x.jsonl": RECORDS.replace(b'"spend": 2', b'"spend": 2, "spend": 99')},
        data=JSON,
        plan=MEAN,
        code="D209",
        place="x.jsonl row 3",
        mend="each key once",
    ),
    Case(
        name="keys that differ in case",
        files=jsonl({"spend": None, "Spend": 99}),
        data=JSON,
        plan=MEAN,
        code="D209",
        place="x.jsonl",
        mend="always spelled alike",
    ),
    Case(
        name="a later file without a key",
        files={**jsonl(name="x1.jsonl"), "x2.jsonl": RECORDS.replace(b"spend", b"spent").replace(b'"c', b'"d')},
        data={"source": "x*.jsonl"},
        plan=MEAN,
        code="D211",
        place="x2.jsonl column spend",
        mend="the same keys",
    ),
    Case(
        name="JSON in UTF-16",
        files={"x.jsonl": RECORDS.decode().encode("utf-16")},
        data=JSON,
        code="D203",
        place="x.jsonl",
        mend="save it as UTF-8",
    ),
    Case(
        name="JSON in Latin-1",
        files={"x.jsonl": RECORDS.replace(b"c1", b"c\xe9")},
        data=JSON,
        code="D203",
        place="x.jsonl",
        mend="save it as UTF-8",
    ),
    Case(name="empty JSON", files={"x.jsonl": b"\n"}, data=JSON, code="D207", place="x.jsonl", mend="with its rows"),
)
