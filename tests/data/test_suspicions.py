"""What looks odd and is meant so is read as it stands, once the plan says so; and often without."""

from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.queries import CountQuery
from cxcausal.data import open_dataset
from tests.corpus.case import GOOD, HEADER, MEAN, metric, parquet, text
from tests.data.plans import ask, plan
from tests.data.test_corpus import USUAL

TIERS = HEADER.replace("\n", ",tier\n")
DECIMALS = text("c1,none,0,950\nc2,gig,1,1.200\nc3,none,0,12.500\nc4,gig,1,800\n")
TWINS = text(GOOD.replace("c3,", "C1,"))
GROUPS = text("c1,none,0,1,a\nc2,gig,1,2,A\n", header=TIERS)


def units(files: dict[str, bytes], root: Path, data: dict[str, Any], **blocks: Any) -> int:
    """Return how many units are read."""
    for name, content in files.items():
        (root / name).write_bytes(content)
    spec = plan({"source": next(iter(files)), "unit": "id", **data}, **{**USUAL, **blocks})
    question = CountQuery(of="unit", population="analysed")
    with open_dataset(spec, root) as dataset:
        return sum(ask(dataset, [question])[question].values())


@pytest.mark.parametrize(
    ("files", "data", "blocks", "expected"),
    [
        (TWINS, {"columns": {"id": {"type": "text"}}}, {}, 4),
        (text(GOOD.replace("c3,", "NULL,")), {"columns": {"id": {"type": "text"}}}, {}, 4),
        (DECIMALS, {"columns": {"spend": {"type": "number"}}}, MEAN, 4),
        (GROUPS, {"columns": {"tier": {"type": "text"}}}, {"segments": ["tier"]}, 2),
        (GROUPS, {"columns": {"tier": {"map": {"A": "a"}}}}, {"segments": ["tier"]}, 2),
        (text(GOOD.replace("2.5", "TRUE")), {"columns": {"spend": {"map": {"TRUE": 1}}}}, MEAN, 4),
        (text(GOOD.replace("c3,none", "c3,none\u200b")), {"columns": {"arm": {"map": {"none\u200b": "none"}}}}, {}, 4),
    ],
    ids=["case", "a word", "decimals", "groups", "mapped groups", "mapped truth", "a mapped arm"],
)
def test_a_declaration_ends_the_doubt(
    files: dict[str, bytes], data: dict[str, Any], blocks: dict[str, Any], expected: int, tmp_path: Path
) -> None:
    assert units(files, tmp_path, data, **blocks) == expected


@pytest.mark.parametrize(
    ("rows", "blocks"),
    [
        ("c1,none,0,1.234\nc2,gig,1,0.5\nc3,none,0,12.345\nc4,gig,1,7\n", MEAN),
        ("c1,none,0,1.250\nc2,gig,1,0.500\nc3,none,0,950.000\nc4,gig,1,7.125\n", MEAN),
        ("00123,none,0,1\n123,gig,1,2\n", {}),
        ("AB1,none,0,1\nCD2,gig,1,2\n", {}),
        ("caf\u00e9,none,0,1\ncafe,gig,1,2\n", {}),
        ("c1,none,0,1e3\nc2,gig,1,1.5e2\n", MEAN),
        ("c1,none,TRUE,1\nc2,gig,false,0\n", {"metrics": metric("mean", "churned")}),
    ],
    ids=["three decimals", "fixed decimals", "padded ids", "capital ids", "accents", "exponents", "truths"],
)
def test_what_is_plain_is_never_suspected(rows: str, blocks: dict[str, Any], tmp_path: Path) -> None:
    assert units(text(rows), tmp_path, {}, **blocks) == rows.count("\n")


def test_files_may_differ_in_what_is_not_read_and_in_widths(tmp_path: Path) -> None:
    one = parquet(spend=[1, 2], note=["a", "b"])["x.parquet"]
    other = parquet(id=["d1", "d2"], spend=[3.0, 4.0], note=[1.5, 2.5])["x.parquet"]
    (tmp_path / "a.parquet").write_bytes(other)
    (tmp_path / "b.parquet").write_bytes(one)
    spec = plan({"source": "*.parquet", "unit": "id"}, **{**USUAL, **MEAN})
    with open_dataset(spec, tmp_path) as dataset:
        assert dataset.units.rows == 4
