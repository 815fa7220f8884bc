"""Bars on rules for whom to contact: intervals that cover, no gains where there are none, and gains where there are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from cxcausal.core.held_out import HeldOut, Side, Spending
from cxcausal.core.rows import Floats
from cxcausal.core.whom import PolicyWorth
from cxcausal.policy.best_arm import affordable
from cxcausal.policy.prices import prices_of
from cxcausal.policy.seen import Seen, Setting, with_lots
from cxcausal.policy.valuing import Valued, policies_of, recommended, sides_of, valued, worth_of
from cxcausal.policy.worth import Judging
from tests.validation.engine import Row, rng_of
from tests.validation.policy_worlds import (
    HARMED,
    HARMED_HOMES,
    MODIFIERS,
    NULLS,
    YES_OR_NO,
    Drawn,
    drawn,
    elsewhere_of,
    held_out,
    naive_held_out,
    spending,
)

COVERED = 0.93
MOST_CLAIMS, NAIVE_CLAIMS = 0.05, 0.2
OF_BEST_ARM, OF_NOBODY = 0.5, 0.85
UNITS, ELSEWHERE, MANY = 1_500, 8_000, 50_000
BUDGETS = (0.25, 0.5, 0.75, 1.0)
_SIGMAS = 4
_LEARNED = ("best_arm", "top_risk", "value", "limited", "tree")
_LIMITS = (("agent", 0.25),)


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What was told of one draw, and the gains of every rule for customers elsewhere, the mean over turns."""

    worths: dict[str, PolicyWorth]
    truth: dict[str, float]
    targeting: bool
    followed: str


def found_of(
    draw: Drawn, held: HeldOut, costs: Spending, elsewhere: tuple[Side, ...] = (), left_out: tuple[int, ...] = ()
) -> Found:
    """Return what every rule is told to be worth, and what it is worth."""
    setting = Setting.of(held, costs, replace(draw.rules, left_out=left_out), MODIFIERS, seed=1)
    sides = sides_of(held, setting)
    judging = Judging.of(held.rows, held.weight, [turn.judged.side.units for turn in sides])
    rules = tuple(valued(policy, sides) for policy in policies_of(setting, {}))
    worths = worth_of(rules, judging, setting, 0.05)
    sizes = [turn.judged.m for turn in sides]
    seen = [setting.seen(side) for side in elsewhere]
    truth = {rule.policy.name: _truth(rule, seen, draw, sizes) for rule in rules if elsewhere}
    followed, targeting = recommended(worths, 0.05, [held.arms[place] for place in left_out])
    return Found(worths={each.name: each for each in worths}, truth=truth, targeting=targeting, followed=followed)


def _truth(rule: Valued, elsewhere: list[Seen], draw: Drawn, sizes: list[int]) -> float:
    gains = draw.gains[elsewhere[0].side.units]
    means = [float(np.mean(np.sum(chooser.shares(seen) * gains, axis=1)))
             for chooser, seen in zip(rule.choosers, elsewhere, strict=True)]  # fmt: skip
    return float(np.average(means, weights=sizes))


def v17(reps: int | None = None) -> Iterator[Row]:
    """Cover the mean over turns of the values of the rules that the turns learned, and of their differences."""
    asked = 2_000
    runs = reps or asked
    least = COVERED - (_SIGMAS * sqrt(0.95 * 0.05 / runs) if runs < asked else 0.0)
    for world, limits in ((HARMED, True), (HARMED, False), (HARMED_HOMES, False), (YES_OR_NO, False)):
        setting = f"{world.name}{', budget and capacity' if limits else ''}"
        rng = rng_of("V17", setting)
        costs = spending(world, 0.2, _LIMITS) if limits else spending(world)
        held: dict[tuple[str, str], list[bool]] = {}
        for _ in range(runs):
            draw = drawn(world, rng, UNITS + ELSEWHERE, ELSEWHERE)
            found = found_of(draw, held_out(draw), costs, elsewhere_of(draw))
            for name in found.truth.keys() & set(_LEARNED):
                _note(held, found, name)
        for (name, what), covered in sorted(held.items()):
            share = float(np.mean(covered))
            yield Row(
                bar="V17",
                setting=f"{setting}: {what} of {name.replace('_', ' ')}",
                target=f"coverage ≥ {least:.4g}",
                measured=f"coverage {share:.4f}",
                reps=len(covered),
                passed=share >= least,
            )


