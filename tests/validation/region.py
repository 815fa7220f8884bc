"""V14: designs outside the validated region are flagged in every draw, and those inside it hardly ever."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cxcausal.checks.tiny_arm import TinyArm
from cxcausal.core.answers import ClusterPatterns, Flow, Moments
from cxcausal.core.queries import FlowQuery, MomentQuery
from tests.twins import Values
from tests.validation.engine import AOV, CHURN, SPEND, Row, Trial, cells_of, rate_cells, rng_of
from tests.validation.worlds import WORLDS, Draw

MOST_FALSE_FLAGS = 0.02
MEAN, RATE, RATIO = Trial.of(SPEND), Trial.of(CHURN), Trial.of(AOV)
CLUSTERED = Trial.of(SPEND, clustered=True)
Generator = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Design:
    """Draws one experiment in which treatment does nothing, so that the true effect is zero."""

    name: str
    trial: Trial = MEAN
    draw: Callable[[Generator], Draw]


def _both(arm: Callable[[Generator, int], Moments], treated: int, control: int) -> Callable[[Generator], Draw]:
    return lambda rng: ({"t": arm(rng, treated), "c": arm(rng, control)}, None)


def _gamma(rng: Generator, n: int, *, shape: float) -> Moments:
    return cells_of(rng.gamma(shape, 5.0, (1, n)))[0]


def _rate(rng: Generator, n: int, *, share: float) -> Moments:
    return rate_cells(rng.binomial(n, share, 1), n)[0]


def _spend(rng: Generator, n: int, *, share: float, sigma: float) -> Moments:
    """Draw lognormal amounts for a share of the units, and zeros for the others."""
    amounts = np.exp(rng.normal(0.0, sigma, rng.binomial(n, share)))
    mean, zeros = amounts.sum() / n, n - len(amounts)
    squares = float(np.sum((amounts - mean) ** 2) + zeros * mean**2)
    low = 0.0 if zeros else float(amounts.min())
    return Moments(
        n=n,
        mean=np.array([mean]),
        m2=np.array([[squares]]),
        events=len(amounts),
        low=low,
        high=float(amounts.max(initial=0.0)),
    )


def _baskets(rng: Generator, n: int, *, share: float, sigma: float) -> Moments:
    """Draw revenue per order where few have ordered, once each."""
    orders = (rng.random(n) < share).astype(float)
    revenue = orders * np.exp(rng.normal(0.0, sigma, n))
    rows = np.column_stack([revenue, orders])
    away = rows - rows.mean(axis=0)
    cell = Moments(n=n, mean=rows.mean(axis=0), m2=away.T @ away)
    return replace(cell, events=int(orders.sum()), low=float(revenue.min()), high=float(revenue.max()))


def _clusters(rng: Generator, *, count: int, treated: int, skewed: bool) -> Draw:
    """Draw clusters of 5 to 45 units, with shared effects that are normal or lognormal."""
    sizes = rng.integers(5, 46, count)
    ones = np.where(rng.permutation(count) < treated, sizes, 0)
    shared = (np.exp(rng.normal(0.0, 1.0, count)) - np.exp(0.5)) / 2 if skewed else rng.normal(0.0, 1 / 3, count)
    counts = np.stack([ones, sizes - ones], axis=1)
    sums = counts * shared[:, None] + np.sqrt(counts) * rng.normal(size=(count, 2))
    patterns = ClusterPatterns(
        clusters=np.ones(count, dtype=np.int64),
        n_treated=counts[:, 0],
        n_control=counts[:, 1],
        total=sums,
        cross=np.einsum("gi,gj->gij", sums, sums),
        center=np.zeros(1),
        clusters_treated=int(np.sum(counts[:, 0] > 0)),
        clusters_control=int(np.sum(counts[:, 1] > 0)),
    )
    return {"t": _summed(counts[:, 0], sums[:, 0]), "c": _summed(counts[:, 1], sums[:, 1])}, patterns


def _summed(counts: Values, sums: Values) -> Moments:
    n = int(counts.sum())
    return Moments(n=n, mean=np.array([sums.sum() / n]), m2=np.array([[float(n)]]), events=n, low=-3.0, high=3.0)


def _design(arm: Callable[..., Moments], name: str, sizes: tuple[int, int], **how: float) -> Design:
    trial = {_rate: RATE, _baskets: RATIO}.get(arm, MEAN)
    told = f"{name}, {sizes[0]:,} against {sizes[1]:,}"
    return Design(name=told, trial=trial, draw=_both(partial(arm, **how), *sizes))


def _grouped(count: int, treated: int, *, skewed: bool = False) -> Design:
    kind = "lognormal" if skewed else "normal"
    name = f"{count} clusters with {kind} effects, {treated} treated"
    return Design(name=name, trial=CLUSTERED, draw=partial(_clusters, count=count, treated=treated, skewed=skewed))


OUTSIDE = (
    _design(_gamma, "gamma(2)", (10, 90), shape=2.0),
    _design(_gamma, "gamma(2)", (30, 3_000), shape=2.0),
    _design(_gamma, "exponential", (30, 270), shape=1.0),
    _design(_gamma, "exponential", (30, 3_000), shape=1.0),
    _design(_rate, "0.1 % events", (1_000, 1_000), share=0.001),
    _design(_rate, "0.02 % events", (1_000, 9_000), share=0.0002),
    _design(_spend, "0.5 % spend, σ 0.5", (2_000, 18_000), share=0.005, sigma=0.5),
    _design(_spend, "0.5 % spend, σ 1", (2_000, 18_000), share=0.005, sigma=1.0),
    _design(_spend, "0.5 % spend, σ 2", (20_000, 180_000), share=0.005, sigma=2.0),
    _design(_spend, "0.5 % spend, σ 3", (20_000, 180_000), share=0.005, sigma=3.0),
    _design(_spend, "0.5 % spend, σ 3", (10_000, 10_000), share=0.005, sigma=3.0),
    _design(_spend, "10 % spend, σ 1.5", (1_000, 9_000), share=0.1, sigma=1.5),
    _design(_spend, "10 % spend, σ 1.5", (3_000, 27_000), share=0.1, sigma=1.5),
    _design(_spend, "10 % spend, σ 2", (1_000, 9_000), share=0.1, sigma=2.0),
    _design(_spend, "10 % spend, σ 3", (5_000, 5_000), share=0.1, sigma=3.0),
    _design(_spend, "lognormal, σ 1", (100, 900), share=1.0, sigma=1.0),
    _design(_spend, "lognormal, σ 1.5", (1_000, 9_000), share=1.0, sigma=1.5),
    _design(_spend, "lognormal, σ 3", (1_000, 1_000), share=1.0, sigma=3.0),
    _design(_baskets, "ratio, 2 % order, σ 1", (1_000, 9_000), share=0.02, sigma=1.0),
    _grouped(20, 2),
    _grouped(60, 3),
    _grouped(60, 6, skewed=True),
    _grouped(200, 10, skewed=True),
)
INSIDE = (
    _design(_gamma, "exponential", (200, 200), shape=1.0),
    _design(_rate, "half have events", (30, 30), share=0.5),
    _design(_rate, "1.5 % events", (1_000, 9_000), share=0.015),
    _design(_spend, "0.5 % spend, σ 0.5", (10_000, 10_000), share=0.005, sigma=0.5),
    _design(_spend, "0.5 % spend, σ 0.5", (20_000, 180_000), share=0.005, sigma=0.5),
    _design(_spend, "10 % spend, σ 0.5", (1_000, 9_000), share=0.1, sigma=0.5),
    _design(_spend, "10 % spend, σ 1", (20_000, 180_000), share=0.1, sigma=1.0),
    _design(_spend, "lognormal, σ 0.5", (100, 900), share=1.0, sigma=0.5),
    _design(_spend, "lognormal, σ 1", (1_000, 1_000), share=1.0, sigma=1.0),
    _grouped(200, 100),
)


def flagged(trial: Trial, drawn: Draw) -> bool:
    """Tell whether the check has anything to say about one drawn experiment."""
    cells, patterns = drawn
    check, sizes = TinyArm(), {arm: cell.n for arm, cell in cells.items()}
    total = sum(sizes.values())
    flow = Flow(
        rows=total,
        filtered_out=0,
        enrolled=total,
        immature=0,
        analysed=total,
        randomization_units=total,
        enrolled_by_arm=sizes,
        immature_by_arm=dict.fromkeys(sizes, 0),
        analysed_by_arm=sizes,
    )
    answers = {
        query: flow
        if isinstance(query, FlowQuery)
        else {(arm, ()): cell for arm, cell in cells.items()}
        if isinstance(query, MomentQuery)
        else patterns
        for query in check.queries(trial.spec)
    }
    return check.judge(trial.spec, answers).verdict != "pass"  # type: ignore[arg-type]


def v14(reps: int | None = None) -> Iterator[Row]:
    """Flag every design outside the region every time it is drawn, and those inside it at most in 2 % of draws."""
    runs = reps or 1_000
    slack = 0.0 if reps is None else 4 * np.sqrt(MOST_FALSE_FLAGS / runs)
    for design in OUTSIDE:
        flags, covered = _drawn(design.trial, design.draw, rng_of("V14", f"outside {design.name}"), runs)
        yield Row(
            bar="V14",
            setting=f"outside: {design.name}",
            target="flagged every time",
            measured=f"{flags} flagged (covers {covered:.3f})",
            reps=runs,
            passed=flags == runs,
        )
    for design in INSIDE:
        flags, covered = _drawn(design.trial, design.draw, rng_of("V14", f"inside {design.name}"), runs)
        yield _inside(design.name, flags, runs, slack, f" (covers {covered:.3f})")
    for world in WORLDS:
        if not world.beyond:
            flags = sum(flagged(world.trial, one) for one in world.draw(rng_of("V14", world.name), runs, world.truth))
            yield _inside(world.name, flags, runs, slack, "")


def _inside(name: str, flags: int, runs: int, slack: float, also: str) -> Row:
    return Row(
        bar="V14",
        setting=f"inside: {name}",
        target=f"flagged ≤ {MOST_FALSE_FLAGS:.0%}",
        measured=f"{flags} flagged{also}",
        reps=runs,
        passed=bool(flags <= (MOST_FALSE_FLAGS + slack) * runs),
    )


def _drawn(trial: Trial, draw: Callable[[Generator], Draw], rng: Generator, runs: int) -> tuple[int, float]:
    """Return how many draws were flagged, and how often the interval held the truth where there was one."""
    flags, held = 0, []
    for _ in range(runs):
        one = draw(rng)
        flags += flagged(trial, one)
        row = next(trial.rows(*one))
        if row.low is not None and row.high is not None:
            held.append(row.low <= 0 <= row.high)
    return flags, float(np.mean(held)) if held else float("nan")
