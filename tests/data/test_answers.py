"""Every query against a twin in pandas and numpy that loops over rows."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import ClusterPatterns, Duplicates
from cxcausal.core.errors import PlanError
from cxcausal.core.measure import Measure
from cxcausal.core.queries import (
    ClusterQuery,
    CorrelationQuery,
    CountQuery,
    CovariateQuery,
    DuplicateQuery,
    FlowQuery,
    MissingQuery,
    MixedQuery,
    MomentQuery,
    Query,
)
from cxcausal.data import Dataset
from tests.data.plans import ARMS, ask, opened, rows, write

TOLERANCE = 1e-12

CLUSTERED = {"cluster": ["household_id", "agent_id"], "weight": "weight"}
TREATMENT = {
    "type": "randomized",
    "strata": ["channel"],
    "treatment": {
        "column": "arm",
        "control": "none",
        "received": "reached",
        "arms": {"none": {}, "gig": {"unit_cost": 4}, "agent": {"unit_cost": 9}},
    },
}


def nps_of(value: float) -> float:
    if np.isnan(value):
        return np.nan
    return -100.0 if value <= 6 else 0.0 if value <= 8 else 100.0


COSTS = {"gig": -4.0, "agent": -6.4}
MEASURES: dict[str, tuple[Measure, Callable[[pd.DataFrame], list[pd.Series]]]] = {
    "zero or one": (Measure(name="churn", terms=(("churned", 1.0),)), lambda f: [f.churned]),
    "mean": (Measure(name="spend", terms=(("spend", 1.0),)), lambda f: [f.spend]),
    "ratio": (
        Measure(name="aov", terms=(("revenue", 1.0),), denominator="orders"),
        lambda f: [f.revenue, f.orders],
    ),
    "response": (
        Measure(name="nps", terms=(("nps_answer", 1.0),), transform="nps", response="answered"),
        lambda f: [f.nps_answer.map(nps_of).where(f.answered == 1)],
    ),
    "top box": (
        Measure(name="top", terms=(("nps_answer", 1.0),), transform="top_box", at_least=9.0),
        lambda f: [(f.nps_answer >= 9).astype(float).where(f.nps_answer.notna())],
    ),
    "nonzero": (
        Measure(name="any", terms=(("spend", 1.0),), transform="nonzero"),
        lambda f: [(f.spend != 0).astype(float).where(f.spend.notna())],
    ),
    "per nonzero": (
        Measure(name="each", terms=(("spend", 1.0),), transform="per_nonzero"),
        lambda f: [f.spend, (f.spend != 0).astype(float)],
    ),
    "weighted per nonzero": (
        Measure(name="each", terms=(("spend", 1.0),), transform="per_nonzero", weight="weight"),
        lambda f: [f.spend * f.weight, (f.spend != 0) * f.weight],
    ),
    "weighted": (
        Measure(name="w", terms=(("spend", 1.0),), weight="weight"),
        lambda f: [f.spend * f.weight, f.weight],
    ),
    "weighted ratio": (
        Measure(name="wr", terms=(("revenue", 1.0),), denominator="orders", weight="weight"),
        lambda f: [f.revenue * f.weight, f.orders * f.weight],
    ),
    "composite": (
        Measure(
            name="net",
            terms=(("churned", -180.5), ("spend", 0.3)),
            constant=2.5,
            arm_terms=(("gig", (("reached", -4.0),)), ("agent", (("reached", -6.4),))),
            arm_constant=(("agent", -1.25),),
        ),
        lambda f: [
            2.5
            - 180.5 * f.churned
            + 0.3 * f.spend
            + f.reached * f.arm.map(COSTS).fillna(0.0)
            + np.where(f.arm == "agent", -1.25, 0.0)
        ],
    ),
}


def components(frame: pd.DataFrame, name: str) -> np.ndarray:
    values = np.column_stack([np.asarray(part, dtype=float) for part in MEASURES[name][1](frame)])
    values[np.isnan(values).any(axis=1)] = np.nan
    return values


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rows()


@pytest.fixture(scope="module")
def clustered(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    with opened(frame, tmp_path_factory.mktemp("clustered"), data=CLUSTERED, design=TREATMENT) as dataset:
        yield dataset


@pytest.mark.parametrize("by", [(), ("tier",), ("region", "tier")])
@pytest.mark.parametrize("name", MEASURES)
def test_moments_are_those_of_the_rows(frame: pd.DataFrame, clustered: Dataset, name: str, by: tuple[str, ...]) -> None:
    query = MomentQuery(measure=MEASURES[name][0], by=by)
    answer = ask(clustered, [query, MissingQuery(measure=query.measure)])
    values = components(frame, name)
    keys = frame[["arm", *by]].fillna("").to_numpy().tolist()
    expected: dict[tuple[str, tuple[str, ...]], list[np.ndarray]] = {}
    for (arm, *group), value in zip(keys, values, strict=True):
        expected.setdefault((arm, tuple(group)), []).append(value)
    assert set(answer[query]) == set(expected)
    for key, cell in expected.items():
        found = answer[query][key]
        kept = np.array([value for value in cell if not np.isnan(value[0])]).reshape(-1, values.shape[1])
        assert found.n == len(kept)
        if not len(kept):
            continue
        centred = kept - kept.mean(axis=0)
        np.testing.assert_allclose(found.mean, kept.mean(axis=0), rtol=TOLERANCE, atol=TOLERANCE)
        np.testing.assert_allclose(found.m2, centred.T @ centred, rtol=TOLERANCE, atol=1e-9)
        assert found.events == np.count_nonzero(kept[:, 0])
        assert (found.low, found.high) == (kept[:, 0].min(), kept[:, 0].max())
    missing = answer[MissingQuery(measure=query.measure)]
    for arm in ARMS:
        mine = np.isnan(values[(frame.arm == arm).to_numpy(), 0])
        assert missing[arm] == (len(mine), mine.sum())


@pytest.mark.parametrize("group", [None, "gold", ""])
@pytest.mark.parametrize("cluster", [("household_id",), ("agent_id",), ("household_id", "agent_id")])
@pytest.mark.parametrize("name", ["mean", "ratio", "composite", "response"])
def test_cluster_patterns_are_those_of_the_rows(
    frame: pd.DataFrame, clustered: Dataset, name: str, cluster: tuple[str, ...], group: str | None
) -> None:
    by = None if group is None else "tier"
    query = ClusterQuery(measure=MEASURES[name][0], cluster=cluster, treated="gig", control="none", by=by, value=group)
    found = ask(clustered, [query])[query]
    expected = cluster_twin(frame, components(frame, name), query, found.center)
    assert isinstance(found, ClusterPatterns)
    sizes = list(zip(found.n_treated.tolist(), found.n_control.tolist(), strict=True))
    assert sizes == sorted(expected)
    for index, size in enumerate(sizes):
        sums = np.array(expected[size])
        assert found.clusters[index] == len(sums)
        np.testing.assert_allclose(found.total[index], sums.sum(axis=0), rtol=1e-11, atol=1e-9)
        np.testing.assert_allclose(found.cross[index], sums.T @ sums, rtol=1e-11, atol=1e-8)
    assert found.clusters_treated == sum(len(sums) for (t, _), sums in expected.items() if t)
    assert found.clusters_control == sum(len(sums) for (_, c), sums in expected.items() if c)


def test_clusters_of_all_contrasts_take_few_statements(frame: pd.DataFrame, tmp_path: Path) -> None:
    queries = [
        ClusterQuery(measure=measure, cluster=("household_id",), treated=arm, control="none", by=by, value=value)
        for measure, _ in MEASURES.values()
        for arm in ("gig", "agent")
        for by, value in [(None, None), ("tier", "gold"), ("tier", "silver"), ("tier", "")]
    ]
    with opened(frame, tmp_path, data=CLUSTERED, design=TREATMENT) as dataset:
        before = len(dataset.engine.sent)
        together = ask(dataset, queries)
        # Per clustering one size, and per block of measures that count the same units two statements; both groupings
        # share them.
        fetched = {one.sql for one in dataset.engine.sent[before:] if not one.sql.startswith("CREATE")}
        assert len(fetched) <= 2 + 2 * 4
        alone = ask(dataset, queries[:1])
    first = queries[0]
    assert (together[first].cross == alone[first].cross).all()
    assert (together[first].total == alone[first].total).all()


def cluster_twin(
    frame: pd.DataFrame, values: np.ndarray, query: ClusterQuery, center: np.ndarray
) -> dict[tuple[int, int], list[np.ndarray]]:
    """Return the centred sums of every cluster, filed by its sizes."""
    clusters: dict[tuple[str, ...], tuple[list[int], np.ndarray]] = {}
    k = values.shape[1]
    tiers = frame.tier.fillna("")
    for index, value in enumerate(values):
        arm = frame.arm[index]
        chosen = query.by is None or tiers[index] == query.value
        if np.isnan(value[0]) or not chosen or arm not in {query.treated, query.control}:
            continue
        key = tuple(frame.loc[index, list(query.cluster)])
        counts, sums = clusters.setdefault(key, ([0, 0], np.zeros(2 * k)))
        side = 0 if arm == query.treated else 1
        counts[side] += 1
        sums[side * k : side * k + k] += value - center
    filed: dict[tuple[int, int], list[np.ndarray]] = {}
    for counts, sums in clusters.values():
        filed.setdefault((counts[0], counts[1]), []).append(sums)
    return filed


def test_the_center_of_clusters_is_the_overall_mean(frame: pd.DataFrame, tmp_path: Path) -> None:
    query = ClusterQuery(measure=MEASURES["mean"][0], cluster=("agent_id",), treated="agent", control="none")
    with opened(frame, tmp_path, data=CLUSTERED) as dataset:
        found = ask(dataset, [query])[query]
    mine = frame[frame.arm.isin(["agent", "none"])].spend
    assert found.center[0] == pytest.approx(mine.mean(), rel=1e-12)


def test_counts_follow_the_randomisation_unit(frame: pd.DataFrame, tmp_path: Path) -> None:
    units, homes = CountQuery(by=("region",)), CountQuery(of="randomization_unit", by=("region",))
    mixed = MixedQuery()
    with opened(frame, tmp_path, data={"randomization_unit": "household_id"}) as dataset:
        answer = ask(dataset, [units, homes, mixed, FlowQuery(), CountQuery(of="randomization_unit")])
    grouped = frame.groupby(["arm", "region"])
    assert answer[units] == {(arm, (region,)): len(part) for (arm, region), part in grouped}
    assert answer[homes] == {(arm, (region,)): len(set(part.household_id)) for (arm, region), part in grouped}
    assert answer[mixed] == sum(len(set(arms)) > 1 for _, arms in frame.groupby("household_id").arm)
    assert answer[FlowQuery()].randomization_units == 200
    by_arm = frame.groupby("arm").household_id.nunique()
    assert answer[CountQuery(of="randomization_unit")] == {(arm, ()): by_arm[arm] for arm in ARMS}


def test_covariates_are_answered_by_their_kind(frame: pd.DataFrame, tmp_path: Path) -> None:
    age, channel = CovariateQuery(column="age"), CovariateQuery(column="channel")
    correlated = CorrelationQuery(column="age", measure=MEASURES["mean"][0])
    of_text = CorrelationQuery(column="channel", measure=MEASURES["mean"][0])
    with opened(frame, tmp_path) as dataset:
        answer = ask(dataset, [age, channel, correlated, of_text])
    assert answer[age]["gig", ()].mean[0] == pytest.approx(frame[frame.arm == "gig"].age.mean())
    assert answer[channel] == {(arm, (kind,)): len(part) for (arm, kind), part in frame.groupby(["arm", "channel"])}
    both = frame.dropna(subset=["spend"])
    within = both[["age", "spend"]] - both.groupby("arm")[["age", "spend"]].transform("mean")
    assert answer[correlated] == pytest.approx(within.corr().loc["age", "spend"], rel=1e-10)
    assert np.isnan(answer[of_text])


def test_immature_units_are_counted_and_left_out_of_outcomes_alone(frame: pd.DataFrame, tmp_path: Path) -> None:
    start = date(2026, 1, 1)
    frame = frame.assign(assigned_at=[(start + timedelta(days=i % 100)).isoformat() for i in range(len(frame))])
    metrics = {"success": [churn_in(60)]}
    moments, counts = MomentQuery(measure=MEASURES["zero or one"][0]), CountQuery(population="analysed")
    data = {"time_zero": "assigned_at", "observed_until": "2026-04-11"}
    with opened(frame, tmp_path, data=data, metrics=metrics) as dataset:
        answer = ask(dataset, [FlowQuery(), moments, counts, CountQuery(), CovariateQuery(column="age")])
        assert dataset.data_cut == "2026-04-11"
    mature = pd.to_datetime(frame.assigned_at) + pd.Timedelta(days=60) <= pd.Timestamp("2026-04-11")
    flow = answer[FlowQuery()]
    assert (flow.rows, flow.enrolled, flow.immature, flow.analysed) == (600, 600, (~mature).sum(), mature.sum())
    assert 0 < flow.immature < 600
    assert flow.maturity_known
    assert flow.matures_on == "2026-06-09"
    for arm in ARMS:
        mine = frame.arm == arm
        assert flow.immature_by_arm[arm] == (mine & ~mature).sum()
        assert (
            answer[moments][arm, ()].n == answer[counts][arm, ()] == flow.analysed_by_arm[arm] == (mine & mature).sum()
        )
        assert answer[CovariateQuery(column="age")][arm, ()].n == answer[CountQuery()][arm, ()] == mine.sum()


def churn_in(days: int) -> dict[str, object]:
    metric = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
    return {**metric, "window": {"start": "0d", "end": f"{days}d"}}


def test_repeated_and_mixed_units_are_told_apart_and_found_by_row(frame: pd.DataFrame, tmp_path: Path) -> None:
    ids, arms = list(frame.customer_id), list(frame.arm)
    ids[10], arms[10] = ids[4], arms[4]
    ids[20], arms[20] = ids[5], "agent" if arms[5] == "gig" else "gig"
    frame = frame.assign(customer_id=ids, arm=arms)
    for name, row in [("x.csv", 12), ("x.parquet", 11)]:
        with opened(frame, tmp_path, name) as dataset:
            answer = ask(dataset, [DuplicateQuery(), MixedQuery(of="unit"), CountQuery()])
            assert answer[DuplicateQuery()] == Duplicates(repeated=1, mixed=1)
            assert answer[MixedQuery(of="unit")] == 1
            assert sum(answer[CountQuery()].values()) == 599
            assert dataset.repeated_rows() == (name, (row,))


def test_an_arm_without_units_has_zeros(frame: pd.DataFrame, tmp_path: Path) -> None:
    queries: list[Query] = [
        MomentQuery(measure=MEASURES["mean"][0]),
        CountQuery(),
        FlowQuery(),
        MissingQuery(measure=MEASURES["mean"][0]),
    ]
    with opened(frame[frame.arm != "agent"], tmp_path) as dataset:
        moments, counts, flow, missing = ask(dataset, queries).values()
    assert moments["agent", ()].n == counts["agent", ()] == flow.enrolled_by_arm["agent"] == 0
    assert missing["agent"] == (0, 0)


def test_rows_are_units_where_the_plan_names_none(frame: pd.DataFrame, tmp_path: Path) -> None:
    with opened(frame, tmp_path, data={"unit": None}) as dataset:
        answer = ask(dataset, [DuplicateQuery(), CountQuery(of="randomization_unit"), FlowQuery(), MixedQuery()])
    assert answer[DuplicateQuery()] == Duplicates(repeated=0, mixed=0)
    assert answer[CountQuery(of="randomization_unit")]["none", ()] == (frame.arm == "none").sum()
    assert answer[FlowQuery()].randomization_units == 600
    assert answer[MixedQuery()] == 0


def test_many_segments_take_several_passes_and_give_the_same(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [MomentQuery(measure=MEASURES["ratio"][0], by=by) for by in [(), ("tier",), ("region",)]]
    with opened(frame, tmp_path) as dataset:
        at_once = ask(dataset, queries)
        monkeypatch.setattr("cxcausal.data.cells.MAX_CELLS", 1)
        apart = ask(dataset, queries)
    for query in queries:
        assert at_once[query].keys() == apart[query].keys()
        assert all((at_once[query][key].m2 == apart[query][key].m2).all() for key in apart[query])


def test_columns_that_were_not_read_are_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    with opened(frame, tmp_path) as dataset, pytest.raises(PlanError, match=r"D140.*agent_id, weight"):
        ask(
            dataset,
            [
                MomentQuery(measure=MEASURES["weighted"][0]),
                ClusterQuery(measure=MEASURES["mean"][0], cluster=("agent_id",), treated="gig", control="none"),
            ],
        )


def test_data_are_never_changed(frame: pd.DataFrame, tmp_path: Path) -> None:
    write(frame, tmp_path)
    before = (tmp_path / "x.parquet").read_bytes()
    with opened(frame, tmp_path) as dataset:
        ask(dataset, [FlowQuery()])
    assert (tmp_path / "x.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.parquet"]
