"""The model of who gains how much: it is near the truth, asks row by row, and comes back from disk bit by bit."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from cxcausal.core.errors import DataError
from cxcausal.core.rows import Floats
from cxcausal.heterogeneity.effect_model import EffectModel, effect_model
from cxcausal.heterogeneity.encoding import encoding_of
from cxcausal.heterogeneity.fences import fenced
from cxcausal.nuisance.features import features_of
from tests.heterogeneity.worlds import AIM, World, told, trial, with_numbers
from tests.nuisance.units import text_of

Raw = dict[str, npt.NDArray[np.generic]]
LEARNERS = ("s", "t", "x", "dr")
MODIFIERS = ("x", "z", "tier")


def tiered(n: int, *, seed: int = 4, arms: int = 2) -> tuple[World, Raw]:
    """Return a trial with gaps in z and a text, and its modifiers as they would come from a file."""
    world, rng = trial(n, seed=seed, arms=arms), np.random.default_rng(seed)
    z = world.rows.numbers["z"].copy()
    z[rng.random(n) < 0.1] = np.nan
    tier = np.where(rng.random(n) < 0.05, "", rng.choice(["gold", "plus", "basic", "plain"], n, p=[0.2, 0.2, 0.2, 0.4]))
    y = world.rows.numbers["y"] + (world.rows.arm == 1) * (tier == "gold") * 1.5
    rows = replace(world.rows, numbers={**world.rows.numbers, "z": z, "y": y}, texts={"tier": text_of(tier)})
    gains = world.gains.copy()
    gains[:, 1] += 1.5 * (tier == "gold")
    raw: Raw = {"x": rows.numbers["x"], "z": z, "tier": np.array([each or None for each in tier.tolist()])}
    return replace(world, rows=rows, gains=gains, covariates=MODIFIERS), raw


def modelled(
    world: World, *, learners: tuple[str, ...] = LEARNERS, modifiers: tuple[str, ...] = MODIFIERS
) -> EffectModel:
    held = told(world, learners=("t",), modifiers=modifiers)
    everybody = np.ones(world.rows.n, dtype=bool)
    model, candidates = effect_model(
        world.rows, AIM, modifiers=modifiers, nuisances=world.nuisances(), eligible=everybody,
        weight=np.ones(world.rows.n), held=held, learners=learners,
    )  # fmt: skip
    assert candidates[0].name == "constant"
    assert sum(candidate.weight for candidate in candidates) == pytest.approx(1.0)
    return model


@pytest.fixture(scope="module")
def learned() -> tuple[EffectModel, World, Raw]:
    world, raw = tiered(3_000)
    return modelled(world), world, raw


def test_gains_are_near_the_truth(learned: tuple[EffectModel, World, Raw]) -> None:
    model, world, raw = learned
    gains = model.gains(raw)
    off = gains[:, 1] - world.gains[:, 1]
    assert (gains[:, 0] == 0).all()
    assert np.mean(off**2) < 0.15 * np.var(world.gains[:, 1])


def test_a_rows_gain_depends_on_no_other_row(learned: tuple[EffectModel, World, Raw]) -> None:
    model, world, raw = learned
    whole = model.gains(raw)
    for some in (np.array([17]), np.arange(5, 400, 3), np.arange(world.rows.n)[::-1]):
        assert np.array_equal(model.gains({name: values[some] for name, values in raw.items()}), whole[some])


def test_the_model_comes_back_from_disk_bit_by_bit(learned: tuple[EffectModel, World, Raw], tmp_path: Path) -> None:
    model, _, raw = learned
    model.write(tmp_path / "model")
    again = EffectModel.read(tmp_path / "model")
    assert again.modifiers == model.modifiers
    assert (again.arms, again.sign, again.aim, again.learned) == (model.arms, model.sign, model.aim, model.learned)
    gains = model.gains(raw)
    assert np.array_equal(again.gains(raw), gains)
    for one, two in zip(model.intervals(gains), again.intervals(gains), strict=True):
        assert np.array_equal(one, two)


def test_the_files_hold_no_pickle_and_are_the_same_each_time(
    learned: tuple[EffectModel, World, Raw], tmp_path: Path
) -> None:
    model, _, _ = learned
    for name in ("one", "two"):
        model.write(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {path.rsplit(".", 1)[1] for path in files} <= {"json", "npz", "txt"}
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / "effects.npz") as opened:
        assert all(b"'O'" not in opened.read(name)[:128] for name in opened.namelist())


def test_the_files_tell_no_customers_value(tmp_path: Path) -> None:
    """The lowest and the highest number are somebody's, and so is a text that few have."""
    world, raw = tiered(2_000)
    x, tier = world.rows.numbers["x"].copy(), raw["tier"].copy()
    x[:2], tier[:9] = (-5.4375, 5.8125), "of nine"
    y = world.rows.numbers["y"] + 3 * (world.rows.arm == 1) * (np.abs(x) < 0.7)  # what trees follow best
    rows = replace(world.rows, numbers={**world.rows.numbers, "x": x, "y": y},
                   texts={"tier": text_of(np.array([each or "" for each in tier.tolist()]))})  # fmt: skip
    model = modelled(replace(world, rows=rows))
    model.write(tmp_path)
    names = [path.name for path in tmp_path.iterdir()]
    assert any(name.startswith("trees_") for name in names)
    for name in names:
        written = (tmp_path / name).read_bytes()
        assert not [told for told in (b"5.4375", b"5.8125", b"of nine") if told in written]
    assert all(len(modifier.quantiles) == 9 for modifier in model.modifiers if modifier.kind == "number")


