"""Outcomes learned by their parts: chances stay chances, parts add up, and what was shrunk is stretched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxcausal.core.held_out import Aim
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats
from cxcausal.core.whom import Candidate
from cxcausal.heterogeneity.choosing import asked_of
from cxcausal.heterogeneity.effect_model import EffectModel, effect_model
from cxcausal.heterogeneity.fitting import Target
from cxcausal.heterogeneity.formulas import Chance, constant
from cxcausal.heterogeneity.known import signed_values
from cxcausal.heterogeneity.lesson import Ground
from cxcausal.heterogeneity.logistic import chances_of, joint_columns, logistic
from cxcausal.heterogeneity.parts import parts_of
from cxcausal.heterogeneity.turning import Course, course_of
from cxcausal.nuisance.features import features_of
from tests.heterogeneity.worlds import AIM, World, told, trial, with_numbers

WORTH = 100.0
NET = Aim(
    name="net", label="net value", unit="EUR", sign=1, costs=True,
    measure=Measure(name="net", terms=(("left", -WORTH), ("y", 1.0)), arm_constant=(("call", -2.0),)),
)  # fmt: skip


def _sigmoid(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def leaving(n: int, *, seed: int = 1, slope: float = 0.0) -> World:
    """Return a trial in which a call shifts the log odds of leaving by −.8 + slope·z, and margin by nothing."""
    world = trial(n, seed=seed)
    x, z = world.rows.numbers["x"], world.rows.numbers["z"]
    shift = -0.8 + slope * z
    chances = np.column_stack([_sigmoid(-2 + 1.2 * x), _sigmoid(-2 + 1.2 * x + shift)])
    own = chances[np.arange(n), world.rows.arm]
    rng = np.random.default_rng([seed, 9])
    gains = np.column_stack([np.zeros(n), WORTH * (chances[:, 0] - chances[:, 1]) - 2.0])
    moved = with_numbers(world, left=(rng.random(n) < own).astype(np.float64), y=x + rng.normal(size=n))
    return replace(moved, gains=gains)


def _course(world: World, aim: Aim, learners: tuple[str, ...] | None = None) -> Course:
    n = world.rows.n
    return course_of(
        world.rows, aim, modifiers=("x", "z"), nuisances=world.nuisances(),
        eligible=np.ones(n, dtype=bool), weight=np.ones(n), learners=learners,
    )  # fmt: skip


def _error(world: World, aim: Aim, learners: tuple[str, ...]) -> float:
    course = _course(world, aim, learners)
    everybody = np.arange(world.rows.n)
    found = course.taught(everybody, everybody[:0], "test")
    gains = course.predicting(found, ("x", "z")).gains({name: world.rows.numbers[name] for name in ("x", "z")})
    return float(np.mean((gains - world.gains) ** 2))


def test_a_composite_is_learned_better_by_its_parts() -> None:
    worlds = [leaving(3_000, seed=seed) for seed in range(3)]
    whole = np.mean([_error(world, NET, ("s", "t")) for world in worlds])
    apart = np.mean([_error(world, NET, ("s_parts", "t_parts")) for world in worlds])
    assert apart < 0.7 * whole


def test_parts_add_up_to_the_outcome() -> None:
    world = leaving(300)
    values, everybody = signed_values(world.rows, NET), np.arange(300)
    chance, rest = parts_of(values, world.rows.arm, everybody)
    assert (chance.binary, rest.binary) == (True, False)
    own = np.asarray(chance.times)[world.rows.arm] * chance.y + np.asarray(rest.times)[world.rows.arm] * rest.y
    constants = np.asarray(values.constants)[world.rows.arm]
    whole = np.where(world.rows.arm == 1, values.of(1), values.of(0)) - constants
    assert np.allclose(own, whole)
    assert parts_of(signed_values(world.rows, AIM), world.rows.arm, everybody) == ()


def test_parts_know_nothing_of_whom_they_are_not_learned_from() -> None:
    world = leaving(400)
    left = world.rows.numbers["left"].copy()
    left[300:] = 7.5
    other = with_numbers(world, left=left)
    some = np.arange(300)
    for one, two in zip(*(parts_of(signed_values(w.rows, NET), w.rows.arm, some) for w in (world, other)), strict=True):
        assert one.binary == two.binary
        assert np.array_equal(one.y, two.y, equal_nan=True)
        assert np.isnan(one.y[300:]).all()


def test_nobody_gains_more_than_their_chance_has_room_for() -> None:
    """Of a metric that is 0 or 1, with a baseline near 2 %: far off the data as well."""
    world = leaving(2_000, seed=3)
    rng = np.random.default_rng(3)
    rare = with_numbers(world, left=(rng.random(2_000) < np.where(world.rows.arm == 1, 0.01, 0.02)).astype(np.float64))
    aim = replace(AIM, measure=Measure(name="left", terms=(("left", 1.0),)), sign=-1, binary=True)
    names = {each.name for each in _taught(rare, aim, ("s_parts",))} - {"constant"}
    assert names
    assert all(name.startswith("s_parts") for name in names)
    slopes = _slopes(rare, crossed=True)
    control, call = chances_of(_ground(rare), slopes)
    wild = _ground(rare).table.at(np.arange(50))
    wild.filled[:] *= 50
    gain = control.of(wild) - call.of(wild)
    assert (gain <= control.of(wild) + 1e-12).all()
    assert (gain >= -1).all()


def _ground(world: World) -> Ground:
    return Ground(features=features_of(world.rows, ("x", "z")), arm=world.rows.arm, arms=2)


def _slopes(world: World, *, crossed: bool) -> Floats:
    ground = _ground(world)
    columns, free = joint_columns(ground, crossed_with_arms=crossed)
    units = np.arange(world.rows.n)
    return logistic(columns, free, Target(units=units, y=world.rows.numbers["left"], weight=np.ones(len(units))))


def test_a_logistic_plane_is_near_the_truth() -> None:
    world = leaving(20_000, seed=5)
    level, shift, x, z = _slopes(world, crossed=False)
    scale = world.rows.numbers["x"].std()
    assert (shift, x / scale, z) == pytest.approx((-0.8, 1.2, 0.0), abs=0.1)
    assert level < -1.5


def test_a_logistic_plane_stays_finite_where_arms_tell_all() -> None:
    world = leaving(400, seed=6)
    split = with_numbers(world, left=(world.rows.numbers["x"] > 0).astype(np.float64))
    assert np.isfinite(_slopes(split, crossed=True)).all()


def test_twins_by_parts_are_asked_only_where_there_are_parts() -> None:
    assert asked_of(("s", "t", "x", "s_parts", "t_parts"), apart=True) == ("x", "s_parts", "t_parts")
    names = {each.name for each in _taught(trial(900), AIM)}
    assert any(name.startswith("t_") for name in names)
    assert not any("parts" in name for name in names)
    names = {each.name for each in _taught(leaving(900), NET)}
    assert any(name.startswith("t_parts") for name in names)
    assert "t_linear" not in names


def _taught(world: World, aim: Aim, learners: tuple[str, ...] | None = None) -> tuple[Candidate, ...]:
    everybody = np.arange(world.rows.n)
    return _course(world, aim, learners).taught(everybody, everybody[:0], "test").chosen.candidates


def test_what_was_shrunk_is_stretched_and_no_more() -> None:
    world = trial(4_000, seed=2)
    course = _course(world, AIM, ("s",))
    everybody = np.arange(world.rows.n)
    found = course.taught(everybody, everybody[:0], "test")
    losses = {each.name: float(each.loss or 0.0) for each in found.chosen.candidates}
    assert losses["s_boosted_stretched"] <= losses["s_boosted"] + 1e-12


def test_models_by_parts_come_back_from_disk_bit_by_bit(tmp_path: Path) -> None:
    world = leaving(1_500)
    everybody = np.ones(world.rows.n, dtype=bool)
    model, _ = effect_model(
        world.rows, NET, modifiers=("x", "z"), nuisances=world.nuisances(), eligible=everybody,
        weight=np.ones(world.rows.n), held=told(world, aim=NET), learners=("s_parts", "t_parts"),
    )  # fmt: skip
    model.write(tmp_path / "model")
    raw = {name: world.rows.numbers[name] for name in ("x", "z")}
    assert np.array_equal(EffectModel.read(tmp_path / "model").gains(raw), model.gains(raw))
    assert np.array_equal(model.gains({name: values[40:60] for name, values in raw.items()}), model.gains(raw)[40:60])


def test_a_stored_chance_is_a_chance() -> None:
    table = _ground(leaving(30)).table
    assert np.allclose(Chance(plane=constant(0.0)).of(table), 0.5)
