"""A minute of fuzzing: the same cases in every session, and some that the session's own seed makes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fuzz.case import Ended
from tests.fuzz.session import Workshop
from tests.fuzz.summary import keep

FIXED = 1
BATCH = 20
"""Cases per test, so that workers share them out."""
PLANS, CSVS, FILES = 12, 3, 2
"""Batches of each kind."""


def _sound(shop: Workshop, kind: str, seed: int, numbers: Sequence[int], out: Path) -> None:
    ended = [shop.runs[kind](seed, number) for number in numbers]
    failed = [case for case in ended if case.faults]
    for case in failed:
        keep(case, out)
    told = [f"{case.label} ({', '.join(case.steps)}): {'; '.join(case.faults)}" for case in failed]
    kind = kind.split(" ", maxsplit=1)[0]
    mend = f"run one again: python -m tests.fuzz --seed {seed} --only {kind}:NUMBER"
    assert not told, "\n".join([*told, mend])
    assert len({case.outcome for case in ended}) > 1, "all cases ended alike: nothing is fuzzed"


def _batch(at: int) -> range:
    return range(at * BATCH, (at + 1) * BATCH)


@pytest.mark.parametrize("at", range(PLANS))
def test_broken_plans_are_told(shop: Workshop, at: int, out: Path) -> None:
    _sound(shop, "plans", FIXED, _batch(at), out)


@pytest.mark.parametrize("at", range(CSVS))
def test_broken_csv_files_are_read_for_certain_or_refused(shop: Workshop, at: int, out: Path) -> None:
    _sound(shop, "csvs", FIXED, _batch(at), out)


@pytest.mark.parametrize("at", range(FILES))
def test_broken_files_of_other_kinds_are_read_or_refused(shop: Workshop, at: int, out: Path) -> None:
    _sound(shop, "files", FIXED, _batch(at), out)


@pytest.mark.parametrize(("kind", "batches"), [("plans", 3), ("csvs", 1), ("files", 1)])
def test_cases_of_another_seed(shop: Workshop, kind: str, batches: int, another_seed: int, out: Path) -> None:
    _sound(shop, kind, another_seed, range(batches * BATCH), out)


def test_a_case_is_made_by_its_number_alone(shop: Workshop) -> None:
    def kept(case: Ended) -> tuple[object, ...]:
        return case.steps, case.outcome, case.codes

    for kind, number in (("plans", 7), ("csvs", 7), ("files", 7)):
        run = shop.runs[kind]
        assert kept(run(FIXED, number)) == kept(run(FIXED, number))
        assert len({run(FIXED, other).steps for other in range(number, number + 4)}) > 1
