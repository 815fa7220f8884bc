"""Settings of the bar for adjustment where customers share a fate: coverage, precision and refusal on drawn rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cxcausal.core.answers import ClusterPatterns, ClusterSums
from cxcausal.stats.cluster import clustered
from cxcausal.stats.cluster_regression import difference, lin, why_not_adjusted, why_not_told
from cxcausal.stats.difference import Difference
from tests.cluster_regression_twins import Sample, full_lin
from tests.twins import Values
from tests.validation.engine import Band, Row, rng_of

Generator = np.random.Generator
NAMES: tuple[str, ...] = ("branch",)
LARGE = Band(low=0.938, high=0.962)
SMALL = Band(low=0.93, high=1.0)
SPREAD = Band(low=0.95, high=1.05)
MANY = 200
TRUTH = 0.5
FULL_REPS = 4_000
SIGMAS = 4


@dataclass(frozen=True, kw_only=True)
class ClusterWorld:
    """A setting whose true effect is 0.5 for the average customer.

    Attributes:
        name: of the setting.
        clusters, treated: how many there are, and of them with treatment; None where each customer has a coin.
        kinds: of the covariates: `u` of the customer, `c` of the cluster, `m` of both.
        shared: the intraclass correlation of what the covariates leave.
        apart: how strongly the effect grows with the first and the last covariate.
        context: how strongly the cluster's part of the last covariate acts by itself, where there is treatment.
        coverage: the bar.
    """

    name: str
    clusters: int
    treated: int | None
    kinds: str
    shared: float
    apart: float
    context: float = 0.0
    coverage: Band = SMALL

    def draw(self, rng: Generator) -> Sample:
        """Return the rows of one experiment, in clusters of 5 to 45 customers."""
        cluster = np.repeat(np.arange(self.clusters), rng.integers(5, 46, self.clusters))
        coin = rng.permutation(self.clusters) < (self.treated or 0)
        treated = rng.random(len(cluster)) < 0.5 if self.treated is None else coin[cluster]
        between = rng.normal(size=(self.clusters, len(self.kinds)))[cluster]
        parts = np.array([{"u": 0.0, "m": 0.3, "c": 1.0}[kind] for kind in self.kinds])
        x = np.sqrt(parts) * between + np.sqrt(1 - parts) * rng.normal(size=between.shape)
        noise = np.sqrt(self.shared) * rng.normal(size=self.clusters)[cluster]
        noise += np.sqrt(1 - self.shared) * rng.normal(size=len(cluster))
        effect = TRUTH + self.apart * (x[:, 0] + x[:, -1]) + self.context * between[:, -1]
        arm = np.where(treated, "t", "c")
        return Sample(outcome=0.7 * x.sum(axis=1) + treated * effect + noise, arm=arm, covariates=x, cluster=cluster)


WORLDS = (
    ClusterWorld(
        name="20 clusters × 2 of customers, ICC .05", clusters=20, treated=10, kinds="uu", shared=0.05, apart=0.5
    ),
    ClusterWorld(
        name="20 clusters × 2 of customers, ICC .3", clusters=20, treated=10, kinds="uu", shared=0.3, apart=0.5
    ),
    ClusterWorld(
        name="20 clusters × 1 of each kind, ICC .05", clusters=20, treated=10, kinds="uc", shared=0.05, apart=0.5
    ),
    ClusterWorld(
        name="20 clusters × 1 of each kind, ICC .3", clusters=20, treated=10, kinds="uc", shared=0.3, apart=0.5
    ),
    ClusterWorld(
        name="20 clusters × 2 of clusters, ICC .1", clusters=20, treated=10, kinds="cc", shared=0.1, apart=0.0
    ),
    ClusterWorld(
        name="20 clusters that span the arms × 1 of each kind",
        clusters=20,
        treated=None,
        kinds="uc",
        shared=0.1,
        apart=0.5,
    ),
    ClusterWorld(
        name="60 clusters, 6 treated × 2 of each kind", clusters=60, treated=6, kinds="mm", shared=0.1, apart=0.5
    ),
    ClusterWorld(
        name="200 clusters × 2, strong heterogeneity",
        kinds="uc",
        shared=0.1,
        apart=1.5,
        coverage=LARGE,
        clusters=200,
        treated=100,
    ),
    ClusterWorld(
        name="200 clusters that span the arms × 2, strong heterogeneity",
        kinds="mm",
        shared=0.1,
        apart=1.5,
        coverage=LARGE,
        clusters=200,
        treated=None,
    ),
    ClusterWorld(
        name="200 clusters × 1, the cluster's mean matters by itself",
        kinds="m",
        shared=0.1,
        apart=0.0,
        context=2.0,
        coverage=LARGE,
        clusters=200,
        treated=100,
    ),
    ClusterWorld(
        name="200 clusters that span the arms × 1, their mean matters",
        kinds="m",
        shared=0.1,
        apart=0.0,
        context=2.0,
        coverage=LARGE,
        clusters=200,
        treated=None,
    ),
)


def sums_of(sample: Sample) -> ClusterSums:
    """Return the sums within clusters and arms without a loop over clusters."""
    away, center = sample.covariates - sample.covariates.mean(axis=0), float(sample.outcome.mean())
    y, k = sample.outcome - center, sample.covariates.shape[1]
    arm = (sample.arm == "t").astype(np.int64)
    keys, row = np.unique(sample.cluster * 2 + arm, return_inverse=True)
    values = np.column_stack([np.ones(len(y)), away, y, away * y[:, None], _squares(away)])
    totals: Values = np.column_stack([np.bincount(row, column) for column in values.T]).astype(np.float64)
    n, d, total, cross, gram = np.split(totals, [1, 1 + k, 2 + k, 2 + 2 * k], axis=1)
    clusters, number = np.unique(keys // 2, return_inverse=True)
    return ClusterSums(
        arms=("c", "t"),
        fitted=("c", "t"),
        columns=tuple(f"x{at}" for at in range(k)),
        dropped=(),
        clusters=len(clusters),
        center=center,
        cluster=number,
        arm=keys % 2,
        n=n[:, 0],
        d=d,
        gram=gram.reshape(-1, k, k),
        y=total[:, 0],
        cross=cross,
    )


def _squares(away: Values) -> Values:
    squares: Values = (away[:, :, None] * away[:, None, :]).reshape(len(away), -1)
    return squares


def rows(reps: int | None = None) -> Iterator[Row]:
    """Yield the gaps to whole matrices and to rearranged rows, one line per setting, and what is refused."""
    runs = reps or FULL_REPS
    noise = 0.0 if runs >= FULL_REPS else SIGMAS / np.sqrt(runs)
    gaps = max(2, min(runs // 100, 20))
    yield _vanishing("V2", "Lin with CR2 and df, 20 clusters, n × n matrices", _twin_gap, gaps)
    yield _vanishing("V16", "Lin with CR2: order, cluster names, units, arms swapped", _moved_gap, gaps)
    for world in WORLDS:
        yield _row(world, runs, noise)
    yield _refused()


def _row(world: ClusterWorld, runs: int, noise: float) -> Row:
    """Hold coverage; the SE's size where clusters are many, and the gain where covariates act alike in all clusters."""
    rng = rng_of("V4", world.name)
    found = [(effect_of(sums), plain_of(sums)) for sums in (sums_of(world.draw(rng)) for _ in range(runs))]
    limits = [adjusted.interval(0.95) for adjusted, _ in found]
    coverage = float(np.mean([limit.low <= TRUTH <= limit.high for limit in limits]))
    spread = float(np.mean([one.se for one, _ in found]) / np.std([one.point for one, _ in found], ddof=1))
    gain = float(np.mean([one.se for one, _ in found]) / np.mean([plain.se for _, plain in found]))
    large, alike = world.clusters >= MANY, not world.context
    passed = world.coverage.widened(0.25 * noise).holds(coverage)
    passed &= not large or SPREAD.widened(0.75 * noise).holds(spread)
    asked = [f"coverage {world.coverage}", *([f"SE/sd {SPREAD}"] * large), *(["SE < unadjusted SE"] * alike)]
    return Row(
        bar="V4",
        setting=f"Lin with CR2, {world.name}",
        target=", ".join(asked),
        measured=f"coverage {coverage:.4f}, SE/sd {spread:.4f}, SE/unadjusted SE {gain:.3f}",
        reps=runs,
        passed=bool(passed and (gain < 1 or not alike)),
    )


