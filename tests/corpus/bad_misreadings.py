"""Values that other tools read, and read wrongly: each is refused with what it most likely is."""

from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd

from tests.corpus.case import DATES, GOOD, HEADER, MEAN, PARQUET, WINDOW, Case, jsonl, metric, parquet, text

MINE = {"time_zero": "entered", "observed_until": "seen"}
TIERS = HEADER.replace("\n", ",tier\n")


def number(name: str, value: str, code: str, mend: str, what: str = "") -> Case:
    """One value of `spend` that a person would read, in row 3."""
    rows = text(GOOD.replace("2.5", f'"{value}"'))
    return Case(name=name, files=rows, plan=MEAN, code=code, place="x.csv row 3 column spend", mend=mend, what=what)


def entered(name: str, value: str, what: str, mend: str = "2026-01-31", code: str = "D313") -> Case:
    """One time zero in row 3."""
    rows = f"c1,none,0,1,2026-01-01,2026-03-01\nc2,gig,0,1,{value},2026-03-01\n"
    place = "x.csv row 3 column entered"
    return Case(
        name=name, files=text(rows, header=DATES), data=MINE, plan=WINDOW, code=code, place=place, mend=mend, what=what
    )


def arm(name: str, value: str, what: str, mend: str) -> Case:
    """One arm that looks like `none`, in row 4."""
    rows = text(GOOD.replace("c3,none", f"c3,{value}"))
    return Case(name=name, files=rows, code="D300", place="x.csv row 4 column arm", mend=mend, what=what)


def twin(name: str, one: str, other: str, mend: str = "write every id in one way") -> Case:
    """Two ids of one customer, in rows 2 and 4."""
    rows = text(GOOD.replace("c1,", f"{one},").replace("c3,", f"{other},"))
    return Case(name=name, files=rows, code="D320", place="x.csv row 2 column id", mend=mend, what="rows 2, 4")


