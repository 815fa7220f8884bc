"""Damaged CSV files end in an answer or in a refusal of ours, quickly, and never in a traceback."""

import csv
from pathlib import Path

import numpy as np
import pytest

from cxcausal.core.errors import CxCausalError
from cxcausal.core.queries import FlowQuery
from cxcausal.data import open_dataset
from tests.data.plans import ask, plan, rows

PIECES = (
    b'"',
    b",",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b";",
    b"\t",
    b"nan",
    b"1e999",
    b"'",
    b"\xef\xbb\xbf",
    b"0x1F",
    b" ",
)


def damaged(text: bytes, rng: np.random.Generator) -> bytes:
    """Return the text with a few cuts, repeats and odd bytes."""
    for _ in range(rng.integers(1, 5)):
        at, width = int(rng.integers(0, len(text))), int(rng.integers(0, 40))
        kind = rng.integers(0, 4)
        piece = PIECES[rng.integers(0, len(PIECES))]
        middle = (piece, b"", text[at : at + width] * 2, text[at : at + 1] + piece)[kind]
        text = text[:at] + middle + text[at + (width if kind else 0) :]
    return text


def attempt(root: Path, seed: int) -> int | None:
    rng = np.random.default_rng(seed)
    whole = rows(40).to_csv(index=False).encode()
    (root / "x.csv").write_bytes(damaged(whole, rng))
    try:
        with open_dataset(plan({"source": "x.csv", "unit": "customer_id"}), root) as dataset:
            return int(ask(dataset, [FlowQuery()])[FlowQuery()].enrolled)
    except CxCausalError as error:
        complete = (problem.where and problem.code and problem.what and problem.mend for problem in error.problems)
        assert all(complete)
        return None


@pytest.mark.parametrize("seed", range(24))
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    enrolled = attempt(tmp_path, seed)
    if enrolled is not None:
        text = (tmp_path / "x.csv").read_text(encoding="utf-8-sig")
        records = [record for record in csv.reader(text.splitlines(keepends=True)) if record]
        assert enrolled == len(records) - 1, "a row was dropped, or made up, without a word"


@pytest.mark.slow
def test_hundreds_of_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    outcomes = [attempt(tmp_path, seed) for seed in range(1_000, 1_600)]
    assert 0 < sum(outcome is None for outcome in outcomes) < len(outcomes)