def test_the_most_frequent_of_rare_texts_is_not_named() -> None:
    world, _ = tiered(2_000)
    homes = text_of(np.array([f"home {place // 15}" for place in range(2_000)]))
    rows = replace(world.rows, texts={"home": homes}, numbers={"x": world.rows.numbers["x"][:]})
    (modifier,) = encoding_of(rows, ("home",), features_of(rows, ("home",))).modifiers
    assert (modifier.levels, modifier.base) == ((), "")


@pytest.mark.parametrize("learner", ["s", "t", "x", "dr", "r", "causal_forest", "constant"])
def test_every_learner_alone_can_be_written(learner: str, tmp_path: Path) -> None:
    world, raw = tiered(900, arms=3)
    model = modelled(world, learners=(learner,))
    model.write(tmp_path)
    assert np.array_equal(EffectModel.read(tmp_path).gains(raw), model.gains(raw))


def test_raw_columns_become_the_very_columns_that_were_learned_from() -> None:
    world, raw = tiered(800)
    features = fenced(features_of(world.rows, MODIFIERS))
    table = encoding_of(world.rows, MODIFIERS, features).table(raw)
    assert np.array_equal(table.matrix, features.matrix, equal_nan=True)
    assert np.array_equal(table.filled, features.filled)


def test_one_wild_value_moves_nobody_elses_prediction_or_interval() -> None:
    world = trial(1_500, seed=3)
    x = world.rows.numbers["x"].copy()
    x[0] = 1e9
    raw: Raw = {name: world.rows.numbers[name][1:] for name in ("x", "z")}
    both = [modelled(each, learners=("t", "dr"), modifiers=("x", "z")) for each in (world, with_numbers(world, x=x))]
    plain, wild = (model.gains(raw) for model in both)
    # Unfenced, the mean squared difference is above 40,000.
    assert np.mean((plain - wild) ** 2) < 0.03
    widths = [
        np.median(np.subtract(*model.intervals(gains)[::-1])[:, 1])
        for model, gains in zip(both, (plain, wild), strict=True)
    ]
    assert widths[1] < 1.2 * widths[0]
    far: Raw = {"x": np.array([1e9, 1e12]), "z": np.zeros(2)}
    assert np.ptp(both[0].gains(far)[:, 1]) == 0
    assert np.abs(both[0].gains(far)).max() < 20


def test_an_unknown_level_counts_as_the_most_frequent(learned: tuple[EffectModel, World, Raw]) -> None:
    model, _, raw = learned
    tier = next(modifier for modifier in model.modifiers if modifier.name == "tier")
    assert tier.base == "plain"
    assert set(tier.levels) == {"gold", "plus", "basic", ""}
    some = {name: values[:50] for name, values in raw.items()}
    known = model.gains({**some, "tier": np.full(50, "plain", dtype=object)})
    assert np.array_equal(model.gains({**some, "tier": np.full(50, "never seen", dtype=object)}), known)


def test_what_is_missing_or_no_number_is_refused(learned: tuple[EffectModel, World, Raw]) -> None:
    model, _, raw = learned
    with pytest.raises(DataError, match="column z D621 a modifier is not there"):
        model.gains({name: values for name, values in raw.items() if name != "z"})
    with pytest.raises(DataError, match="column x D621 a modifier does not hold numbers"):
        model.gains({**raw, "x": raw["tier"]})


def test_a_folder_without_a_model_or_with_another_version_is_refused(
    learned: tuple[EffectModel, World, Raw], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="D622"):
        EffectModel.read(tmp_path)
    learned[0].write(tmp_path)
    facts = json.loads((tmp_path / "effects.json").read_text())
    (tmp_path / "effects.json").write_text(json.dumps({**facts, "version": 99}))
    with pytest.raises(DataError, match="D623"):
        EffectModel.read(tmp_path)


def _covered(model: EffectModel, raw: Raw, gains: Floats) -> float:
    """Return how often the interval of a fifth's mean prediction holds the fifth's mean gain."""
    told = model.gains(raw)
    low, high = model.intervals(told)
    order = np.argsort(told[:, 1])
    fifths = np.array_split(order, 5)
    return float(np.mean([low[of, 1].mean() <= gains[of, 1].mean() <= high[of, 1].mean() for of in fifths]))


def test_intervals_hold_the_mean_gain_of_customers_predicted_alike() -> None:
    shares = []
    for seed in range(10):
        world = trial(1_200, seed=seed)
        model = modelled(world, learners=("t",), modifiers=("x", "z"))
        shares.append(_covered(model, {name: world.rows.numbers[name] for name in ("x", "z")}, world.gains))
    assert np.mean(shares) > 0.85
    gains = np.zeros((1, 2))
    low, high = model.intervals(gains, 0.5)
    wide = model.intervals(gains, 0.99)
    assert wide[0][0, 1] < low[0, 1] <= 0 <= high[0, 1] < wide[1][0, 1]


def test_costs_of_arms_are_told_with_the_gains() -> None:
    world = trial(900)
    priced = replace(AIM, measure=replace(AIM.measure, arm_constant=(("call", -2.0),)))
    raw = {name: world.rows.numbers[name] for name in ("x", "z")}
    found = []
    for aim in (AIM, priced):
        held = told(world, learners=(), aim=aim)
        model, _ = effect_model(
            world.rows, aim, modifiers=("x", "z"), nuisances=world.nuisances(), eligible=np.ones(900, dtype=bool),
            weight=np.ones(900), held=held, learners=("t",),
        )  # fmt: skip
        found.append(model.gains(raw))
    assert np.allclose(found[0][:, 1] - 2.0, found[1][:, 1])