PLAIN = "without signs between thousands"
NUMBERS = (
    number("a comma before three digits", "1,234", "D323", 'only where it is a decimal comma, say csv: {decimal: ","}'),
    number("thousands with commas", "1,234.56", "D323", PLAIN),
    number("thousands with points", "1.234,56", "D323", PLAIN),
    number("millions with points", "1.234.567", "D323", PLAIN),
    number("thousands with blanks", "1 234", "D323", PLAIN),
    number("thousands with narrow blanks", "1\u202f234", "D323", PLAIN),
    number("thousands with apostrophes", "1'234", "D323", PLAIN),
    number("a currency sign", "€5", "D327", "without its sign"),
    number("a dollar sign", "$2.50", "D327", "without its sign"),
    number("a per cent sign", "5%", "D327", "without its sign"),
    number("a negative number of accountants", "(5)", "D327", "as -5"),
    number("a minus behind its number", "5-", "D327", "as -5"),
    number("a minus of a text processor", "\u22125", "D327", "as -5"),
    number("a blank behind a number", "2.5 ", "D328", "remove the blanks"),
    number("a blank that does not break behind a number", "2.5\u00a0", "D328", "remove the blanks"),
    number("blanks for a number", "  ", "D328", "remove the blanks"),
    number("a spreadsheet's error", "#DIV/0!", "D305", '{spend: {map: {"#DIV/0!": null}}}'),
    number("NaN in words", "NaN", "D305", '{spend: {map: {"NaN": null}}}'),
    number("a dash for nothing", "-", "D305", '{spend: {map: {"-": null}}}'),
    number("infinity in words", "inf", "D305", "correct it"),
    number("a spreadsheet's formula", "=1+1", "D305", "correct it"),
    number("digits of another script", "\u0661\u0662", "D305", "correct it"),
    number("a hexadecimal number", "0x10", "D305", "correct it"),
    number("true among numbers", "TRUE", "D329", "{spend: {map: {TRUE: 1}}}"),
    Case(
        name="thousands taken for decimals",
        files=text("c1,none,0,950\nc2,gig,1,1.200\nc3,none,0,12.500\nc4,gig,1,800\n"),
        plan=MEAN,
        code="D324",
        place="x.csv row 3 column spend",
        mend="{spend: {type: number}}",
        what="1.200 beside 950",
    ),
    Case(
        name="thousands taken for decimals with a comma",
        files=text("c1;none;0;950\nc2;gig;1;1,200\nc3;none;0;12,500\nc4;gig;1;800\n", header=HEADER.replace(",", ";")),
        data={"csv": {"delimiter": ";", "decimal": ","}},
        plan=MEAN,
        code="D324",
        place="x.csv row 3 column spend",
        mend="{spend: {type: number}}",
        what="1,200 beside 950",
    ),
    Case(
        name="points where commas are declared",
        files=text(GOOD.replace(",", ";"), header=HEADER.replace(",", ";")),
        data={"csv": {"delimiter": ";", "decimal": ","}},
        plan=MEAN,
        code="D304",
        place="x.csv row 2 column spend",
        mend="remove decimal from data.csv",
    ),
    Case(
        name="decimal commas in Parquet",
        files=parquet(spend=["1,5", "2,5"]),
        data=PARQUET,
        plan=MEAN,
        code="D304",
        place="x.parquet row 1 column spend",
        mend="store them as numbers",
    ),
    Case(
        name="answers in German",
        files=text(GOOD.replace(",0,", ",nein,").replace(",1,", ",ja,")),
        code="D305",
        place="x.csv row 2 column churned",
        mend='{churned: {map: {"ja": 1, "nein": 0}}}',
    ),
    Case(
        name="a cross for yes",
        files=text(GOOD.replace(",1,", ",x,")),
        code="D305",
        place="x.csv row 3 column churned",
        mend='{churned: {map: {"x": 1}}}',
    ),
    Case(
        name="a list for a number",
        files=jsonl({"spend": [1]}),
        data={"source": "x.jsonl"},
        plan=MEAN,
        code="D305",
        place="x.jsonl row 2 column spend",
        mend="correct it",
    ),
)
TIMES = (
    entered("a day with points", "31.01.2026", "day.month.year"),
    entered("a spreadsheet's day", "46053", "spreadsheet's number"),
    entered("a day without hyphens", "20260131", "no hyphens"),
    entered("seconds since 1970", "1769817600", "since 1970"),
    entered("the thirtieth of February", "2026-02-30", "not a date"),
    entered("half past one in the afternoon", "2026-01-30 01:30 PM", "not a date"),
    entered("the first day of a spreadsheet", "1900-01-01", "before 1950", "data.filter", "D325"),
    entered("the first second of a computer", "1970-01-01", "1970-01-01 00:00", "data.filter", "D325"),
    entered("a year too small", "0026-01-30", "before 1950", "data.filter", "D325"),
    entered("a year too large", "9999-12-31", "after the end", "observed_until", "D314"),
)
ARMS = (
    arm("an arm with a sign without width", "none\u200b", "U+200B, ZERO WIDTH SPACE", r'{"none\u200b": "none"}'),
    arm("an arm with a blank that does not break", "none\u00a0", "<U+00A0>", r'{"none\u00a0": "none"}'),
    arm("an arm with a letter of another alphabet", "n\u043ene", "CYRILLIC SMALL LETTER O", r'{"n\u043ene": "none"}'),
    arm("an arm with a mark that turns text", "\u200fnone", "U+200F", r'{"\u200fnone": "none"}'),
    arm("an arm that would colour a terminal", "\x1b[31mnone", "<U+001B>[31m", "arms: none, gig"),
    arm("an arm of a million signs", "none" * 20_000, "the value is not an arm of the plan", "arms: none, gig"),
    Case(
        name="a word for a missing arm",
        files=text(GOOD.replace("c3,none", "c3,NULL")),
        code="D300",
        place="x.csv row 4 column arm",
        mend="use data.filter",
    ),
    Case(
        name="an arm with a letter in two parts",
        files=text(GOOD.replace("gig", "cafe\u0301")),
        plan={
            "design": {
                "type": "randomized",
                "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "caf\u00e9": {}}},
            }
        },
        code="D300",
        place="x.csv row 3 column arm",
        mend='{"cafe\\u0301": "caf\u00e9"}',
        what="its sign 4",
    ),
    Case(
        name="arms as lists",
        files=parquet(arm=[["none"], ["gig"]]),
        data=PARQUET,
        code="D300",
        place="x.parquet row 1 column arm",
        mend="arms: none, gig",
    ),
)
IDS = (
    twin("ids with a blank behind one", "c1", "c1 "),
    twin("ids that differ in case", "c1", "C1", "{id: {type: text}}"),
    twin("ids with a sign without width", "c1", "c1\u200b"),
    twin("ids with a letter in two parts", "caf\u00e91", "cafe\u03011"),
    Case(
        name="ids as a spreadsheet writes them",
        files=text("1.23E+11,none,0,1\n1.24E+11,gig,1,2\n"),
        code="D321",
        place="x.csv row 2 column id",
        mend="ids as text",
    ),
    Case(
        name="a word for a missing id",
        files=text(GOOD.replace("c3,", "NULL,")),
        code="D322",
        place="x.csv row 4 column id",
        mend="data.filter",
    ),
    Case(
        name="true and false as ids",
        files=parquet(id=[True, False]),
        data=PARQUET,
        code="D303",
        place="x.parquet row 1 column id",
        mend="name the column of ids",
    ),
    Case(
        name="times as ids",
        files=parquet(id=[datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]),
        data=PARQUET,
        code="D303",
        place="x.parquet row 1 column id",
        mend="name the column of ids",
    ),
    Case(
        name="ids too large for single precision",
        files=parquet(id=pd.array([16_777_217.0, 5.0], dtype="float32")),
        data=PARQUET,
        code="D303",
        place="x.parquet row 1 column id",
        mend="as text",
    ),
    Case(
        name="ids with decimals",
        files=parquet(id=[Decimal("1.5"), Decimal("2.0")]),
        data=PARQUET,
        code="D303",
        place="x.parquet row 1 column id",
        mend="as text",
    ),
)
GROUPS = (
    Case(
        name="segments that look the same",
        files=text("c1,none,0,1,gold\nc2,gig,1,2,gold \nc3,none,0,1,silver\nc4,gig,1,2,silver\n", header=TIERS),
        plan={"segments": ["tier"]},
        code="D326",
        place="x.csv row 2 column tier",
        mend='{tier: {map: {"gold ": "gold"}}}',
        what="rows 2, 3",
    ),
    Case(
        name="covariates that differ in case",
        files=text("c1,none,0,1,gold\nc2,gig,1,2,Gold\nc3,none,0,1,silver\nc4,gig,1,2,silver\n", header=TIERS),
        plan={"covariates": ["tier"]},
        code="D326",
        place="x.csv row 2 column tier",
        mend="write them alike in the data; where they differ in meaning, say columns: {tier: {type: text}}",
        what="rows 2, 3",
    ),
    Case(
        name="a segment like a person's name, not shown",
        files=text("".join(f"c{at},none,0,1,secret{at}\n" for at in range(60)), header=TIERS),
        plan={"segments": ["tier"], "metrics": metric("mean", "spend")},
        code="D315",
        place="x.csv column tier",
        mend="group its values",
    ),
)
MISREADINGS = (*NUMBERS, *TIMES, *ARMS, *IDS, *GROUPS)