def effect_of(sums: ClusterSums) -> Difference:
    """Return the adjusted effect as the estimator makes it."""
    fits = {NAMES: lin(sums, "t", "c")}
    assert why_not_adjusted({NAMES: sums}, "t", "c") is None
    assert why_not_told(fits) is None
    return difference(fits)


def plain_of(sums: ClusterSums) -> Difference:
    """Return the unadjusted effect of the same rows."""
    sizes, totals = np.zeros((sums.clusters, 2)), np.zeros((sums.clusters, 2))
    sizes[sums.cluster, 1 - sums.arm], totals[sums.cluster, 1 - sums.arm] = sums.n, sums.y
    return clustered(
        ClusterPatterns(
            clusters=np.ones(sums.clusters, dtype=np.int64),
            n_treated=sizes[:, 0].astype(np.int64),
            n_control=sizes[:, 1].astype(np.int64),
            total=totals,
            cross=np.einsum("gi,gj->gij", totals, totals),
            center=np.array([sums.center]),
            clusters_treated=int(np.sum(sizes[:, 0] > 0)),
            clusters_control=int(np.sum(sizes[:, 1] > 0)),
        )
    )


def _refused() -> Row:
    world = ClusterWorld(name="20 clusters × 8", clusters=20, treated=10, kinds="ucucucuc", shared=0.1, apart=0.5)
    reason = why_not_adjusted({NAMES: sums_of(world.draw(rng_of("V4", world.name)))}, "t", "c")
    wanted = "8 covariate columns need at least 80 clusters, there are 20"
    return Row(
        bar="V4",
        setting="Lin with CR2, 20 clusters × 8 covariates",
        target="refused with the reason",
        measured=str(reason),
        reps=1,
        passed=reason == wanted,
    )


