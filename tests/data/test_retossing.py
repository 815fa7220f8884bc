"""The coin tossed anew: shares, households, strata and epochs are kept; real arms, threads and order don't matter."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from cxcausal.core.epochs import EPOCH
from cxcausal.core.errors import DataError
from cxcausal.core.measures import measure_of
from cxcausal.core.queries import CountQuery, MixedQuery, MomentQuery, Query
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.data.pooled import open_pooled
from cxcausal.data.retossing import coin_of, shares_of
from tests.data.plans import plan, rows, write
from tests.ramps import customers, ramp_plan

COINS = CountQuery(of="randomization_unit")
BY_TIER = CountQuery(of="unit", by=("tier",))


def tossed(spec: ExperimentSpec, root: Path, *queries: Query, tosses: int = 1) -> list[Mapping[Query, Any]]:
    with open_pooled(spec, root) as dataset:
        coin, found = coin_of(dataset, spec, shares_of(dataset, spec)), []
        for at in range(tosses):
            found.append(coin.toss(f"salt {at}").answer(queries))
            coin.forget()
    return found


def stratified(data: dict[str, Any]) -> ExperimentSpec:
    spec = plan(data)
    return spec.model_copy(update={"design": spec.design.model_copy(update={"strata": ("tier",)})})


def test_whole_households_are_tossed_by_the_shares(tmp_path: Path) -> None:
    spec = plan({**write(rows(3_000), tmp_path), "randomization_unit": "household_id"})
    found = tossed(spec, tmp_path, COINS, MixedQuery(), tosses=20)
    counts = np.array([[one[COINS][arm, ()] for arm in ("none", "gig", "agent")] for one in found])
    assert (counts.sum(axis=1) == 1_000).all()
    assert {one[MixedQuery()] for one in found} == {0}
    assert chisquare(counts.sum(axis=0), [10_000, 5_000, 5_000]).pvalue > 1e-4
    assert len({tuple(row) for row in counts.tolist()}) > 10


def test_tosses_of_two_salts_are_independent(tmp_path: Path) -> None:
    frame = rows(2_000)
    spec = plan(write(frame, tmp_path))
    measure = MomentQuery(measure=measure_of(next(m for _, m in spec.metrics.with_roles() if m.name == "churn")))
    found = tossed(spec, tmp_path, measure, tosses=200)
    spend = np.array([one[measure]["gig", ()].mean[0] - one[measure]["none", ()].mean[0] for one in found])
    apart = spend / spend.std(ddof=1)
    assert abs(np.corrcoef(apart[1:], apart[:-1])[0, 1]) < 0.25
    assert abs(apart.mean()) < 4 / 200**0.5


@pytest.mark.parametrize("data", [{}, {"randomization_unit": "household_id"}, {"unit": None}])
def test_within_strata_every_arm_has_its_share_to_within_one(tmp_path: Path, data: dict[str, Any]) -> None:
    frame = rows(1_200)
    frame["tier"] = [("gold", "silver")[at // 3 % 2] for at in range(len(frame))]
    spec = stratified({key: value for key, value in {**write(frame, tmp_path), **data}.items() if value})
    query = CountQuery(of="randomization_unit", by=("tier",))
    (found,) = tossed(spec, tmp_path, query)
    units = 200 if "randomization_unit" in data else 600
    for tier in ("gold", "silver"):
        for arm, share in {"none": 0.5, "gig": 0.25, "agent": 0.25}.items():
            assert abs(found[query][arm, (tier,)] - share * units) <= 1


def test_epochs_are_tossed_by_their_own_shares(tmp_path: Path) -> None:
    customers(4_000).to_csv(tmp_path / "ramp.csv", index=False)
    query = CountQuery(of="unit", by=(EPOCH,))
    found = [one[query] for one in tossed(ramp_plan(), tmp_path, query, tosses=10)]
    early = sum(one["gig", ("2025-10-01",)] for one in found)
    late = sum(one["gig", ("2025-10-15",)] for one in found)
    assert chisquare([early, 20_000 - early], [2_000, 18_000]).pvalue > 1e-4
    assert chisquare([late, 20_000 - late], [10_000, 10_000]).pvalue > 1e-4


@pytest.mark.parametrize("data", [{}, {"randomization_unit": "household_id"}, {"unit": None}])
@pytest.mark.parametrize("strata", [False, True])
def test_neither_arms_nor_order_nor_threads_matter(
    tmp_path: Path, data: dict[str, Any], *, strata: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = rows(900)
    frame["tier"] = [("gold", "silver")[at // 3 % 2] for at in range(len(frame))]
    changed = frame.sample(frac=1, random_state=3).assign(arm="nobody looks at this")
    found = []
    for name, one, threads in (("a", frame, 1), ("b", changed, 4)):
        (tmp_path / name).mkdir()
        monkeypatch.setattr("cxcausal.data.engines.embedded.THREADS", threads)
        block = {key: value for key, value in {**write(one, tmp_path / name), **data}.items() if value}
        spec = stratified(block) if strata else plan(block)
        measure = MomentQuery(measure=measure_of(spec.metrics.success[0]), by=("tier",))
        table = tossed(spec, tmp_path / name, measure)[0][measure]
        found.append({key: (cell.n, float(cell.mean[0])) for key, cell in table.items()})
    assert found[0] == found[1]


def test_without_planned_shares_those_of_the_data_are_used(tmp_path: Path) -> None:
    frame = rows(900)
    treatment = {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}, "agent": {}}}
    spec = plan(write(frame, tmp_path), design={"type": "randomized", "treatment": treatment})
    with open_dataset(spec, tmp_path) as dataset:
        (shares,) = shares_of(dataset, spec).values()
    assert shares == {arm: Fraction(int(n), 900) for arm, n in frame["arm"].value_counts().items()}
    write(frame[frame["arm"] != "gig"], tmp_path)
    with open_dataset(spec, tmp_path) as dataset, pytest.raises(DataError, match="D351"):
        shares_of(dataset, spec)


def test_copies_of_a_row_without_id_are_tossed_one_by_one(tmp_path: Path) -> None:
    frame = pd.DataFrame({"arm": ["none"] * 400, "churned": [1] * 400})
    frame.to_csv(tmp_path / "x.csv", index=False)
    metrics = {"success": [{"name": "c", "type": "mean", "column": "churned", "desired_direction": "increase"}]}
    spec = plan({"source": "x.csv"}, metrics=metrics, covariates=[], segments=[])
    (found,) = tossed(spec, tmp_path, COINS)
    assert abs(found[COINS]["none", ()] - 200) < 60
