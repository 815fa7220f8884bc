"""What gates are told, against independent computations with numpy on the same propensities."""

from dataclasses import replace

import numpy as np
import pytest

from cxcausal.core import score_answers
from cxcausal.core.measure import Measure
from cxcausal.core.rows import TIME_ZERO, Rows, Text
from cxcausal.core.score_answers import (
    BalanceAnswer,
    GiveawayAnswer,
    OverlapAnswer,
    SeparationAnswer,
    SpecificationAnswer,
    TimeZeroAnswer,
)
from cxcausal.core.score_queries import (
    BalanceQuery,
    ExposureQuery,
    GiveawayQuery,
    OverlapQuery,
    ScoreQuery,
    SeparationQuery,
    SpecificationQuery,
    TimeZeroQuery,
)
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.overlap import limits_of, told_histogram
from cxcausal.scoring.road import ScoreRoad
from tests.validation.observed_worlds import draw

EXACT = 1e-9
CHURN = Measure(name="churn", terms=(("churned", 1.0),))
COVARIATES = ("mood", "effort", "region", "week")


def road_of(rows: Rows, *covariates: str, **recipe: object) -> ScoreRoad:
    """Return the road of some units, linear and with one split unless told."""
    made = Recipe(**{"outcome": "linear", "propensity": "logistic", "repeats": 1, **recipe})  # type: ignore[arg-type]
    nuisances = Nuisances(rows=rows, covariates=covariates or COVARIATES, recipe=made)
    contrasts = tuple((arm, rows.arms[0]) for arm in rows.arms[1:])
    return ScoreRoad(rows=rows, nuisances=nuisances, contrasts=contrasts)


def world(place: int = 1) -> Rows:
    """Return the units of one clean world; the second has missing numbers, the third three arms."""
    return draw(place, np.random.default_rng([11, place])).rows


def asked(road: ScoreRoad, query: ScoreQuery) -> object:
    return road.answer([query])[query]


@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("target", ["ate", "att", "ato"])
def test_effective_sizes_are_those_of_the_weights(place: int, target: str) -> None:
    rows = world(place)
    road = road_of(rows)
    found = asked(road, OverlapQuery(target=target))  # type: ignore[arg-type]
    assert isinstance(found, OverlapAnswer)
    shares = road.nuisances.propensity.shares[0]
    for arm, name in enumerate(rows.arms):
        sizes = []
        for treated in range(1, len(rows.arms)):
            h = {"ate": np.ones(rows.n), "att": shares[:, treated], "ato": 1 / (1 / shares).sum(axis=1)}[target]
            weights = (h / shares[:, arm])[rows.arm == arm]
            if arm in {0, treated}:
                sizes.append(weights.sum() ** 2 / (weights**2).sum())
        assert found.arms[name].effective == pytest.approx(min(sizes), rel=EXACT)
        assert found.arms[name].units == int((rows.arm == arm).sum())
        own = shares[:, arm]
        pairs = own[rows.arm == arm][:, None] - own[rows.arm != arm][None, :]
        assert found.discrimination[name] == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)), rel=EXACT)


def test_those_outside_are_counted_by_what_divides() -> None:
    rows = draw(1, np.random.default_rng(1), "no overlap").rows
    road = road_of(rows)
    shares = road.nuisances.propensity.shares[0]
    low = [limits_of(float(np.mean(rows.arm == at)), 2, (0.05, 0.95))[0] for at in (0, 1)]
    floors = [road.floor(at) for at in (0, 1)]
    att = asked(road, OverlapQuery(target="att"))
    ate = asked(road, OverlapQuery(target="ate"))
    ato = asked(road, OverlapQuery(target="ato"))
    assert isinstance(att, OverlapAnswer)
    assert isinstance(ate, OverlapAnswer)
    assert isinstance(ato, OverlapAnswer)
    treated = rows.arm == 1
    assert att.outside == pytest.approx(np.mean(shares[treated, 0] < low[0]))
    assert att.clipped == pytest.approx(np.mean(shares[treated, 0] < floors[0]))
    assert ate.outside == pytest.approx(np.mean((shares < low).any(axis=1)), abs=0.01)
    assert ate.clipped == pytest.approx(np.mean((shares < floors).any(axis=1)))
    assert ato.clipped == 0.0
    assert ate.arms["bot"].unlikely["human"] == int((shares[~treated, 1] < low[1]).sum())