def _vanishing(bar: str, setting: str, gap: Callable[[Generator], float], reps: int) -> Row:
    rng, limit = rng_of(bar, setting), {"V2": 1e-9, "V16": 1e-10}[bar]
    largest = max(gap(rng) for _ in range(reps))
    measured, target = f"{largest:.1e}", f"gap ≤ {limit:.0e}"
    return Row(bar=bar, setting=setting, target=target, measured=measured, reps=reps, passed=largest <= limit)


def _some(rng: Generator) -> Sample:
    span = bool(rng.integers(0, 2))
    kinds = "".join(rng.choice(list("ucm"), 2))
    world = ClusterWorld(
        name="gap", clusters=20, treated=None if span else 10, kinds=kinds, shared=0.1, apart=1.0, context=1.0
    )
    return world.draw(rng)


def _twin_gap(rng: Generator) -> float:
    sample = _some(rng)
    found, full = effect_of(sums_of(sample)), full_lin(sample, "t", "c")
    return _gap((found.point, found.se, found.df), (full.point, full.se, full.df))


def _moved_gap(rng: Generator) -> float:
    sample = _some(rng)
    order = rng.permutation(len(sample.outcome))
    moved = Sample(
        outcome=100 * sample.outcome[order],
        arm=np.where(sample.arm[order] == "t", "c", "t"),
        covariates=sample.covariates[order][:, ::-1] * [0.01, 1e4],
        cluster=19 - sample.cluster[order],
    )
    one, two = effect_of(sums_of(sample)), effect_of(sums_of(moved))
    return _gap((two.point, two.se, two.df), (-100 * one.point, 100 * one.se, one.df))


def _gap(found: tuple[float, ...], expected: tuple[float, ...]) -> float:
    one, two = np.array(found), np.array(expected)
    return float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1e-3)))
