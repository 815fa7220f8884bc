"""Effects from scores against the same written out over whole arrays, over everybody and within segments."""

from dataclasses import replace

import numpy as np
import pytest

from cxcausal.core.measure import Measure
from cxcausal.core.progress import Event, Progress, StageAdvanced, StageBegan
from cxcausal.core.rows import Floats
from cxcausal.core.score_answers import ScoreEffect
from cxcausal.core.score_queries import EffectQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.road import ScoreRoad
from cxcausal.scoring.told import Kept, Told
from tests.nuisance.units import Units, drawn, text_of

Y = Measure(name="y", terms=(("y", 1.0),))
RATIO = Measure(name="r", terms=(("paid", 1.0),), denominator="bought")


def road(units: Units, *, repeats: int = 1, progress: Progress | None = None) -> ScoreRoad:
    recipe = Recipe(outcome="linear", propensity="logistic", folds=3, repeats=repeats)
    made = Nuisances(rows=units.rows, covariates=units.covariates, recipe=recipe)
    contrasts = tuple((arm, "none") for arm in units.rows.arms[1:])
    return ScoreRoad(rows=units.rows, nuisances=made, contrasts=contrasts, progress=progress or Progress())


def in_segments(units: Units) -> Units:
    rng = np.random.default_rng(9)
    tier = text_of(rng.choice(["gold", "plus", "rare"], units.rows.n, p=[0.6, 0.39, 0.01]))
    return replace(units, rows=replace(units.rows, texts={"tier": tier}))


def by_hand(made: ScoreRoad, target: Target, member: Floats) -> tuple[float, float]:
    """Return effect and standard error of two arms, from formulas over all n units."""
    rows, e = made.rows, made.nuisances.propensity.shares[0]
    y, a = rows.numbers["y"], rows.arm == 1
    mean = made.nuisances.outcome("y", y, np.ones(rows.n, dtype=bool)).mean[0]
    p = e[:, 1]
    h = {"ate": np.ones(rows.n), "att": p, "ato": p * (1 - p)}[target]
    mass = {"ate": h, "att": a * 1.0, "ato": h + (1 - 2 * p) * (a - p)}[target] * member
    h = h * member
    told = mass * (mean[:, 1] - mean[:, 0]) + h * (a * (y - mean[:, 1]) / p - ~a * (y - mean[:, 0]) / (1 - p))
    point = told.sum() / mass.sum()
    phi = (told - mass * point)[member > 0] / mass[member > 0].mean()
    return float(point), float(np.sqrt(np.sum(phi**2) / (len(phi) * (len(phi) - 1))))


def point_and_se(effect: ScoreEffect) -> tuple[float, float]:
    one = np.array([1.0, -1.0])
    return effect.mean[0] - effect.mean[1], float(np.sqrt(one @ effect.covariance @ one))


@pytest.mark.parametrize("target", ["ate", "att", "ato"])
def test_effects_are_those_of_the_formulas(target: Target) -> None:
    made = road(in_segments(drawn(900)))
    everybody = made.answer([EffectQuery(measure=Y, target=target)])[EffectQuery(measure=Y, target=target)]
    effects = everybody.effects  # type: ignore[union-attr]
    assert point_and_se(effects["call", "none", ""]) == pytest.approx(by_hand(made, target, np.ones(900)), rel=1e-9)
    query = EffectQuery(measure=Y, target=target, by="tier")
    found = made.answer([query])[query]
    text = made.rows.texts["tier"]
    for place, level in enumerate(("gold", "plus")):
        member = (text.codes == place).astype(np.float64)
        told = found.effects["call", "none", level]  # type: ignore[union-attr]
        assert point_and_se(told) == pytest.approx(by_hand(made, target, member), rel=1e-9)
    assert found.effects["call", "none", "rare"].reason is not None  # type: ignore[union-attr]
    assert np.array_equal(found.correlation, np.eye(2))  # type: ignore[union-attr]


def test_segments_of_shared_clusters_go_together() -> None:
    units = in_segments(drawn(600))
    teams = (np.arange(600) // 20).astype(np.uint64)
    made = road(replace(units, rows=replace(units.rows, clusters={"team": teams})))
    query = EffectQuery(measure=Y, target="ate", by="tier")
    found = made.answer([query])[query]
    correlation = found.correlation  # type: ignore[union-attr]
    assert correlation.shape == (2, 2)
    assert abs(correlation[0, 1]) > 1e-6
    assert np.allclose(np.diag(correlation), 1)


def test_means_of_a_segment_stand_for_themselves_in_the_whole() -> None:
    made = road(in_segments(drawn(500)))
    member = (made.rows.texts["tier"].codes == 0).astype(np.float64)
    (found,) = made.potential(Y, "ate", "none", member)
    assert found.phi.shape == (500, 2)
    assert (found.phi[member == 0] == 0).all()
    point, se = by_hand(made, "ate", member)
    assert found.mean[1] - found.mean[0] == pytest.approx(point, rel=1e-9)
    difference = found.phi[:, 1] - found.phi[:, 0]
    assert float(np.sqrt(np.sum(difference**2)) / 500) == pytest.approx(se, rel=2e-3)


def test_a_ratio_is_that_of_its_means() -> None:
    made = road(drawn(800))
    (told,) = made.told(RATIO, "ate", "none")
    assert told.lower is not None
    upper, lower = told.upper.mean(axis=0), told.lower.mean(axis=0)
    assert told.potential().mean == pytest.approx(upper / lower, rel=1e-12)


def test_a_rare_arm_has_a_reason_and_spares_the_others_but_for_the_overlap() -> None:
    units = drawn(600, arms=3)
    arm = units.rows.arm.copy()
    arm[np.flatnonzero(arm == 2)[12:]] = 0
    made = road(replace(units, rows=replace(units.rows, arm=arm)))
    for target in ("ate", "att", "ato"):
        query = EffectQuery(measure=Y, target=target)
        effects = made.answer([query])[query].effects  # type: ignore[union-attr]
        assert "'mail' has too few customers" in str(effects["mail", "none", ""].reason)
        assert (effects["call", "none", ""].reason is None) == (target != "ato")


def test_an_arm_without_a_value_has_a_reason() -> None:
    units = drawn(200)
    y = np.where(units.rows.arm == 1, np.nan, units.rows.numbers["y"])
    rows = replace(units.rows, numbers={**units.rows.numbers, "y": y})
    query = EffectQuery(measure=Y, target="ate")
    effects = road(replace(units, rows=rows)).answer([query])[query].effects  # type: ignore[union-attr]
    assert effects["call", "none", ""].reason == "no customer in arm 'call' has a value"


def test_progress_counts_models() -> None:
    heard: list[Event] = []
    made = road(drawn(200), repeats=2, progress=Progress(heard.append))
    made.answer([EffectQuery(measure=Y, target=target) for target in ("ate", "att")])
    assert [event.total for event in heard if isinstance(event, StageBegan)] == [6]
    assert [event.done for event in heard if isinstance(event, StageAdvanced)] == [2, 6]


def test_what_units_told_is_held_up_to_a_limit() -> None:
    def one() -> Told:
        return Told(upper=np.zeros((10, 2)), lower=None, mass=np.zeros(10), weight=np.zeros(10))

    kept = Kept(most=one().size)
    first = kept.put("a", (one(),))
    assert kept.get("a") is first
    kept.put("b", (one(),))
    assert kept.get("a") is None
    assert kept.get("b") is not None
