"""Gaps that must vanish: the estimator against its twin on raw rows, and against itself on rearranged data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from statsmodels.stats.proportion import confint_proportions_2indep

from cxcausal.stats.cluster import clustered, multiway
from cxcausal.stats.difference import Difference, hc2, pooled
from cxcausal.stats.moments import merge
from cxcausal.stats.newcombe import RateDifference
from tests.twins import Values, cluster_patterns_of, full_cr2, moments_of
from tests.validation import adjusted, ratios
from tests.validation.engine import rng_of
from tests.validation.more_twins import GAPS

CONTRAST = np.array([1.0, -1.0])
Generator = np.random.Generator


def _gap(found: tuple[float, ...], expected: tuple[float, ...]) -> float:
    """Return the largest deviation, relative to the size of what is expected."""
    one, two = np.array(found, dtype=np.float64), np.array(expected, dtype=np.float64)
    return float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1e-3)))


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The largest relative deviation found in one setting, over so many draws."""

    setting: str
    largest: float
    reps: int


def _worst(name: str, bar: str, reps: int, gap: Callable[[Generator], float]) -> Gap:
    rng = rng_of(bar, name)
    return Gap(setting=name, largest=max(gap(rng) for _ in range(reps)), reps=reps)


def _numbers(found: Difference) -> tuple[float, ...]:
    limits = found.interval(0.95)
    return found.point, found.se, found.df, found.p, limits.low, limits.high


def _arms(rng: Generator) -> tuple[Values, Values]:
    return rng.gamma(2.0, 5.0, int(rng.integers(5, 80))) + 1, rng.gamma(1.0, 9.0, int(rng.integers(5, 80)))


def _world(rng: Generator, clusters: int, *, nested: bool) -> tuple[Values, Values, Values]:
    cluster = rng.integers(0, clusters, 400)
    coin = rng.permutation(clusters) < clusters // 2
    treated = coin[cluster] if nested else rng.random(400) < 0.5
    return rng.normal(size=clusters)[cluster] + rng.gamma(2.0, 1.0, 400) + treated, treated.astype(float), cluster


