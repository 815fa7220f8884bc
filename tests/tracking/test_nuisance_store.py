"""Learned nuisances between runs: bit for bit, private, limited, and absent where anything is wrong with a file."""

import stat
from pathlib import Path

import numpy as np
import pytest

from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.tracking.nuisance_store import NuisanceStore, nuisances_folder, remove_nuisances
from tests.nuisance.units import Units, drawn


def learned(units: Units, root: Path, learner: str = "stacked") -> Nuisances:
    recipe = Recipe(outcome=learner, propensity=learner, folds=2, repeats=2)
    store = NuisanceStore(root=root)
    return Nuisances(rows=units.rows, covariates=units.covariates, recipe=recipe, store=store)


def means(made: Nuisances) -> bytes:
    y = made.rows.numbers["y"]
    found = made.outcome("y", y, np.ones(len(y), dtype=bool))
    return found.mean.tobytes() + made.propensity.shares.tobytes() + repr((found.facts, made.propensity.facts)).encode()


def refusing(name: str) -> object:
    raise AssertionError(name)


def test_a_second_run_learns_nothing_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = means(learned(drawn(200), tmp_path))
    monkeypatch.setattr("cxcausal.nuisance.crossfit.learner_named", refusing)
    assert means(learned(drawn(200), tmp_path)) == fresh


@pytest.mark.parametrize("change", ["rows", "learner", "code"])
def test_whatever_changes_is_learned_anew(tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    means(learned(drawn(200), tmp_path, "linear"))
    if change == "code":
        monkeypatch.setattr("cxcausal.nuisance.keeping._makers", lambda: ("other",))
    monkeypatch.setattr("cxcausal.nuisance.crossfit.learner_named", refusing)
    units = drawn(200, seed=2) if change == "rows" else drawn(200)
    with pytest.raises(AssertionError):
        means(learned(units, tmp_path, "logistic" if change == "learner" else "linear"))


def test_files_are_private_and_name_nobody(tmp_path: Path) -> None:
    means(learned(drawn(100), tmp_path, "linear"))
    folder = nuisances_folder(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    remove_nuisances(tmp_path)
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "pickled", "shape", "empty"])
def test_damaged_and_foreign_files_count_as_absent(tmp_path: Path, damage: str) -> None:
    fresh = means(learned(drawn(200), tmp_path, "linear"))
    for path in nuisances_folder(tmp_path).iterdir():
        content = path.read_bytes()
        if damage == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif damage == "flipped":
            at = len(content) // 3
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        elif damage == "foreign":
            other = next(one for one in nuisances_folder(tmp_path).iterdir() if one != path)
            path.write_bytes(other.read_bytes())
        elif damage == "pickled":
            np.savez(path, key=np.array([{"a": 1}], dtype=object))
        elif damage == "shape":
            key = np.frombuffer(path.stem.encode(), dtype=np.uint8)
            np.savez(path, key=key, mean=np.zeros(3), facts=np.zeros(2, dtype=np.uint8))
        else:
            path.write_bytes(b"")
    assert means(learned(drawn(200), tmp_path, "linear")) == fresh


def test_the_oldest_files_go_beyond_the_limit(tmp_path: Path) -> None:
    store = NuisanceStore(root=tmp_path, most=5_000)
    arrays = {"mean": np.arange(250.0)}
    for place in range(4):
        store.save(f"k{place}", arrays)
    assert store.load("k0") is None
    assert store.load("k3") is not None
    store.save("large", {"mean": np.zeros(10_000)})
    assert store.load("large") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".cxcausal").write_text("a file where a folder should be", encoding="utf-8")
    store = NuisanceStore(root=tmp_path)
    store.save("key", {"mean": np.zeros(2)})
    assert store.load("key") is None
