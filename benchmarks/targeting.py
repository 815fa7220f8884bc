"""`make targeting`: of what the best policy gains where some are harmed, how much is found; over seeds, sizes, budgets.

Each trial of the moments world is learned from as `cxcausal run` does, and fresh customers of the same world are then
assigned as `cxcausal score` does. What that gains is known: the world tells every customer's expected net value.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cxcausal.core.hashing import mixed
from cxcausal.core.held_out import Aim
from cxcausal.core.measure import Measure
from cxcausal.core.rows import Rows, Text
from cxcausal.heterogeneity.predicting import Predicting
from cxcausal.heterogeneity.turning import course_of, drawn
from cxcausal.nuisance.crossfit import Nuisances
from cxcausal.simulate.moments import MomentsWorld, net_values_given
from cxcausal.simulate.moments_effects import net_values_unseen
from cxcausal.simulate.moments_oracle import by_lot, oracle
from cxcausal.simulate.moments_people import ARMS, moments_of
from cxcausal.stats.allotting import Limits, allotted

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".cxcausal/targeting.json"
PAGE = ROOT / "docs/targeting.md"
SIZES, SEEDS = (5_000, 10_000, 20_000, 50_000), 20
BUDGETS = (0.25, 0.5, 0.75)
MODIFIERS = (
    "tenure_months",
    "tier",
    "intent",
    "touchpoint",
    "contacts_prev_90d",
    "self_service_share",
    "sentiment_before",
    "margin_prev_90d",
)
_RETAINED, _FRESH, _LATER = 240.0, 100_000, 10_000
Columns = Mapping[str, Any]
Shares = dict[str, tuple[float, ...]]
"""Share of the full budget → what was gained, what the best policy gains, what the best single arm gains by lot, and
what the best policy gains that knows the modifiers alone."""


def learned(columns: Columns) -> Predicting:
    """Return what a trial teaches of every customer's net gain."""
    rows = _rows(columns)
    shares = (1 / len(ARMS),) * len(ARMS)
    measure = Measure(
        name="net_value",
        terms=(("churned_90d", -_RETAINED), ("margin_90d", 1.0)),
        arm_constant=tuple((arm, -cost) for arm, cost in MomentsWorld.costs.items()),
    )
    course = course_of(
        rows,
        Aim(name="net_value", label="Net value", unit="EUR", measure=measure, sign=1, costs=True),
        modifiers=MODIFIERS,
        nuisances=Nuisances(rows=rows, covariates=MODIFIERS, known=shares),
        eligible=np.ones(rows.n, dtype=bool),
        weight=np.ones(rows.n),
    )
    train = drawn(course, np.ones(rows.n, dtype=bool))
    return course.predicting(course.taught(train, train[:0], "model"), MODIFIERS)


def found(n: int, seed: int) -> Shares:
    """Return what was gained in a trial, and could have been."""
    model = learned(MomentsWorld(n=n, seed=seed).draw().columns)
    fresh = MomentsWorld(n=_FRESH, seed=seed + _LATER).draw().columns
    values, cost = net_values_given(fresh), np.array([MomentsWorld.costs.get(arm, 0.0) for arm in ARMS])
    seen = net_values_unseen(moments_of(fresh))
    true, told = values - values[:, :1], model.gains({name: np.asarray(fresh[name]) for name in MODIFIERS})
    best = np.argmax(true, axis=1)
    full = float(cost[best].mean())
    keys = mixed(np.arange(_FRESH, dtype=np.uint64))
    made: Shares = {}
    for share in (*BUDGETS, None):
        budget = None if share is None else share * full
        money = None if budget is None else budget * _FRESH
        limits = Limits(cost=tuple(cost[1:]), budget=money, places=(None,) * len(cost[1:]))
        arm = allotted(told[:, 1:], limits, keys)
        gained = float(true[np.arange(_FRESH), arm].mean())
        lot = by_lot(true, cost, budget) if budget is not None else max(0.0, float(true.mean(axis=0).max()))
        most, within = (oracle(each, cost, budget=budget).gain for each in (true, seen - seen[:, :1]))
        made[str(share)] = (gained, most, lot, within)
    return made


def page(kept: Mapping[str, Shares]) -> str:
    """Return the table of what was found so far."""
    lines = [
        "# What targeting finds where some are harmed",
        "",
        "`make targeting`. Trials of the moments world ([simulated-worlds.md](simulated-worlds.md)), learned from as",
        "`cxcausal run` does; 100,000 fresh customers of the same world are assigned as `cxcausal score` does, and",
        "what that gains is known. Shares are of what the best policy would gain that knows every customer's expected",
        "net value, at the same budget: over the best single arm (by lot where the budget does not reach), and over",
        "contacting nobody. The full budget is what the best policy spends without a limit.",
        "",
        "The best policy also sees age, a protected column, and opt-outs; neither is a modifier here. The last column",
        "is what the best policy gains over nobody that knows the modifiers and the world's law, and no more: every",
        "customer's net value is averaged over age and opt-out given the other columns, exactly, by Bayes' rule.",
        "",
        "| customers | budget | seeds | over the best single arm, mean (least) | over nobody, mean (least) | ceiling |",
        "|---|---|---|---|---|---|",
    ]
    for n in SIZES:
        draws = [each for name, each in kept.items() if name.startswith(f"{n}/")]
        for share in (*map(str, BUDGETS), "None") if draws else ():
            made = np.array([each[share] for each in draws])
            beyond = (made[:, 0] - made[:, 2]) / (made[:, 1] - made[:, 2])
            whole, ceiling = made[:, 0] / made[:, 1], made[:, 3] / made[:, 1]
            told = "no limit" if share == "None" else f"{float(share):.0%} of the full one"
            lines.append(
                f"| {n:,} | {told} | {len(draws)} | {beyond.mean():.1%} ({beyond.min():.1%})"
                f" | {whole.mean():.1%} ({whole.min():.1%}) | {ceiling.mean():.1%} |"
            )
    return "\n".join([*lines, ""])


def main() -> int:
    """Learn from the trials that are missing, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.targeting", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    for seed in range(1, options.seeds + 1):
        for n in SIZES:
            if f"{n}/{seed}" not in kept:
                kept[f"{n}/{seed}"] = found(n, seed)
                KEPT.write_text(json.dumps(kept))
        sys.stdout.write(f"seed {seed}\n")
        sys.stdout.flush()
        PAGE.write_text(page(kept), encoding="utf-8")
    return 0


def _rows(columns: Columns) -> Rows:
    places = np.argsort(ARMS)[np.searchsorted(np.sort(ARMS), columns["arm"])].astype(np.int8)
    numbers = {name: np.asarray(columns[name], dtype=np.float64) for name in ("churned_90d", "margin_90d")}
    texts = {}
    for name in MODIFIERS:
        values = np.asarray(columns[name])
        if values.dtype.kind in "fiub":
            numbers[name] = values.astype(np.float64)
        else:
            levels, codes = np.unique(values.astype(str), return_inverse=True)
            texts[name] = Text(codes=codes.astype(np.int32), levels=tuple(levels.tolist()))
    key = mixed(np.arange(len(places), dtype=np.uint64))
    return Rows(arms=ARMS, arm=places, key=key, numbers=numbers, texts=texts, clusters={})


if __name__ == "__main__":
    sys.exit(main())
