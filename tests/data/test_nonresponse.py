"""Bounds in the engine against sorted rows: trimmed means, filled means, and every unit's influence."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.answers import Moments, Nonresponse
from cxcausal.core.measure import Measure
from cxcausal.core.queries import MomentQuery, NonresponseQuery, RegressionQuery
from cxcausal.stats.identified import identified
from tests.data.plans import ask, opened, rows
from tests.nonresponse_twins import lee_ends, worst_case_ends
from tests.twins import full_cr2

TOLERANCE = 1e-9
NPS = Measure(name="nps", terms=(("nps_answer", 1.0),), transform="nps", response="answered")
SPEND = Measure(name="spend", terms=(("spend", 1.0),), response="answered")
PAIRS = [("gig", "none"), ("agent", "none"), ("none", "agent")]


def customers(n: int = 900, seed: int = 7, *, more: float = 0.3) -> pd.DataFrame:
    """Return rows of which those with a contact answer more often; some who answered left no answer."""
    frame, rng = rows(n, seed), np.random.default_rng(seed + 1)
    answered = rng.random(n) < 0.4 + more * (frame.arm != "none")
    score = np.where(answered & (rng.random(n) < 0.95), rng.integers(0, 11, n), np.nan)
    return frame.assign(answered=answered.astype(int), nps_answer=score)


def values(frame: pd.DataFrame, measure: Measure) -> Any:
    """Return the answers, missing where there is none."""
    score = frame.nps_answer.map(lambda v: -100.0 if v <= 6 else 0.0 if v <= 8 else 100.0, na_action="ignore")
    return (score if measure is NPS else frame.spend).where(frame.answered == 1).to_numpy(dtype=float)


def close(found: object, expected: object) -> None:
    assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


def asked(frame: pd.DataFrame, root: Path, query: NonresponseQuery, **changes: Any) -> Nonresponse:
    with opened(frame, root, **changes) as data:
        answer = ask(data, (query,))[query]
    assert isinstance(answer, Nonresponse)
    return answer


@pytest.mark.parametrize("measure", [NPS, SPEND], ids=["ties", "continuous"])
@pytest.mark.parametrize(("treated", "control"), PAIRS)
def test_ends_are_those_of_sorted_rows(tmp_path: Path, measure: Measure, treated: str, control: str) -> None:
    frame = customers()
    query = NonresponseQuery(measure=measure, treated=treated, control=control, support="observed")
    found = asked(frame, tmp_path, query)
    y, arm = values(frame, measure), frame.arm.to_numpy()
    one, two = y[arm == treated], y[arm == control]
    assert found.units == (len(one), len(two))
    assert found.answers == (np.sum(~np.isnan(one)), np.sum(~np.isnan(two)))
    assert found.support == (np.nanmin(y), np.nanmax(y))
    assert found.lee is not None
    assert found.worst_case is not None
    for ends, twins in (
        (found.lee, lee_ends(one, two)),
        (found.worst_case, worst_case_ends(one, two, np.nanmin(y), np.nanmax(y))),
    ):
        told = identified(ends)
        for end, twin in zip((told.low, told.high), twins, strict=True):
            close((end.point, end.se), (twin.point, twin.se))


@pytest.mark.parametrize("cluster", [("household_id",), ("household_id", "agent_id")])
def test_where_customers_share_a_fate_influences_are_summed_by_cluster(
    tmp_path: Path, cluster: tuple[str, ...]
) -> None:
    frame = customers()
    query = NonresponseQuery(measure=NPS, treated="gig", control="none", clusters=cluster, support=(-100.0, 100.0))
    found = asked(frame, tmp_path, query, data={"cluster": list(cluster)})
    own = frame.arm.isin(["gig", "none"])
    y, treated = values(frame, NPS)[own], (frame.arm[own] == "gig").to_numpy()
    twins = (*lee_ends(y[treated], y[~treated]), *worst_case_ends(y[treated], y[~treated], -100.0, 100.0))
    assert found.lee is not None
    assert found.worst_case is not None
    for end, twin in zip((*found.lee, *found.worst_case), twins, strict=True):
        told = identified((end, end)).low
        values_of = np.empty(len(y))
        values_of[treated], values_of[~treated] = twin.treated, twin.control
        design = np.column_stack([treated, ~treated]).astype(float)
        contrast = np.array([1.0, -1.0])
        names = [frame[own][list(cluster[:1])], frame[own][list(cluster[1:])], frame[own][list(cluster)]]
        codes = [one.astype(str).agg("|".join, axis=1).to_numpy() for one in names if one.shape[1]]
        parts = [full_cr2(design, values_of, code, contrast) for code in (codes if len(cluster) > 1 else codes[:1])]
        variances = [float(contrast @ part.covariance @ contrast) for part in parts]
        variance = variances[0] if len(parts) == 1 else variances[0] + variances[1] - variances[2]
        variance = variance if told.note is None else max(variances[:2])
        close((told.point, told.se), (twin.point, variance**0.5))


def test_equal_shares_of_answers_leave_nothing_to_trim(tmp_path: Path) -> None:
    frame = customers(600).assign(answered=1, nps_answer=lambda f: np.arange(len(f)) % 11)
    found = asked(frame, tmp_path, NonresponseQuery(measure=NPS, treated="gig", control="none"))
    assert found.lee is not None
    assert found.worst_case is None
    told, plain = identified(found.lee), values(frame, NPS)
    expected = plain[frame.arm == "gig"].mean() - plain[frame.arm == "none"].mean()
    close((told.low.point, told.high.point), (expected, expected))


@pytest.mark.parametrize("answers", [0, 1])
def test_an_arm_with_too_few_answers_has_no_ends(tmp_path: Path, answers: int) -> None:
    frame = customers()
    own = frame.index[frame.arm == "gig"]
    frame.loc[own, "answered"] = 0
    frame.loc[own[:answers], ["answered", "nps_answer"]] = 1
    query = NonresponseQuery(measure=NPS, treated="gig", control="none", support=(-100.0, 100.0))
    found = asked(frame, tmp_path, query)
    assert (found.answers[0], found.lee, found.worst_case) == (answers, None, None)


def test_the_bits_do_not_depend_on_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, seen = customers(2500), set()
    query = NonresponseQuery(measure=SPEND, treated="gig", control="none", support="observed")
    for seed, threads in ((None, 1), (1, 2), (2, 4)):
        monkeypatch.setattr("cxcausal.data.engines.embedded.THREADS", threads)
        shuffled = frame if seed is None else frame.sample(frac=1, random_state=seed)
        found = asked(shuffled, tmp_path, query)
        assert found.lee is not None
        assert found.worst_case is not None
        ends = (*found.lee, *found.worst_case)
        seen.add(tuple(bytes(arm.mean) + bytes(arm.m2) for end in ends for arm in (end.treated, end.control)))
    assert len(seen) == 1


def test_answering_is_an_outcome_of_everybody(tmp_path: Path) -> None:
    frame = customers()
    measure = Measure(name="a", terms=NPS.terms, transform="answered", response="answered")
    weighted = Measure(name="w", terms=NPS.terms, transform="answered", response="answered", weight="weight")
    with opened(frame, tmp_path, data={"weight": "weight"}) as data:
        answers = ask(data, (MomentQuery(measure=measure), MomentQuery(measure=weighted)))
    known = frame.nps_answer.notna() & (frame.answered == 1)
    for arm in ("none", "gig", "agent"):
        own = (frame.arm == arm).to_numpy()
        plain, heavy = (answers[MomentQuery(measure=one)][arm, ()] for one in (measure, weighted))
        assert isinstance(plain, Moments)
        assert (plain.n, plain.events) == (own.sum(), known[own].sum())
        close(plain.mean[0], known[own].mean())
        close(heavy.mean[0] / heavy.mean[1], np.average(known[own], weights=frame.weight[own]))


def test_a_regression_can_be_told_at_the_mean_of_all_analysed_units(tmp_path: Path) -> None:
    frame = customers(1500).assign(before=lambda f: np.random.default_rng(2).gamma(2.0, 10.0, len(f)))
    frame["answered"] = (np.random.default_rng(3).random(len(frame)) < frame.before / 60).astype(int)
    query = RegressionQuery(measure=NPS, covariates=("age", "before"), center="analysed")
    with opened(frame, tmp_path, covariates=["age", "before"]) as data:
        found = ask(data, (query,))[query][()]
    z, y = frame[["age", "before"]].to_numpy(dtype=float), values(frame, NPS)
    close(found.spread, np.cov(z, rowvar=False))
    assert found.n == len(frame)
    for arm, fit in found.arms.items():
        own = (frame.arm == arm).to_numpy() & ~np.isnan(y)
        design = np.column_stack([np.ones(own.sum()), z[own] - z.mean(axis=0)])
        bread = np.linalg.inv(design.T @ design)
        beta = bread @ design.T @ y[own]
        leverage = np.diag(design @ bread @ design.T)
        meat = (design.T * ((y[own] - design @ beta) ** 2 / (1 - leverage))) @ design
        close(fit.adjusted[0], beta[0])
        close(fit.covariance[0, 0], (bread @ meat @ bread)[0, 0])
        assert fit.n == own.sum()