@pytest.mark.parametrize("seed", range(5))
def test_no_bin_of_fewer_than_ten_is_told_and_none_is_lost(seed: int) -> None:
    counts = np.random.default_rng(seed).poisson(6, 20)
    told = told_histogram(counts)
    assert told.sum() == counts.sum()
    assert not ((told > 0) & (told < 10)).any()
    assert told_histogram(np.array([4, 0, 5])).tolist() == [0, 0, 0]


@pytest.mark.parametrize("target", ["ate", "att", "ato"])
def test_balance_against_weighted_means(target: str) -> None:
    rows = world(1)
    road = road_of(rows)
    found = asked(road, BalanceQuery(target=target))  # type: ignore[arg-type]
    assert isinstance(found, BalanceAnswer)
    assert {(row.column, row.level) for row in found.rows} >= {("effort", "missing"), ("region", "b"), ("mood", "")}
    shares = road.nuisances.propensity.shares[0]
    h = {"ate": np.ones(rows.n), "att": shares[:, 1], "ato": shares[:, 0] * shares[:, 1]}[target]
    known = {
        ("mood", ""): rows.numbers["mood"],
        ("effort", ""): rows.numbers["effort"],
        ("effort", "missing"): np.isnan(rows.numbers["effort"]).astype(float),
        ("region", "b"): (rows.texts["region"].codes == 1).astype(float),
    }
    for row in found.rows:
        values = known.get((row.column, row.level))
        if values is None:
            continue
        there = ~np.isnan(values)
        means = [
            [np.average(values[own], weights=weight[own]) for own in (there & (rows.arm == 1), there & (rows.arm == 0))]
            for weight in (np.ones(rows.n), h / shares[np.arange(rows.n), rows.arm])
        ]
        scale = np.std(values[there])
        assert row.before == pytest.approx((means[0][0] - means[0][1]) / scale, rel=EXACT)
        assert row.after == pytest.approx((means[1][0] - means[1][1]) / scale, rel=EXACT)


def test_a_number_that_one_arm_never_has_differs_in_being_missing() -> None:
    rows = world(1)
    minutes = np.where(rows.arm == 1, 40.0 + rows.numbers["luck"], np.nan)
    found = asked(road_of(replace(rows, numbers={"minutes": minutes}), "minutes"), BalanceQuery(target="ato"))
    assert isinstance(found, BalanceAnswer)
    number, missing = found.rows
    assert (number.level, number.before, number.after, number.se) == ("", 0.0, 0.0, 0.0)
    assert missing.level == "missing"
    assert missing.before < -1.9


def test_the_error_of_a_balance_is_that_of_its_draws() -> None:
    after, errors = [], []
    for seed in range(60):
        rows = draw(1, np.random.default_rng([5, seed]), n=600).rows
        luck = asked(road_of(rows, "luck"), BalanceQuery(target="ate"))
        assert isinstance(luck, BalanceAnswer)
        after.append(luck.rows[0].after)
        errors.append(luck.rows[0].se)
    # Learned propensities balance better than known ones: errors may be too wide, and not too narrow.
    assert np.std(after) < 1.2 * np.mean(errors)


def test_errors_grow_where_units_share_a_fate() -> None:
    rows = world(4)
    agent = np.unique(rows.clusters["agent"], return_inverse=True)[1]
    fate = np.random.default_rng(2).normal(size=int(agent.max()) + 1)[agent]
    shared = replace(rows, arm=(agent % 2).astype(np.int8), numbers={"fate": fate})
    errors = []
    for each in (shared, replace(shared, clusters={})):
        found = asked(road_of(each, "fate"), BalanceQuery(target="ate"))
        assert isinstance(found, BalanceAnswer)
        errors.append(found.rows[0].se)
    # Agents have twelve customers each, all alike.
    assert 2.5 < errors[0] / errors[1] < 4.5


