"""The bars of targeting: frozen numbers, tests that find nothing where nothing is, and intervals that cover."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtri

from cxcausal.core.held_out import HeldOut
from cxcausal.core.whom import ArmHeterogeneity, Told
from cxcausal.heterogeneity.telling import told_of
from cxcausal.stats import targeting
from cxcausal.stats.observed_uplift import auuc, qini_coefficient, rate
from cxcausal.stats.ranks import ranked
from tests.stats.test_observed_uplift import FROZEN, TREATED
from tests.twins import Values
from tests.validation.engine import Band, Row, rng_of
from tests.validation.turn_worlds import TurnWorld, held_outs, with_customers

ALPHA, MOST, POWER = 0.05, 0.07, 0.8
NULLS = 1_000
SIGMAS = 4
TESTS = ("slope", "spread", "autoc", "qini")
NULL_WORLDS = (
    TurnWorld(name="no effect"),
    TurnWorld(name="one effect for everybody, prognostic covariates", effect=0.5, prognostic=1.0),
    TurnWorld(name="85/15, prognostic covariates", shares=(0.85, 0.15), effect=0.2, prognostic=1.0),
    TurnWorld(name="5 % binary outcome", rate=0.05, effect=0.02, prognostic=1.0),
    TurnWorld(name="5 % binary outcome, 85/15, no effect", rate=0.05, shares=(0.85, 0.15), prognostic=1.0),
    TurnWorld(name="households of 4, ICC .3", household=4, effect=0.2, prognostic=1.0),
    TurnWorld(name="three arms", shares=(0.4, 0.3, 0.3), effect=0.2, prognostic=1.0),
    TurnWorld(name="three arms, households of 4", shares=(0.4, 0.3, 0.3), household=4, prognostic=1.0),
    TurnWorld(name="predictions of two values (ties)", learner="stump", prognostic=1.0),
)
FOLDS = TurnWorld(name="no effect, judged by ordinary folds instead of turns (wrong)", folds=True)
ENOUGH = 200
"""With fewer worlds the harm of ordinary folds can't be told from chance."""
ALTERNATIVE = TurnWorld(
    name="2,400 customers, effect .1 ± .25 of an outcome's SD of 1 beyond covariates",
    effect=0.1,
    apart=0.25,
    prognostic=1.0,
)
LEARNED_HOMES = TurnWorld(name="households of 4, effect .1 ± .25", household=4, effect=0.1, apart=0.25, prognostic=1.0)
FRESH = 20_000
COVERAGE = Band(low=0.938, high=0.962)
COVERED = 2_000
SLOPE = 0.3
"""By how much the effect grows with the prediction, which is standard normal, in the worlds of intervals."""


def v3(reps: int | None = None) -> Iterator[Row]:
    """Equal the numbers worked out by hand."""
    gaps = [
        abs((tell(outcome, TREATED, predicted, scale=scale).point or 0.0) - float(expected))
        for tell, outcome, predicted, scale, expected in FROZEN.values()
    ]
    yield Row(
        bar="V3",
        setting="Qini and AUUC of observed outcomes, ties and constants included, against numbers worked out by hand",
        target="gap ≤ 1e-09",
        measured=f"{max(gaps):.1e}",
        reps=len(gaps),
        passed=max(gaps) <= 1e-9,
    )


def v15(reps: int | None = None) -> Iterator[Row]:
    """Find nothing where effects don't differ, and find them where they do."""
    runs = reps or NULLS
    most = MOST if runs >= NULLS else MOST + SIGMAS * np.sqrt(MOST * (1 - MOST) / runs)
    for world in NULL_WORLDS:
        found = rejections(world, runs)
        yield _row(world, runs, found, f"reject ≤ {most:.3f} each", passed=max(found.values()) <= most)
    if runs >= ENOUGH:
        found = rejections(FOLDS, runs)
        yield _row(FOLDS, runs, found, f"slope rejects > {MOST:g}: seen", passed=found["slope"] > MOST)
    least = POWER if runs >= NULLS else POWER - SIGMAS * np.sqrt(POWER * (1 - POWER) / runs)
    found = rejections(ALTERNATIVE, runs)
    yield _row(ALTERNATIVE, runs, found, f"reject ≥ {least:.3f} each", passed=min(found.values()) >= least)


def rejections(world: TurnWorld, runs: int) -> dict[str, float]:
    """Return how often each test rejects at 5 %; with several arms, that of one arm by itself, and any after Holm."""
    arms = [told_of(held, alpha=ALPHA).arms for held in held_outs(world, rng_of("V15", world.name), runs)]
    each = [arm for own in arms for arm in own]
    shares = {name: _share(partial(_rejects, name=name), each) for name in TESTS}
    shares["larger RATE, one-sided"] = _share(lambda arm: (1.0 if arm.p is None else arm.p) < ALPHA, each)
    shares["any arm found (Holm)"] = float(np.mean([any(arm.found for arm in own) for own in arms]))
    return shares


def _rejects(arm: ArmHeterogeneity, name: str) -> bool:
    p = getattr(arm, name).p
    return p is not None and p < ALPHA


def _share(test: Callable[[ArmHeterogeneity], bool], arms: list[ArmHeterogeneity]) -> float:
    return float(np.mean([test(arm) for arm in arms]))


