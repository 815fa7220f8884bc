"""A small effect model and policy with the names of the real ones, and a recorded run that holds them."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from cxcausal.core.hashing import Keys
from cxcausal.core.model_facts import ModelFacts
from cxcausal.core.results import RunResult
from cxcausal.core.rows import Floats, Text
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.whom import Told
from cxcausal.stats.drift import baseline_of_number, baseline_of_text
from cxcausal.tracking.model_folder import MODEL, save_model
from cxcausal.tracking.tracker import Recorded, Tracker
from tests.e2e.project import PLAN, Project

ARMS = ("none", "gig", "agent")
TIERS = ("basic", "gold", "plus")


@dataclass(frozen=True, kw_only=True)
class Modifier:
    name: str
    kind: str
    levels: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True, kw_only=True)
class Effects:
    """Gains that are a formula of two modifiers, with coefficients that are read from the disk."""

    slope: Floats
    modifiers: tuple[Modifier, ...] = (
        Modifier(name="tenure", kind="number"),
        Modifier(name="tier", kind="text", levels=TIERS[1:], base=TIERS[0]),
    )

    def gains(self, columns: Mapping[str, npt.NDArray[Any]]) -> Floats:
        tenure = np.nan_to_num(columns["tenure"], nan=20.0)
        gold = np.array([value == "gold" for value in columns["tier"]], dtype=np.float64)
        gig = self.slope[0] * (tenure - 20.0) + gold
        agent = self.slope[1] * (tenure - 20.0) + 3.0 * gold
        return np.stack([np.zeros(len(tenure)), gig, agent], axis=1)

    def intervals(self, gains: Floats, level: float) -> tuple[Floats, Floats]:
        half = 0.5 * level
        return gains - half, gains + half

    def write(self, folder: Path) -> None:
        np.savez(folder / "slope.npz", allow_pickle=False, slope=self.slope)

    @classmethod
    def read(cls, folder: Path) -> "Effects":
        with np.load(folder / "slope.npz", allow_pickle=False) as file:
            return cls(slope=file["slope"])


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Gives the arm with the largest gain above a price, or one arm to a tier."""

    price: float
    gold: int | None = None

    def assign(
        self, gains: Floats, keys: Keys | None = None, columns: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> npt.NDArray[np.intp]:
        assert keys is None or len(keys) == len(gains)
        if self.gold is not None:
            assert columns is not None
            return np.where(columns["tier"] == "gold", self.gold, 0).astype(np.intp)
        return np.asarray((gains - np.array([0.0, self.price, self.price])).argmax(axis=1))

    def to_dict(self) -> dict[str, Any]:
        return {"price": self.price, "gold": self.gold}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Rule":
        return cls(**content)


EFFECTS = Effects(slope=np.array([0.125, -0.1]))
RULE = Rule(price=0.0)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the parts of a model be read by these classes."""
    effects, rule = ModuleType("effect_model"), ModuleType("rule")
    vars(effects)["EffectModel"], vars(rule)["PolicyModel"] = Effects, Rule
    monkeypatch.setitem(sys.modules, "cxcausal.heterogeneity.effect_model", effects)
    monkeypatch.setitem(sys.modules, "cxcausal.policy.rule", rule)


def people(n: int = 2_000, seed: int = 1) -> pd.DataFrame:
    """Return customers whom nobody has treated."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": [f"C{number:06d}" for number in rng.permutation(n)],
            "tenure": rng.integers(0, 41, n).astype(float),
            "tier": rng.choice(TIERS, n, p=[0.6, 0.1, 0.3]),
            "opted_out": (rng.random(n) < 0.1).astype(int),
        }
    )


PEOPLE = people(3_000, 7).query("tenure <= 36")
BASELINES = (
    baseline_of_number("tenure", PEOPLE["tenure"].to_numpy()),
    baseline_of_text("tier", Text(codes=pd.Categorical(PEOPLE["tier"], list(TIERS)).codes, levels=TIERS)),
)
FACTS = ModelFacts(
    experiment="callback",
    run_id="",
    plan_hash="",
    created_at="2026-10-02T09:00:00+00:00",
    question="Whom does a call keep?",
    owner="retention@example.com",
    verdict="ship",
    grade="A",
    aim="net_value",
    label="net value",
    unit="EUR",
    money=True,
    arms=ARMS,
    cost=(0.0, 4.0, 9.0),
    rule="value",
    recommended="value",
    targeting=True,
    priced=True,
    eligible="opted_out == 0",
    average={"gig": Told(point=0.4, low=0.1, high=0.7), "agent": Told(point=0.2, low=-0.1, high=0.5)},
    baselines=BASELINES,
    protected=("tier",),
    learned=3_000,
    metrics={"value/gain": 0.9, "value/gain_low": 0.5, "value/gain_high": 1.3},
    versions={"cxcausal": "0.1.0"},
)
POLICY_PLAN: dict[str, Any] = {
    **PLAN,
    "data": {**PLAN["data"], "source": "data/callback.parquet", "filter": "tenure <= 36 and churned >= 0"},
    "design": {
        "type": "randomized",
        "treatment": {
            "column": "arm",
            "control": "none",
            "arms": {
                "none": {"share": "1/2"},
                "gig": {"share": "1/4", "unit_cost": 4},
                "agent": {"share": "1/4", "unit_cost": 9},
            },
        },
    },
}


NOBODY = "http://127.0.0.1:9"
"""Where no tracking server listens: most tests need none, and a run is recorded all the same."""


def recorded(project: Project, make_result: Callable[..., RunResult], **changes: Any) -> Recorded:
    """Record a run of the plan with a model in it; `uri` is the tracking server's."""
    rule = changes.pop("policy", RULE)
    plan = {**POLICY_PLAN, "data": {**POLICY_PLAN["data"], **changes.pop("data", {})}}
    project.write("experiments/callback.yaml", json.dumps(plan))
    resolved = load_experiment(project.root / "experiments/callback.yaml", root=project.root)
    tracker = Tracker(project.root, changes.pop("uri", NOBODY), actor="analyst@example.com")
    with tracker.open("callback") as store:
        told = {"verdict": changes.get("verdict", "ship"), "grade": changes.get("grade", "A")}
        result = make_result(
            store.run_id, experiment="callback", plan=resolved.plan, plan_hash=resolved.plan_hash, **told
        )
        facts = replace(FACTS, run_id=store.run_id, plan_hash=resolved.plan_hash, **changes)
        save_model(store.directory / MODEL, EFFECTS, rule, facts)
        return tracker.record(store, result, b"<!doctype html><title>callback</title>")


def without_model(project: Project, make_result: Callable[..., RunResult]) -> str:
    """Record a run of the plan that leaves no model, and return its id."""
    resolved = load_experiment(project.root / "experiments/callback.yaml", root=project.root)
    tracker = Tracker(project.root, NOBODY, actor="analyst@example.com")
    with tracker.open("callback") as store:
        result = make_result(store.run_id, experiment="callback", plan=resolved.plan, plan_hash=resolved.plan_hash)
        return tracker.record(store, result, b"<!doctype html><title>callback</title>").run_id