def test_time_zero_is_told_in_days_and_a_calendar_that_is_declared_explains_it() -> None:
    rng = np.random.default_rng(8)
    n = 2_000
    week = rng.integers(0, 10, n).astype(np.float64)
    arm = (rng.random(n) < 0.2 + 0.05 * week).astype(np.int8)
    rows = replace(
        world(1),
        arm=arm,
        numbers={"week": week, "mood": rng.normal(size=n), TIME_ZERO: 20_000 + 7 * week + 3 * arm},
    )
    declared = asked(road_of(rows, "week"), TimeZeroQuery(target="ate"))
    blind = asked(road_of(rows, "mood"), TimeZeroQuery(target="ate"))
    assert isinstance(declared, TimeZeroAnswer)
    assert isinstance(blind, TimeZeroAnswer)
    assert declared.gaps[0].days == pytest.approx(3, abs=1e-6)
    assert blind.gaps[0].days > 10
    constant = replace(rows, numbers={**rows.numbers, TIME_ZERO: np.full(n, 20_000.0)})
    assert asked(road_of(constant, "mood"), TimeZeroQuery(target="ate")) == TimeZeroAnswer(gaps=())


def test_a_column_that_decides_the_treatment_is_seen_whatever_it_is() -> None:
    rows = world(1)
    arm = rows.arm.astype(np.float64)
    code = (rows.arm == 1).astype(np.int32)
    columns = {"minutes": np.where(arm == 1, 5.0, np.nan), "minus": -arm, "chance": rows.numbers["luck"]}
    texts = {"word": Text(codes=code, levels=("bot", "person")), "id": Text(codes=_ids(rows), levels=_levels(rows))}
    told = replace(rows, numbers=columns, texts=texts)
    found = asked(road_of(told, "minutes", "minus", "chance", "word", "id"), SeparationQuery())
    assert isinstance(found, SeparationAnswer)
    assert found.alone["minutes"] == found.alone["minus"] == found.alone["word"] == 1.0
    assert found.alone["id"] == 0.5
    assert found.alone["chance"] < 0.7


@pytest.mark.parametrize("measured", ["churned", "money"])
def test_a_column_that_tells_the_outcome_is_seen_whatever_it_is(measured: str) -> None:
    whole, rng = world(1), np.random.default_rng(4)
    mood = whole.numbers["mood"]
    money = np.exp(mood + rng.normal(size=whole.n))
    left = (whole.numbers["churned"] > 1).astype(np.float64)
    outcome = {"churned": left, "money": money}[measured]
    columns = {
        "churned": left,
        "money": money,
        "health": 3 * left + 0.3 * rng.normal(size=whole.n) if measured == "churned" else np.log(money),
        "closed_in": np.where(left == 1, rng.normal(size=whole.n), np.nan),
        "before": mood,
    }
    why = np.digitize(outcome, np.quantile(outcome, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]))
    reason = Text(codes=why.astype(np.int32), levels=tuple(f"because {at}" for at in range(10)))
    rows = replace(
        whole, numbers=columns, texts={"reason": reason, "id": Text(codes=_ids(whole), levels=_levels(whole))}
    )
    road = road_of(rows, "health", "closed_in", "before", "reason", "id")
    found = asked(road, GiveawayQuery(measure=Measure(name=measured, terms=((measured, 1.0),))))
    assert isinstance(found, GiveawayAnswer)
    assert min(found.alone["health"], found.alone["reason"]) > 0.98
    assert (found.alone["closed_in"] == 1.0) == (measured == "churned")
    assert found.alone["before"] < 0.9
    assert found.alone["id"] == 0.0


def test_a_handful_of_outcomes_gives_nothing_away() -> None:
    whole = world(1)
    few = np.where(np.arange(whole.n) < 15, 1.0, 0.0)
    rows = replace(whole, numbers={**whole.numbers, "few": few, "same": few + 0.0})
    found = asked(road_of(rows, "same"), GiveawayQuery(measure=Measure(name="few", terms=(("few", 1.0),))))
    assert found == GiveawayAnswer(alone={"same": 0.0})


def _ids(rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.arange(rows.n, dtype=np.int32)


def _levels(rows: Rows) -> tuple[str, ...]:
    return tuple(f"{at:05d}" for at in range(rows.n))


def test_an_exposure_without_effect_is_seldom_found_and_one_with_an_effect_is() -> None:
    null: list[float] = []
    power: list[float] = []
    for seed in range(80):
        rows = draw(1, np.random.default_rng([6, seed]), n=500).rows
        null.append(exposed(rows, "luck").p)
        rows.numbers["churned"][:] += 0.5 * rows.numbers["luck"]
        power.append(exposed(rows, "luck").p)
    assert np.mean(np.array(null) < 0.05) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / len(null))
    assert max(power) < 0.01


