"""Projects with many recorded runs, made quickly: the rules decide on drawn effects, and the tracker records."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cxcausal.core.plan_hash import hash_of
from cxcausal.core.results import CheckResult, DataFacts, Estimate, RunResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.resolve import meaning_of
from cxcausal.decision.verdict import decide
from cxcausal.tracking import acts
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.registration import register, registration_of
from cxcausal.tracking.rendering import render_again
from cxcausal.tracking.tracker import Recorded, Tracker
from tests.e2e.project import PLAN

ANN = Actor(name="ann@example.com", source="argument")
BEA = Actor(name="bea@example.com", source="argument")
CEM = Actor(name="cem@example.com", source="argument")
EXPERIMENTS = ("callback", "winback")


def spec_of(experiment: str) -> ExperimentSpec:
    """Return a small plan."""
    plan: dict[str, Any] = {**PLAN, "id": experiment, "approvers": ["bea@example.com", "ann@example.com"]}
    return ExperimentSpec.model_validate(plan)


def drawn(root: Path, run_id: str, experiment: str, draw: random.Random) -> RunResult:
    """Return a result with drawn effects, decided by the rules and registered as the ledger says."""
    spec = spec_of(experiment)
    plan = meaning_of(spec)
    registration = registration_of(root, experiment, hash_of(plan), plan)
    effects = _effects(draw)
    checks = (CheckResult(name="srm", verdict="pass", on_breach="fail", p=0.4, text="As planned."),)
    decision = decide(spec, effects, checks, None, registered=registration.registered, design_grade="A")
    return RunResult(
        run_id=run_id,
        experiment=experiment,
        verdict=decision.verdict,
        recommended_arm=decision.recommended_arm,
        arms=decision.arms,
        grade=decision.grade,
        capped_by=decision.capped_by,
        registered=registration.registered,
        registration=registration.sentence,
        effects=effects,
        checks=checks,
        data=_data(draw),
        plan=plan,
        plan_hash=hash_of(plan),
        created_at="2026-10-02T09:00:00+00:00",
        versions={"cxcausal": version("cxcausal")},
    )


def _effects(draw: random.Random) -> tuple[Estimate, ...]:
    point = draw.uniform(-0.05, 0.02)
    row = Estimate(
        metric="churn",
        role="success",
        arm="call",
        control="none",
        estimand="itt",
        method="difference_in_means",
        point=point,
        low=point - 0.01,
        high=point + 0.01,
        level=0.95,
        p=draw.random(),
        headline=True,
    )
    return (row, replace(row, scale="relative"), replace(row, population="region=north", headline=False))


def _data(draw: random.Random) -> DataFacts:
    half = draw.randrange(1_000, 9_000)
    counts = {"none": half, "call": half}
    return DataFacts(
        inputs=(("data/callback.csv", draw.randbytes(32).hex()),),
        fingerprint=draw.randbytes(32).hex(),
        data_cut=datetime.now(UTC).date().isoformat(),  # after the registration
        rows=2 * half,
        filtered_out=0,
        enrolled=2 * half,
        immature=0,
        analysed=2 * half,
        randomization_units=2 * half,
        enrolled_by_arm=counts,
        immature_by_arm={"none": 0, "call": 0},
        analysed_by_arm=counts,
    )


def recorded(root: Path, experiment: str, draw: random.Random, *, uri: str | None = None) -> Recorded:
    """Record one run with a small page."""
    tracker = Tracker(root, actor=ANN.name) if uri is None else Tracker(root, uri, actor=ANN.name)
    with tracker.open(experiment) as store:
        store.save("flow", {"rows": draw.randrange(100)})
        result = drawn(root, store.run_id, experiment, draw)
        return tracker.record(store, result, f"<!doctype html><title>{store.run_id}</title>".encode())


def filled(root: Path, runs: int, *, seed: int = 1, experiments: Sequence[str] = EXPERIMENTS) -> tuple[Recorded, ...]:
    """Register the experiments and record runs of them, in turn."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    for experiment in experiments:
        plan = meaning_of(spec_of(experiment))
        register(root, experiment, hash_of(plan), plan, actor=ANN)
    done = tuple(recorded(root, experiments[number % len(experiments)], draw) for number in range(runs))
    signed(root, done[0].run_id)
    return done


def signed(root: Path, run_id: str) -> None:
    """Approve a run, decide upon it, and print its page again."""
    acts.approve(root, run_id, BEA)
    acts.decide(root, run_id, "hold", "no room in the call centre", CEM)
    render_again(root, run_id, CEM, lambda result, head: f"<title>{result.run_id} {result.record} {head}</title>")