def twin_gap(reps: int, bar: str) -> Iterator[Gap]:
    """Yield the largest gaps between closed forms and raw rows."""
    yield _worst("difference in means, HC2 as a regression", bar, reps, _hc2_gap)
    yield _worst("ratio of means, delta method on rows", bar, reps, _ratio_gap)
    yield _worst("pooled variance", bar, reps, _pooled_gap)
    yield _worst("Newcombe against statsmodels", bar, reps, _newcombe_gap)
    for clusters in (20, 200):
        for nested in (True, False):
            name = f"CR2 and df, {clusters} clusters, {'nested in' if nested else 'across'} arms, n × n matrices"
            yield _worst(name, bar, max(reps // 8, 2), partial(_cr2_gap, clusters=clusters, nested=nested))
    yield _worst("CR2 over two crossed names", bar, max(reps // 8, 2), _multiway_gap)
    yield _worst(
        "Lin's regression with the population's part, n × n matrices", bar, max(reps // 4, 2), adjusted.lin_gap
    )
    yield _worst("common slopes, HC2, n × n matrices", bar, max(reps // 4, 2), adjusted.ols_gap)
    for name, gap in GAPS.items():
        yield _worst(name, bar, reps, gap)
    yield _worst("adjusted ratio, linearised rows in n × n matrices", bar, max(reps // 4, 2), ratios.ratio_gap)
    yield _worst("adjusted weighted mean, influence function on rows", bar, max(reps // 4, 2), ratios.weighted_gap)
    yield _worst("strata, the textbook's post-stratification", bar, reps, ratios.strata_gap)


def _hc2_gap(rng: Generator) -> float:
    treated, control = _arms(rng)
    design = np.column_stack([np.ones(len(treated) + len(control)), np.repeat([1, 0], [len(treated), len(control)])])
    outcome = np.concatenate([treated, control])
    full = full_cr2(design, outcome, np.arange(len(outcome)), np.array([0.0, 1.0]))
    found = hc2(moments_of(treated), moments_of(control))
    return _gap((found.point, found.se), (full.beta[1], full.covariance[1, 1] ** 0.5))


def _ratio_gap(rng: Generator) -> float:
    parts = []
    for arm in _arms(rng):
        below = rng.poisson(2.0, len(arm)) + 1.0
        ratio = arm.sum() / below.sum()
        parts.append((moments_of(arm, below), ratio, np.var((arm - ratio * below) / below.mean(), ddof=1) / len(arm)))
    (one, r1, v1), (two, r0, v0) = parts
    found = hc2(one, two)
    return _gap((found.point, found.se), (r1 - r0, (v1 + v0) ** 0.5))


def _pooled_gap(rng: Generator) -> float:
    treated, control = _arms(rng)
    n, m = len(treated), len(control)
    units = (np.sum((treated - treated.mean()) ** 2) + np.sum((control - control.mean()) ** 2)) / (n + m - 2)
    return _gap((pooled(moments_of(treated), moments_of(control)).se,), ((units / n + units / m) ** 0.5,))


def _newcombe_gap(rng: Generator) -> float:
    n, m = (int(size) for size in rng.integers(3, 300, 2))
    x, y = int(rng.integers(0, n + 1)), int(rng.integers(0, m + 1))
    found = RateDifference(events_treated=x, n_treated=n, events_control=y, n_control=m).interval(0.95)
    return _gap((found.low, found.high), confint_proportions_2indep(x, n, y, m, method="newcomb", compare="diff"))


def _cr2_gap(rng: Generator, clusters: int, *, nested: bool) -> float:
    outcome, treated, cluster = _world(rng, clusters, nested=nested)
    full = full_cr2(np.column_stack([treated, 1 - treated]), outcome, cluster, CONTRAST)
    found = clustered(cluster_patterns_of(outcome, treated, cluster))
    expected = (float(CONTRAST @ full.beta), float(CONTRAST @ full.covariance @ CONTRAST) ** 0.5, full.df)
    return _gap((found.point, found.se, found.df), expected)


def _multiway_gap(rng: Generator) -> float:
    outcome, treated, one = _world(rng, 20, nested=False)
    two = rng.integers(0, 15, len(outcome))
    names = {("one",): one, ("two",): two, ("one", "two"): one * 100 + two}
    design = np.column_stack([treated, 1 - treated])
    fulls = [full_cr2(design, outcome, cluster, CONTRAST) for cluster in names.values()]
    parts = [CONTRAST @ full.covariance @ CONTRAST for full in fulls]
    found = multiway({key: cluster_patterns_of(outcome, treated, cluster) for key, cluster in names.items()})
    variance = max(parts[:2]) if found.note else parts[0] + parts[1] - parts[2]
    return _gap((found.se, found.df), (variance**0.5, min(fulls[0].df, fulls[1].df)))


def metamorphic_gap(reps: int, bar: str) -> Iterator[Gap]:
    """Yield the largest gaps between an estimate and the same after a change that does not matter."""
    yield _worst("row order", bar, reps, _order_gap)
    yield _worst("chunks merged", bar, reps, _chunk_gap)
    yield _worst("units × 100", bar, reps, _scale_gap)
    yield _worst("arms swapped", bar, reps, _swap_gap)
    yield _worst("cluster names and row order", bar, reps, _names_gap)
    yield _worst("Lin: order and units of covariates", bar, reps, adjusted.columns_gap)
    yield _worst("Lin: row order", bar, reps, adjusted.rows_gap)
    yield _worst("Lin: arms swapped", bar, reps, adjusted.swap_gap)
    yield _worst("adjusted ratio: units × 100, weights × 7, row order, arms swapped", bar, reps, ratios.scale_gap)
    yield _worst("adjusted weighted mean with equal weights: the mean", bar, reps, ratios.constant_weight_gap)


def _order_gap(rng: Generator) -> float:
    treated, control = _arms(rng)
    plain = hc2(moments_of(treated), moments_of(control))
    return _gap(_numbers(hc2(moments_of(rng.permutation(treated)), moments_of(control))), _numbers(plain))


def _chunk_gap(rng: Generator) -> float:
    treated, control = _arms(rng)
    chunks = [moments_of(part) for part in np.array_split(rng.permutation(treated), int(rng.integers(2, 9)))]
    plain = hc2(moments_of(treated), moments_of(control))
    return _gap(_numbers(hc2(merge(chunks), moments_of(control))), _numbers(plain))


def _scale_gap(rng: Generator) -> float:
    treated, control = _arms(rng)
    plain, large = (hc2(moments_of(treated * by), moments_of(control * by)) for by in (1.0, 100.0))
    limits = plain.interval(0.95)
    scaled = (100 * plain.point, 100 * plain.se, plain.df, plain.p, 100 * limits.low, 100 * limits.high)
    return _gap(_numbers(large), scaled)


def _swap_gap(rng: Generator) -> float:
    treated, control = _arms(rng)
    plain = hc2(moments_of(treated), moments_of(control))
    limits = plain.interval(0.95)
    mirrored = (-plain.point, plain.se, plain.df, plain.p, -limits.high, -limits.low)
    return _gap(_numbers(hc2(moments_of(control), moments_of(treated))), mirrored)


def _names_gap(rng: Generator) -> float:
    outcome, treated, cluster = _world(rng, 20, nested=bool(rng.integers(0, 2)))
    order = rng.permutation(len(outcome))
    plain = clustered(cluster_patterns_of(outcome, treated, cluster))
    renamed = (19 - cluster)[order]
    return _gap(_numbers(clustered(cluster_patterns_of(outcome[order], treated[order], renamed))), _numbers(plain))