def test_the_slope_of_an_exposure_is_that_of_residuals_out_of_fold() -> None:
    rows = world(2)  # without missing numbers
    road = road_of(rows)
    x = np.column_stack([np.ones(rows.n), *(rows.numbers[name] for name in ("mood", "effort", "week"))])
    x = np.column_stack([x, *((rows.texts["region"].codes == level) for level in range(1, 5))])
    left = {name: np.zeros(rows.n) for name in ("churned", "luck")}
    for place in range(len(rows.arms)):
        for fold in range(road.recipe.folds):
            test = (rows.arm == place) & (road.nuisances.folds[0] == fold)
            train = (rows.arm == place) & (road.nuisances.folds[0] != fold)
            for name, kept in left.items():
                slopes = np.linalg.lstsq(x[train], rows.numbers[name][train], rcond=None)[0]
                kept[test] = rows.numbers[name][test] - x[test] @ slopes
    z, y = left["luck"], left["churned"]
    slope = float(z @ y / (z @ z))
    error = float(np.sqrt(np.sum((z * (y - slope * z)) ** 2)) / (z @ z))
    found = exposed(rows, "luck")
    assert found.point == pytest.approx(slope, rel=1e-6)
    assert found.se == pytest.approx(error, rel=1e-3)


def test_exposures_that_cannot_be_tested_say_why() -> None:
    rows = world(1)
    assert exposed(rows, "region", "mood", "effort").reason is None
    flat = replace(rows, numbers={**rows.numbers, "flat": np.ones(rows.n)})
    assert exposed(flat, "flat").reason == "it does not vary among those present"
    assert exposed(rows, "mood").reason == "nothing of it is left once the other columns are known"


def exposed(rows: Rows, column: str, *covariates: str) -> score_answers.Tested:
    found = asked(road_of(rows, *covariates), ExposureQuery(column=column, measure=CHURN))
    assert isinstance(found, score_answers.Tested)
    return found


def test_other_choices_are_held_against_the_error_of_the_difference() -> None:
    rows = draw(1, np.random.default_rng(3), n=800).rows
    road = road_of(rows, repeats=3)
    query = SpecificationQuery(measure=CHURN, target="ato", without=("week",))
    found = asked(road, query)
    assert isinstance(found, SpecificationAnswer)
    choices = found.choices[("human", "bot")]
    assert set(choices) >= {"boosted learners", "without effect modifiers", "one split"}
    own = asked_effect(road)
    for opinion in choices.values():
        assert opinion.reason is None
        assert opinion.point - opinion.gap == pytest.approx(own)
    assert choices["boosted learners"].gap_se < choices["boosted learners"].se
    assert choices["one split"].gap_se < 0.3 * choices["one split"].se
    assert asked(road, query) == found


def asked_effect(road: ScoreRoad) -> float:
    splits = road.potential(CHURN, "ato", "human")
    return float(np.median([each.mean[1] - each.mean[0] for each in splits]))


@pytest.mark.parametrize(
    "query",
    [
        OverlapQuery(target="ate"),
        BalanceQuery(target="ate"),
        TimeZeroQuery(target="ate"),
        ExposureQuery(column="luck", measure=CHURN),
        SpecificationQuery(measure=CHURN, target="ate"),
        SeparationQuery(),
        GiveawayQuery(measure=CHURN),
    ],
    ids=lambda query: type(query).__name__,
)
@pytest.mark.parametrize("n", [0, 15])
def test_too_few_units_end_in_a_reason(query: ScoreQuery, n: int) -> None:
    whole = world(1)
    rows = replace(
        whole,
        arm=whole.arm[:n],
        key=whole.key[:n],
        numbers={name: values[:n] for name, values in whole.numbers.items()},
        texts={name: replace(text, codes=text.codes[:n]) for name, text in whole.texts.items()},
    )
    found = asked(road_of(rows), query)
    assert isinstance(found, SeparationAnswer | GiveawayAnswer) or "too few" in str(found) or "no units" in str(found)
