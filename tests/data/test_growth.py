"""Cost is guarded without a clock: how many statements a plan takes, how wide they are, and what sharing changes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import RegressionTable
from cxcausal.core.canonical import sha256_of
from cxcausal.core.measure import Measure
from cxcausal.core.queries import RegressionQuery
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import Dataset, gram, open_dataset, regressions
from cxcausal.data.engine import Engine, Table
from cxcausal.pipeline.analyse import _queries
from cxcausal.pipeline.components import components_of

METRICS, COVARIATES, SEGMENTS, ARMS = 40, 30, 20, 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, n = np.random.default_rng(1), 4_000
    columns: dict[str, Any] = {f"arm{k}": [f"arm{at}" for at in rng.integers(0, k, n)] for k in (2, ARMS)}
    columns |= {f"m{at}": rng.gamma(2.0, 10.0, n) for at in range(METRICS)}
    columns |= {f"x{at}": rng.normal(size=n) for at in range(COVARIATES)}
    columns |= {f"s{at}": [f"level{level}" for level in rng.integers(0, 3, n)] for at in range(SEGMENTS)}
    made = tmp_path_factory.mktemp("growth")
    pd.DataFrame(columns).to_parquet(made / "x.parquet")
    return made


def plan_of(*, metrics: int = 2, covariates: int = 0, segments: int = 0, arms: int = 2) -> ExperimentSpec:
    """Return a plan with so many of each."""
    asked = [
        {"name": f"m{at}", "type": "mean", "column": f"m{at}", "desired_direction": "increase"} for at in range(metrics)
    ]
    shares = {f"arm{at}": {"share": f"1/{arms}"} for at in range(arms)}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "growth",
            "question": "How does the cost grow?",
            "owner": "team@example.com",
            "data": {
                "source": "x.parquet",
                "columns": {f"x{at}": {"allow_negative": True} for at in range(covariates)},
            },
            "design": {
                "type": "randomized",
                "treatment": {"column": f"arm{arms}", "control": "arm0", "arms": shares},
            },
            "covariates": [f"x{at}" for at in range(covariates)],
            "segments": [f"s{at}" for at in range(segments)],
            "metrics": {"success": asked[:1], "secondary": asked[1:]},
        }
    )


def everything(spec: ExperimentSpec, data: Dataset) -> object:
    return data.answer(tuple(dict.fromkeys(_queries(spec, data, components_of(spec)))))


def widths(folder: Path, monkeypatch: pytest.MonkeyPatch, **size: int) -> list[int]:
    """Return the columns of every statement that an analysis sends, but the few that only open the data."""
    found: list[int] = []
    spec, fetch, arrays = plan_of(**size), Engine.fetch, Engine.arrays

    def counting(self: Engine, expr: Table) -> list[tuple[Any, ...]]:
        found.append(len(expr.columns))
        return fetch(self, expr)

    def counting_arrays(self: Engine, expr: Table) -> dict[str, Any]:
        found.append(len(expr.columns))
        return arrays(self, expr)

    with open_dataset(spec, folder) as data, monkeypatch.context() as patched:
        patched.setattr(Engine, "fetch", counting)
        patched.setattr(Engine, "arrays", counting_arrays)
        everything(spec, data)
    return found


def statements(folder: Path, monkeypatch: pytest.MonkeyPatch, **size: int) -> int:
    return len(widths(folder, monkeypatch, **size))


def test_metrics_segments_and_arms_share_one_scan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ({"metrics": 1}, {"metrics": METRICS}, {"segments": 1}, {"segments": 3}, {"arms": ARMS}):
        assert statements(folder, monkeypatch, **size) == 1, size


def test_adjusting_takes_three_scans_more_whatever_the_metrics_segments_and_arms(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in ({}, {"metrics": 10}, {"segments": 1}, {"segments": 3}, {"arms": ARMS}):
        assert statements(folder, monkeypatch, covariates=2, **size) == 4, size


def test_many_segments_share_scans_while_their_combinations_are_few(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two arms and six columns of three values have 1,458 cells, which one scan may have; regressions share five.
    assert statements(folder, monkeypatch, segments=SEGMENTS) == 4
    assert statements(folder, monkeypatch, metrics=1, segments=SEGMENTS, covariates=1) == 4 + 3 * 4


def test_many_covariates_are_multiplied_some_hundreds_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = widths(folder, monkeypatch, metrics=1, covariates=COVARIATES)
    blocks = -(-COVARIATES // 14)
    tiles = blocks * (blocks + 1) // 2 + blocks
    assert len(found) == 1 + tiles + 2
    # A product takes three sums; a tile has its blocks' own sums beside, its arm and its units.
    assert max(found[1:]) <= 3 * gram.MOST_PAIRS + 2 * 14 + 2


QUERIES = tuple(
    RegressionQuery(measure=Measure(name=name, terms=((name, 1.0),)), covariates=("x0", "x1", "x2"), by=by)
    for name in ("m0", "m1")
    for by in ((), ("s0",), ("s1",), ("s0", "s1"))
)


def _digest(folder: Path, queries: Sequence[RegressionQuery]) -> str:
    spec = plan_of(covariates=3, segments=2)
    with open_dataset(spec, folder) as data:
        answers = data.answer(queries)
    tables = [answers[one] for one in queries]
    assert all(isinstance(table, dict) for table in tables)
    return sha256_of([[(repr(key), fits) for key, fits in cast("RegressionTable", table).items()] for table in tables])


@pytest.mark.parametrize(("place", "name"), [(regressions, "MOST_CELLS"), (gram, "MOST_PAIRS")])
def test_groups_and_products_that_share_a_scan_get_the_numbers_that_each_gets_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    together = _digest(folder, QUERIES)
    monkeypatch.setattr(place, name, 1)
    monkeypatch.setattr(gram, "_BLOCK", 2)
    assert _digest(folder, QUERIES) == together