def _note(held: dict[tuple[str, str], list[bool]], found: Found, name: str) -> None:
    told, truth = found.worths[name], found.truth
    pairs = {"gain": (told.gain, truth[name])}
    if name != "best_arm":
        pairs["gain beyond the best arm"] = (told.beyond, truth[name] - truth["best_arm"])
    for what, (one, value) in pairs.items():
        assert one.low is not None, told
        assert one.high is not None, told
        # Where a turn's rule chose nobody, or as the best arm does, there is nothing to be wrong about.
        held.setdefault((name, what), []).append(one.low - 1e-9 <= value <= one.high + 1e-9)


def null_worlds(reps: int | None = None) -> Iterator[Row]:
    """Claim no gain of targeting where everybody gains the same; and see it claimed by who values what they learned."""
    asked = 1_000
    runs = reps or asked
    most = MOST_CLAIMS + (_SIGMAS * sqrt(0.05 * 0.95 / runs) if runs < asked else 0.0)
    for world in NULLS:
        for limits in (False, True):
            costs = spending(world, 0.2, _LIMITS) if limits else spending(world)
            setting = f"{world.name}{', budget and capacity' if limits else ''}"
            rng = rng_of("V15-policies", setting)
            claims = [found_of(draw, held_out(draw), costs).targeting
                      for draw in (drawn(world, rng, UNITS) for _ in range(runs))]  # fmt: skip
            yield _claims_row(setting, float(np.mean(claims)), runs, f"targeting claimed in ≤ {most:.4g}", most)
    rng = rng_of("V15-policies", "naive")
    few = max(runs // 5, 20)
    claims = [found_of(draw, naive_held_out(draw), spending(NULLS[0])).targeting
              for draw in (drawn(NULLS[0], rng, UNITS) for _ in range(few))]  # fmt: skip
    yield Row(
        bar="V15-policies",
        setting=f"{NULLS[0].name}: learned and valued on the same scores",
        target=f"claimed in > {NAIVE_CLAIMS}: the bar must see it",
        measured=f"{np.mean(claims):.4f}",
        reps=few,
        passed=bool(np.mean(claims) > NAIVE_CLAIMS),
    )


def _claims_row(setting: str, share: float, runs: int, target: str, most: float) -> Row:
    return Row(
        bar="V15-policies", setting=setting, target=target, measured=f"{share:.4f}", reps=runs, passed=share <= most
    )


def captured(reps: int | None = None) -> Iterator[Row]:
    """Capture most of what an oracle gains that knows every customer's expected gain, at any budget."""
    runs = reps or 20
    rng = rng_of("policy-power", HARMED.name)
    shares: dict[float, list[tuple[float, float]]] = {budget: [] for budget in BUDGETS}
    for _ in range(runs):
        draw = drawn(HARMED, rng, 2 * MANY, MANY)
        held, elsewhere = held_out(draw), elsewhere_of(draw)
        truth = draw.gains[elsewhere[0].units]
        cost = spending(HARMED).cost
        full = float(cost[truth.argmax(axis=1)].mean())
        for budget in BUDGETS:
            costs = spending(HARMED, budget * full)
            found = found_of(draw, held, costs, elsewhere)
            shares[budget].append(_captured(found.truth["limited"], truth, costs))
    for budget, pairs in shares.items():
        of_best, of_nobody = (float(value) for value in np.mean(pairs, axis=0))
        yield Row(
            bar="policy-power",
            setting=f"{HARMED.name}, n = {MANY:,}, {budget:g} of the oracle's full budget",
            target=f"of the oracle's gain ≥ {OF_BEST_ARM} over the best single arm, ≥ {OF_NOBODY} over nobody",
            measured=f"{of_best:.3f}, {of_nobody:.3f}",
            reps=len(pairs),
            passed=of_best >= OF_BEST_ARM and of_nobody >= OF_NOBODY,
        )


def _captured(ours: float, truth: Floats, costs: Spending) -> tuple[float, float]:
    """Return the share of the oracle's gain over the best single arm by lot, and over nobody."""
    moved = with_lots(truth, np.arange(len(truth), dtype=np.uint64))
    chosen = prices_of(moved, np.ones(len(truth)), costs, HARMED.arms).best(moved, costs.cost)
    oracle = float(truth[np.arange(len(truth)), chosen].mean())
    best = float(np.max(truth.mean(axis=0) * affordable(costs, HARMED.arms)))
    return (ours - best) / (oracle - best), ours / oracle


POLICY_BARS: dict[str, Callable[[int | None], Iterator[Row]]] = {
    "V17": v17,
    "V15-policies": null_worlds,
    "policy-power": captured,
}
