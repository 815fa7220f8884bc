"""Sums within clusters from the engine against rows: columns of every kind, segments, names that cross, and order."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import ClusterSums
from cxcausal.core.errors import PlanError
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterRegressionQuery
from cxcausal.data import cluster_regressions
from cxcausal.stats.cluster_regression import difference, lin
from cxcausal.stats.difference import Difference
from tests.cluster_regression_twins import Full, Sample, full_lin, full_multiway
from tests.data.plans import ask, opened
from tests.data.test_regressions import CHURN, COVARIATES, NAMES, SPEND, customers, design_of, outcomes

TOLERANCE = 1e-9
HOME: tuple[str, ...] = ("household_id",)
AGENT: tuple[str, ...] = ("agent_id",)
CLUSTERS: dict[str, Any] = {"data": {"cluster": ["household_id", "agent_id"]}}


def query(
    measure: Measure = SPEND, covariates: tuple[str, ...] = tuple(COVARIATES), **keys: Any
) -> ClusterRegressionQuery:
    return ClusterRegressionQuery(measure=measure, covariates=covariates, **{"cluster": HOME, **keys})


def sample(frame: pd.DataFrame, measure: Measure, cluster: tuple[str, ...], names: tuple[str, ...] = NAMES) -> Sample:
    outcome = outcomes(frame)[measure]
    own = outcome.notna()
    return Sample(
        outcome=outcome[own].to_numpy(),
        arm=frame.arm[own].to_numpy(),
        covariates=design_of(frame[own], frame)[list(names)].to_numpy(),
        cluster=frame[own][list(cluster)].agg("|".join, axis=1).to_numpy(),
    )


def close(found: Difference, full: Full) -> None:
    assert (found.point, found.se, found.df) == pytest.approx((full.point, full.se, full.df), rel=TOLERANCE)


def effect(sums: ClusterSums) -> Difference:
    return difference({HOME: lin(sums, "gig", "none")})


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
def test_the_adjusted_effect_is_that_of_whole_matrices(tmp_path: Path, name: str) -> None:
    """Spend and survey have missing values, ages and plans too, and households span the arms."""
    frame = customers(900)
    queries = {measure: query(measure) for measure in outcomes(frame)}
    with opened(frame, tmp_path, name, covariates=COVARIATES, **CLUSTERS) as data:
        answers = ask(data, tuple(queries.values()))
    for measure, asked in queries.items():
        (sums,) = answers[asked].values()
        assert (sums.columns, sums.dropped, sums.arms) == (NAMES, (), ("agent", "gig", "none")), measure.name
        rows = sample(frame, measure, HOME)
        assert sums.clusters == len(set(rows.cluster))
        close(effect(sums), full_lin(rows, "gig", "none"))


def test_names_that_cross_are_inclusion_and_exclusion(tmp_path: Path) -> None:
    frame = customers(800)
    asked = {names: query(covariates=("age", "before"), cluster=names) for names in (HOME, AGENT, (*HOME, *AGENT))}
    with opened(frame, tmp_path, covariates=COVARIATES, **CLUSTERS) as data:
        answers = ask(data, tuple(asked.values()))
    names = ("age", "age=(missing)", "before")
    fits = {key: lin(answers[one][()], "agent", "none") for key, one in asked.items()}
    samples = {key: sample(frame, SPEND, key, names) for key in asked}
    close(difference(fits), full_multiway(samples, "agent", "none"))


def test_segments_and_clusters_within_an_arm(tmp_path: Path) -> None:
    frame = customers(1500)
    frame = frame.assign(arm=frame.agent_id.map(lambda name: ("none", "gig", "agent")[int(name[1:]) % 3]))
    asked = query(CHURN, ("before", "channel"), cluster=AGENT, by=("tier",))
    with opened(frame, tmp_path, covariates=COVARIATES, **CLUSTERS) as data:
        answer = ask(data, (asked,))[asked]
    assert list(answer) == [("",), ("gold",), ("silver",)]
    for (tier,), sums in answer.items():
        own = frame[frame.tier.fillna("") == tier]
        close(effect(sums), full_lin(sample(own, CHURN, AGENT, ("before", "channel=phone")), "gig", "none"))


def test_numbers_are_the_same_to_the_bit_in_every_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = customers(2000)
    asked = query(by=("region",), cluster=AGENT)
    found = set()
    for seed, threads in ((None, 1), (1, 2), (2, 4), (3, None)):
        monkeypatch.setattr("cxcausal.data.engines.embedded.THREADS", threads)
        shuffled = frame if seed is None else frame.sample(frac=1, random_state=seed)
        with opened(shuffled, tmp_path, covariates=COVARIATES, **CLUSTERS) as data:
            answer = ask(data, (asked,))[asked]
        found.add(tuple((key, *_bytes(sums)) for key, sums in answer.items()))
    assert len(found) == 1


def _bytes(sums: ClusterSums) -> tuple[object, ...]:
    values = (getattr(sums, field.name) for field in fields(sums) if field.compare)
    return tuple(value.tobytes() if isinstance(value, np.ndarray) else value for value in values)


def test_the_order_of_the_rows_tells_nothing_of_the_clusters_names(tmp_path: Path) -> None:
    frame = customers(900)
    renamed = frame.assign(agent_id=frame.agent_id.map(lambda name: f"z{99 - int(name[1:])}"))
    found = []
    for one in (frame, renamed):
        with opened(one, tmp_path, covariates=COVARIATES, **CLUSTERS) as data:
            found.append(_bytes(ask(data, (query(cluster=AGENT),))[query(cluster=AGENT)][()]))
    assert found[0] == found[1]


def test_columns_without_anything_of_their_own_are_dropped(tmp_path: Path) -> None:
    frame = customers().assign(twice=lambda f: 2 * f.before + 3, constant=4.0)
    names = ("before", "twice", "constant", "channel")
    with opened(frame, tmp_path, covariates=list(names), **CLUSTERS) as data:
        sums = ask(data, (query(CHURN, names),))[query(CHURN, names)][()]
    assert (sums.columns, sums.dropped) == (("before", "channel=phone"), ("twice", "constant"))
    assert sums.gram.shape == (len(sums.n), 2, 2)


def test_a_covariate_that_is_constant_in_a_segment_is_dropped_there(tmp_path: Path) -> None:
    frame = customers(1500)
    names = ("tier", "before", "age")
    with opened(frame, tmp_path, covariates=list(names), **CLUSTERS) as data:
        answer = ask(data, (query(CHURN, names, by=("tier",)),))[query(CHURN, names, by=("tier",))]
    for sums in answer.values():
        assert (sums.columns, sums.dropped) == (("before", "age", "age=(missing)"), ("tier=gold", "tier=silver"))


def test_nobody_counts(tmp_path: Path) -> None:
    frame = customers().assign(spend=np.nan)
    with opened(frame, tmp_path, covariates=COVARIATES, **CLUSTERS) as data:
        assert ask(data, (query(), query(by=("tier",)))) == {query(): {}, query(by=("tier",)): {}}


def test_what_cannot_be_held_has_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_regressions, "MOST_NUMBERS", 1000)
    asked = (query(CHURN), query(CHURN, by=("tier",)), query(CHURN, ("before",), cluster=AGENT))
    frame = customers()
    with opened(frame, tmp_path, covariates=COVARIATES, **CLUSTERS) as data:
        whole, apart, held = (ask(data, asked)[one] for one in asked)
    assert (whole[()].clusters, len(whole[()].n), whole[()].columns) == (300, 0, NAMES)
    tiers = frame.assign(tier=frame.tier.fillna("")).groupby("tier").household_id.nunique()
    assert {tier: sums.clusters for (tier,), sums in apart.items()} == dict(tiers)
    assert len(held[()].n) == 75


@pytest.mark.parametrize("asked", [query(cluster=("branch",)), query(by=("town",)), query(covariates=("visits",))])
def test_columns_that_were_not_read_are_refused(tmp_path: Path, asked: ClusterRegressionQuery) -> None:
    with opened(customers(), tmp_path, covariates=COVARIATES, **CLUSTERS) as data, pytest.raises(PlanError):
        ask(data, (asked,))
