"""Bad data are refused with the exact code, place and mend, and no value of a customer is ever shown."""

from pathlib import Path

import pytest

from cxcausal.core.errors import CxCausalError, DataError
from cxcausal.core.queries import CountQuery
from cxcausal.data import open_dataset
from tests.corpus.case import GOOD, HEADER, ID_OF_NOBODY, Case, metric, parquet
from tests.corpus.data_cases import CASES
from tests.data.plans import plan

DESIGN = {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}}}}
USUAL = {"design": DESIGN, "metrics": metric("proportion", "churned"), "segments": [], "covariates": []}


def refusal(case: Case, root: Path) -> CxCausalError:
    for name, content in case.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    spec = plan({"source": "x.csv", "unit": "id", **case.data}, **{**USUAL, **case.plan})
    with pytest.raises(CxCausalError) as caught:
        open_dataset(spec, root)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_data_are_refused(case: Case, tmp_path: Path) -> None:
    error = refusal(case, tmp_path)
    assert error.exit_code == case.exit_code
    told = {(problem.code, problem.where): problem for problem in error.problems}
    problem = told.get((case.code, case.place))
    assert problem is not None, str(error)
    assert case.mend in problem.mend
    assert case.what in problem.what
    assert ID_OF_NOBODY not in str(error)
    assert "secret" not in str(error)


def test_the_corpus_is_large_enough() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    rows = "c1,none,7,oops\nc2,Gig,1,2\n,gig,0,1e999\nc4,,1,4\n"
    (tmp_path / "x.csv").write_text(HEADER + rows)
    metrics = {**metric("proportion", "churned"), "secondary": [{**metric("mean", "spend")["success"][0], "name": "s"}]}
    with pytest.raises(DataError) as caught:
        open_dataset(plan({"source": "x.csv", "unit": "id"}, **{**USUAL, "metrics": metrics}), tmp_path)
    found = [(problem.code, problem.where) for problem in caught.value.problems]
    assert found == [
        ("D300", "x.csv row 3 column arm"),
        ("D301", "x.csv row 5 column arm"),
        ("D302", "x.csv row 4 column id"),
        ("D305", "x.csv row 2 column spend"),
        ("D306", "x.csv row 4 column spend"),
        ("D307", "x.csv row 2 column churned"),
    ]


def test_many_broken_rows_are_counted_and_five_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(HEADER + GOOD + "".join(f"d{i},none,3,1\n" for i in range(40)))
    with pytest.raises(DataError, match=r"row 6 column churned D307 .* \(40 rows, among them 6, 7, 8, 9, 10\)"):
        open_dataset(plan({"source": "x.csv", "unit": "id"}, **USUAL), tmp_path)


def test_rows_are_numbered_within_their_own_file(tmp_path: Path) -> None:
    (tmp_path / "x1.csv").write_text(HEADER + GOOD)
    (tmp_path / "x2.csv").write_text(HEADER + GOOD.replace("c3,none,0", "c3,none,9"))
    with pytest.raises(DataError, match=r"x2\.csv row 4 column churned"):
        open_dataset(plan({"source": "x*.csv", "unit": "id"}, **USUAL), tmp_path)


def test_values_of_rows_that_are_filtered_out_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(HEADER + GOOD + "c9,,9,5000\n")
    spec = plan({"source": "x.csv", "unit": "id", "filter": "spend < 100"}, **USUAL)
    with open_dataset(spec, tmp_path) as dataset:
        assert dataset.units.rows == 5


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(parquet()["x.parquet"])
    question = CountQuery(of="unit", population="analysed")
    with open_dataset(plan({"source": "x.parquet", "unit": "id"}, **USUAL), tmp_path) as dataset:
        assert dataset.answer([question])[question] == {("none", ()): 1, ("gig", ()): 1}
        (tmp_path / "x.parquet").write_bytes(parquet(arm=["gig", "gig"])["x.parquet"])
        with pytest.raises(DataError, match=r"x\.parquet D119 the file changed while it was read"):
            dataset.answer([question])