def _row(world: TurnWorld, runs: int, found: dict[str, float], target: str, *, passed: bool) -> Row:
    told = ", ".join(f"{name} {share:.3f}" for name, share in found.items())
    return Row(bar="V15", setting=world.name, target=target, measured=told, reps=runs, passed=passed)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A customer per row: what is predicted, the arm, the outcome and the household."""

    predicted: Values
    treated: Values
    outcome: Values
    home: Values | None

    def scores(self, share: float) -> Values:
        """Return scores of the effect with means of 0: right in a randomised experiment."""
        return np.asarray(self.outcome * (self.treated / share - (1 - self.treated) / (1 - share)))


def drawn(rng: np.random.Generator, n: int, share: float, household: int) -> Drawn:
    """Draw an experiment whose effect is .2 + .3 × the prediction."""
    home = np.repeat(np.arange(n // household), household)
    predicted, treated = rng.normal(size=n), (rng.random(n // household) < share)[home].astype(float)
    noise = rng.normal(size=n) + (np.sqrt(0.5) * rng.normal(size=n // household)[home] if household > 1 else 0.0)
    outcome = treated * (0.2 + SLOPE * predicted) + noise
    return Drawn(predicted=predicted, treated=treated, outcome=outcome, home=home if household > 1 else None)


def _areas() -> tuple[float, float]:
    """Return AUTOC and Qini of a standard normal gain that is known."""
    first = quad(lambda u: np.exp(-(ndtri(u) ** 2) / 2) / np.sqrt(2 * np.pi) / u, 0, 1)[0]
    return float(first), float(1 / (2 * np.sqrt(np.pi)))


def v15_intervals(reps: int | None = None) -> Iterator[Row]:
    """Cover what a prediction is truly worth."""
    runs = reps or COVERED
    slack = 0.0 if runs >= COVERED else SIGMAS * np.sqrt(0.95 * 0.05 / runs)
    autoc, qini = _areas()
    for share, household, n in ((0.5, 1, 2_000), (0.15, 1, 4_000), (0.5, 4, 2_000)):
        rng = rng_of("V15i", f"{share}/{household}")
        truths = {
            "AUTOC": SLOPE * autoc,
            "RATE Qini": SLOPE * qini,
            "Qini of outcomes": share * SLOPE * qini,
            "AUUC of outcomes": 0.1 + SLOPE * qini,
        }
        hits = np.mean([_hits(drawn(rng, n, share, household), share, truths) for _ in range(runs)], axis=0)
        band = COVERAGE.widened(slack)
        yield Row(
            bar="V15-intervals",
            setting=f"{n:,} customers, share {share:g} treated, households of {household}: coverage",
            target=str(band),
            measured=", ".join(f"{name} {hit:.3f}" for name, hit in zip(truths, hits, strict=True)),
            reps=runs,
            passed=all(band.holds(float(hit)) for hit in hits),
        )


def v15_turns(reps: int | None = None) -> Iterator[Row]:
    """Cover, on average over turns, what the turns' learned predictions are worth among all customers."""
    runs = reps or COVERED
    band = COVERAGE.widened(0.0 if runs >= COVERED else SIGMAS * np.sqrt(0.95 * 0.05 / runs))
    for world in (ALTERNATIVE, LEARNED_HOMES):
        rng = rng_of("V15t", world.name)
        hits = np.mean([_turn_hits(*with_customers(world, rng, FRESH)) for _ in range(runs)], axis=0)
        yield Row(
            bar="V15-turns",
            setting=f"{world.name}: coverage of what learned predictions are worth",
            target=str(band),
            measured=", ".join(f"{name} {hit:.3f}" for name, hit in zip(TESTS, hits, strict=True)),
            reps=runs,
            passed=all(band.holds(float(hit)) for hit in hits),
        )


def _turn_hits(held: HeldOut, predicted: list[Values], gain: Values) -> list[bool]:
    arm, sizes = told_of(held, alpha=ALPHA).arms[0], [len(turn.judged.units) for turn in held.turns]
    by_rank = {"spread": targeting.spread, "autoc": targeting.autoc, "qini": targeting.qini}
    truths = {
        name: np.average([estimate(ranked(own), gain)[0] for own in predicted], weights=sizes)
        for name, estimate in by_rank.items()
    }
    both = np.array([np.cov(own, gain)[0] for own in predicted])
    truths["slope"] = np.average(both[:, 1], weights=sizes) / np.average(both[:, 0], weights=sizes)
    told: list[tuple[Told, float]] = [(getattr(arm, name), float(truths[name])) for name in TESTS]
    return [(number.low or 0.0) <= truth <= (number.high or 0.0) for number, truth in told]


def _hits(world: Drawn, share: float, truths: dict[str, float]) -> list[bool]:
    told: list[Told] = [
        rate(world.scores(share), world.predicted, kind=kind, clusters=world.home) for kind in ("autoc", "qini")
    ]
    told += [
        tell(world.outcome, world.treated, world.predicted, clusters=world.home) for tell in (qini_coefficient, auuc)
    ]
    return [
        (number.low or 0.0) <= truth <= (number.high or 0.0)
        for number, truth in zip(told, truths.values(), strict=True)
    ]


TARGETING_BARS: dict[str, Callable[[int | None], Iterator[Row]]] = {
    "V3": v3,
    "V15": v15,
    "V15-intervals": v15_intervals,
    "V15-turns": v15_turns,
}
