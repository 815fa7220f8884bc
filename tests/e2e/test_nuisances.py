"""Learned nuisances through the command line: the same bits whatever does not matter, and learned only once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.nuisance import crossfit
from cxcausal.tracking.nuisance_store import nuisances_folder
from tests.e2e.project import Project

FAST = {"folds": 2, "repeats": 1, "nuisance": {"outcome": "lightgbm", "propensity": "lightgbm"}}
SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
OBSERVED = {
    "type": "observational",
    "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "call": {}}},
    "confounders": ["tenure", "tier", "trouble"],
}
LEARN_MORE = ("overlap", "balance", "specification", "refutation", "sensitivity", "agreement", "leakage", "time_zero")
"""Checks, some of which learn other models than the effects'."""
WITHOUT = {name: {"on_breach": "skip"} for name in LEARN_MORE}


def customers(n: int, *, seed: int = 3, toss: bool = False) -> pd.DataFrame:
    """Return customers, those in trouble called more often unless a coin is tossed; a call adds 1 to spend."""
    draw = np.random.default_rng(seed)
    trouble, tenure = draw.normal(size=n), draw.gamma(2.0, 12.0, n)
    chance = np.full(n, 0.5) if toss else 1 / (1 + np.exp(-0.8 * trouble))
    called = draw.random(n) < chance
    return pd.DataFrame(
        {
            "customer_id": [f"c{place:06d}" for place in range(n)],
            "arm": np.where(called, "call", "none"),
            "trouble": trouble.round(6),
            "tenure": np.where(draw.random(n) < 0.1, np.nan, tenure.round(6)),
            "tier": draw.choice(["gold", "plus", ""], n),
            "spend": (10 + called - 2 * trouble + draw.normal(size=n)).round(6),
            "churned": (draw.random(n) < 0.3 + 0.1 * (trouble > 0)).astype(int),
        }
    )


def plan(project: Project, **changes: Any) -> str:
    parts = {"design": OBSERVED, "estimation": FAST, "metrics": {"success": [SPEND]}, "segments": ["tier"], **changes}
    return project.plan(**parts)


def effects(told: Any, metric: str = "spend") -> list[Any]:
    """Return everything that is told of a metric's effects, but where it stands among others."""
    apart = {"p_adjusted", "low", "high", "level", "key"}
    return [{k: v for k, v in row.items() if k not in apart} for row in told["effects"] if row["metric"] == metric]


def run_apart(project: Project, path: str, **environment: str) -> Any:
    """Run in a process of its own, so that hashes and threads are those of its environment."""
    words = [sys.executable, "-m", "cxcausal", "run", path, "--json", "--quiet"]
    root = Path(__file__).resolve().parents[2]
    surroundings = {**os.environ, "PYTHONPATH": str(root), **environment}
    done = subprocess.run(words, cwd=project.root, env=surroundings, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_rows_hashes_threads_and_metrics_change_no_bit(project: Project) -> None:
    frame = customers(21_000)
    project.data(frame)
    one = run_apart(project, plan(project, checks=WITHOUT), PYTHONHASHSEED="1", CXCAUSAL_THREADS="1")
    assert nuisances_folder(project.root).is_dir()
    for path in nuisances_folder(project.root).iterdir():
        path.unlink()
    project.data(frame.sample(frac=1.0, random_state=5))
    more = {"success": [CHURN, SPEND]}
    again = plan(project, metrics=more, checks=WITHOUT)
    two = run_apart(project, again, PYTHONHASHSEED="2", CXCAUSAL_THREADS="4")
    assert effects(one)
    assert effects(one) == effects(two)


def test_a_second_run_learns_only_what_is_new(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    named = crossfit.learner_named

    def counted(name: str) -> object:
        asked.append(name)
        return named(name)

    monkeypatch.setattr(crossfit, "learner_named", counted)
    project.data(customers(600))
    first = project.cx("run", plan(project, checks=WITHOUT), "--json").json
    assert len(asked) == 3
    again = project.cx("run", plan(project, checks=WITHOUT, analysis={"alpha": 0.1}), "--json").json
    assert len(asked) == 3
    assert effects(first) == effects(again)
    more = {"success": [SPEND], "secondary": [CHURN]}
    project.cx("run", plan(project, checks=WITHOUT, metrics=more), "--json")
    assert len(asked) == 5


def test_who_is_erased_is_in_nothing_that_was_learned(project: Project) -> None:
    project.data(customers(300))
    assert project.cx("run", plan(project, checks=WITHOUT), "--json").code == 0
    assert list(nuisances_folder(project.root).iterdir())
    ids = project.write("forget.txt", "c000001\n")
    assert project.cx("erase", "--ids", str(ids), "--reason", "asked to", "--as", "privacy@example.com").code == 0
    assert not nuisances_folder(project.root).exists()


def test_a_coin_is_known_and_adjustment_narrows(project: Project) -> None:
    project.data(customers(4_000, toss=True))
    covariates = ["tenure", "tier", "trouble"]
    design = {
        "type": "randomized",
        "treatment": {"column": "arm", "control": "none", "arms": {"none": {"share": "1/2"}, "call": {"share": "1/2"}}},
    }
    estimation = {**FAST, "method": "aipw"}
    told = project.cx("run", plan(project, design=design, covariates=covariates, estimation=estimation), "--json").json
    plain = project.cx("run", plan(project, design=design, estimation={"method": "default"}), "--json").json
    assert told["errors"] == []

    def row(result: Any) -> Any:
        found = [one for one in effects(result) if one["headline"] and one["scale"] == "absolute"]
        return next(one for one in found if one["population"] == "all")

    adjusted, unadjusted = row(told), row(plain)
    assert adjusted["estimand"] == "itt"
    assert adjusted["method"] == "aipw"
    assert adjusted["adjustment"] == "covariates"
    assert adjusted["se"] < 0.6 * unadjusted["se"]
    assert abs(adjusted["point"] - 1) < 4 * adjusted["se"]
    assert any("learner is not used" in note for note in told["notes"])
    learned = told["scores"]["nuisances"]
    assert {(one["role"], one["arm"]) for one in learned} == {("outcome", "none"), ("outcome", "call")}
    assert (told["scores"]["overlap"], told["scores"]["balance"]) == (None, [])
    assert "What was learned, and how well" in (project.root / told["report"]).read_text(encoding="utf-8")
    assert plain["scores"] is None


def test_an_unknown_learner_is_refused_with_the_nearest(project: Project) -> None:
    project.data(customers(100))
    path = plan(project, estimation={"nuisance": {"outcome": "lihgtgbm"}})
    done = project.cx("validate", path)
    assert done.code == 3
    assert "P392" in done.out + done.err
    assert "did you mean 'lightgbm'?" in done.out + done.err


def test_the_learner_that_will_be_used_is_told(project: Project) -> None:
    done = project.cx("explain", plan(project, estimation={}))
    assert "learned by `stacked`" in done.out
    assert "learned by `stacked`" not in project.cx("explain", plan(project)).out


def test_more_than_memory_is_refused_before_rows_are_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.data(customers(300))
    monkeypatch.setenv("CXCAUSAL_MEMORY_LIMIT", "200MB")
    done = project.cx("run", plan(project))
    assert done.code == 6
    assert "E630" in done.err
    assert "data.filter" in done.err
