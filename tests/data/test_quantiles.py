from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import Quantiles
from cxcausal.core.measure import Measure
from cxcausal.core.queries import QuantileQuery
from cxcausal.data import Dataset
from cxcausal.data.engines import embedded as engine_module
from tests.data.plans import opened, rows
from tests.quantile_twins import grid_of, sample_quantile

SPEND = Measure(name="spend", terms=(("spend", 1.0),))


def _answer(dataset: Dataset, query: QuantileQuery) -> Quantiles:
    found = dataset.answer((query,))[query]
    assert isinstance(found, Quantiles)
    return found


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rows()


@pytest.fixture(scope="module")
def dataset(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    data = {"unit": "customer_id", "cluster": ["household_id"]}
    with opened(frame, tmp_path_factory.mktemp("quantiles"), data=data) as found:
        yield found


@pytest.mark.parametrize("by", [(), ("tier",), ("region",)])
@pytest.mark.parametrize("q", [0.05, 0.5, 0.9])
def test_ranks_and_values_are_those_of_the_sorted_rows(
    frame: pd.DataFrame, dataset: Dataset, q: float, by: tuple[str, ...]
) -> None:
    cells = _answer(dataset, QuantileQuery(measure=SPEND, q=q, by=by)).cells
    known = frame[frame.spend.notna()]
    keys = [known.arm, *(known[name].fillna("") for name in by)]
    expected = dict(list(known.groupby(keys)))
    assert {(arm, *group) for arm, group in cells} == set(expected)
    for (arm, group), cell in cells.items():
        twin = grid_of(expected[arm, *group].spend.to_numpy(), q)
        assert cell.n == twin.n
        np.testing.assert_array_equal(cell.ranks, twin.ranks)
        np.testing.assert_array_equal(cell.values, twin.values)


def test_the_answer_has_few_ranks_and_does_not_depend_on_order_or_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    frame = rows(60_000)
    frame["spend"] = rng.gamma(1.0, 20.0, len(frame)).round(2)
    query = QuantileQuery(measure=SPEND, q=0.9)
    with opened(frame, tmp_path, "one.parquet") as one:
        first = _answer(one, query).cells
    monkeypatch.setattr(engine_module, "THREADS", 1)
    with opened(frame.sample(frac=1.0, random_state=1), tmp_path, "two.parquet") as two:
        second = _answer(two, query).cells
    for key, cell in first.items():
        assert len(cell.ranks) < 250
        np.testing.assert_array_equal(cell.ranks, second[key].ranks)
        np.testing.assert_array_equal(cell.values, second[key].values)
        own = frame.spend[frame.arm == key[0]].to_numpy()
        assert np.any(cell.values == sample_quantile(own, 0.9))  # noqa: PD011 - no data frame


def test_clusters_are_of_the_units_above_their_own_arms_quantile(frame: pd.DataFrame, dataset: Dataset) -> None:
    query = QuantileQuery(measure=SPEND, q=0.75, cluster=("household_id",), contrasts=(("gig", "none"),))
    found = _answer(dataset, query)
    known = frame[frame.spend.notna()]
    for share, strict in zip(found.shares["gig", "none", ()], (False, True), strict=True):
        patterns = share["household_id",]
        means = patterns.center + patterns.total.sum(axis=0) / (
            [patterns.clusters @ patterns.n_treated, patterns.clusters @ patterns.n_control]
        )
        for mean, arm in zip(means, ("gig", "none"), strict=True):
            own = known.spend[known.arm == arm]
            cut = sample_quantile(own.to_numpy(), 0.75)
            assert mean == pytest.approx((own > cut if strict else own >= cut).mean(), abs=1e-12)
