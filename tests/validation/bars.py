"""The bars: each a function from a number of repetitions (None: what the bar asks for) to rows of the table."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import kstest

from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import Analysis
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.stats.difference import Difference, hc2
from cxcausal.stats.proportions import srm_p
from tests.validation import adjusted, cluster_adjusted, ratios
from tests.validation.effects import EFFECT_BARS
from tests.validation.engine import SPEND, Band, Row, Trial, cells_of, rng_of
from tests.validation.gates import gates
from tests.validation.identities import Gap, metamorphic_gap, twin_gap
from tests.validation.learned import v5
from tests.validation.left_out import LEFT_OUT_BARS
from tests.validation.metric_types import v4_types
from tests.validation.nobody import NOBODY_BARS
from tests.validation.noncompliance import vlate
from tests.validation.opinions import OPINION_BARS
from tests.validation.pages import v20
from tests.validation.peeking import v9, v13_looks
from tests.validation.policies import POLICY_BARS
from tests.validation.power import v13
from tests.validation.ramp_up import RAMP_UP_BARS
from tests.validation.refuting import v12
from tests.validation.region import v14
from tests.validation.scored import SCORED_BARS
from tests.validation.surveys import survey_rows
from tests.validation.targeting import TARGETING_BARS
from tests.validation.unmeasured import hidden
from tests.validation.worlds import WORLDS, World

COVERAGE = Band(low=0.938, high=0.962)
SPREAD = Band(low=0.95, high=1.05)
SIGMAS = 4
"""Where a quick run has fewer repetitions, its bands are widened by so many binomial standard errors."""


def v2(reps: int | None = None) -> Iterator[Row]:
    """Hold every estimator to its twin on raw rows."""
    yield from (_vanishing("V2", gap, 1e-9) for gap in twin_gap(reps or 40, "V2"))


def _vanishing(bar: str, gap: Gap, limit: float) -> Row:
    return Row(
        bar=bar,
        setting=gap.setting,
        target=f"gap ≤ {limit:.0e}",
        measured=f"{gap.largest:.1e}",
        reps=gap.reps,
        passed=gap.largest <= limit,
    )


def v4(reps: int | None = None) -> Iterator[Row]:
    """Cover the population effect, with standard errors as large as the spread."""
    asked = 4_000
    runs = reps or asked
    for world in WORLDS:
        yield _coverage_row(world, runs, slack=0.0 if runs >= asked else 1.0)
    noise = 0.0 if runs >= asked else SIGMAS / np.sqrt(runs)
    yield from (_adjusted_row(world, runs, noise) for world in (*adjusted.WORLDS, *ratios.WORLDS))
    yield _sample_row(runs)
    yield _unused_row(runs)
    yield from cluster_adjusted.rows(None if reps is None else max(reps // 4, 5))


def _adjusted_row(world: adjusted.AdjustedWorld, runs: int, noise: float) -> Row:
    coverage, spread = _adjusted_coverage(world, runs)
    return Row(
        bar="V4",
        setting=world.name,
        target=f"coverage {COVERAGE}, SE/sd {SPREAD}",
        measured=f"coverage {coverage:.4f}, SE/sd {spread:.4f}",
        reps=runs,
        passed=COVERAGE.widened(0.22 * noise).holds(coverage) and SPREAD.widened(0.75 * noise).holds(spread),
    )


def _sample_row(runs: int) -> Row:
    """Show that the bar sees what the population's part of the variance is for."""
    coverage, _ = _adjusted_coverage(adjusted.SAMPLE_ONLY, runs)
    return Row(
        bar="V4",
        setting=adjusted.SAMPLE_ONLY.name,
        target="coverage < 0.9: the bar must see it",
        measured=f"coverage {coverage:.4f}",
        reps=runs,
        passed=coverage < 0.9,
    )


def _unused_row(runs: int) -> Row:
    """Show how wide an interval is that does not use the strata within which arms were drawn."""
    world = ratios.UNUSED
    coverage, spread = _told(list(ratios.unused(rng_of("V4", world.name), runs)), world.truth)
    return Row(
        bar="V4",
        setting=world.name,
        target="SE/sd > 1.5: needlessly wide",
        measured=f"coverage {coverage:.4f}, SE/sd {spread:.4f}",
        reps=runs,
        passed=spread > 1.5,
    )


def _adjusted_coverage(world: adjusted.AdjustedWorld, runs: int) -> tuple[float, float]:
    return _told(list(adjusted.effects(world, rng_of("V4", world.name), runs)), world.truth)


def _told(found: list[Difference], truth: float) -> tuple[float, float]:
    """Return how often the interval holds the truth, and the mean SE over the estimates' standard deviation."""
    limits = [one.interval(0.95) for one in found]
    covered = np.mean([limit.low <= truth <= limit.high for limit in limits])
    spread = np.mean([one.se for one in found]) / np.std([one.point for one in found], ddof=1)
    return float(covered), float(spread)


def _coverage_row(world: World, runs: int, *, slack: float) -> Row:
    table = [list(world.trial.rows(*drawn)) for drawn in world.draw(rng_of("V4", world.name), runs, world.truth)]
    absolute = [row for rows in table for row in rows if row.scale == "absolute"]
    relative = [row for rows in table for row in rows if row.scale == "relative" and row.status == "ok"]
    noise = SIGMAS * slack / np.sqrt(runs)
    coverages = {"coverage": _covered(absolute, world.truth)}
    if world.relative_truth is not None:
        coverages["relative"] = _covered(relative, world.relative_truth)
    spread = _spread([row for row in absolute if row.arm == absolute[0].arm])
    passed = all(COVERAGE.widened(0.22 * noise).holds(value) for value in coverages.values())
    measured = [f"{name} {value:.4f}" for name, value in coverages.items()]
    if world.relative_truth is not None and len(relative) < len(absolute):
        measured.append(f"of the {len(relative):,} relative intervals with limits")
    return Row(
        bar="V4+" if world.beyond else "V4",
        setting=world.name,
        target=f"coverage {COVERAGE}" + ("" if world.beyond else f", SE/sd {SPREAD}"),
        measured=", ".join([*measured, f"SE/sd {spread:.4f}"]),
        reps=runs,
        passed=passed and (world.beyond or SPREAD.widened(0.75 * noise).holds(spread)),
    )


def _spread(rows: list[Estimate]) -> float:
    """Return the mean standard error over the standard deviation of the estimates."""
    return float(np.mean([row.se or 0.0 for row in rows]) / np.std([row.point or 0.0 for row in rows], ddof=1))


def _covered(rows: list[Estimate], truth: float) -> float:
    return float(np.mean([_holds(row, truth) for row in rows]))


def _holds(row: Estimate, value: float) -> bool:
    assert row.low is not None, row.reason
    assert row.high is not None
    return row.low <= value <= row.high


def v8(reps: int | None = None) -> Iterator[Row]:
    """Reject nothing too often where nothing happened, with uniform p-values."""
    runs = reps or 2_000
    limit = 0.0655 if reps is None else 0.05 + SIGMAS * np.sqrt(0.05 * 0.95 / runs)
    for world in WORLDS:
        drawn = world.draw(rng_of("V8", world.name), runs, 0.0)
        p = np.array([next(world.trial.rows(*cells)).p for cells in drawn])
        # Rates take few values, and Newcombe's p is a hybrid: uniformity is asked of what is continuous.
        uniform = 1.0 if "churn" in world.name else float(kstest(p, "uniform").pvalue)
        rejected = float(np.mean(p < 0.05))
        yield Row(
            bar="V8",
            setting=f"A/A: {world.name}",
            target=f"rejects ≤ {limit:.4f} at 5 %, KS p > .001",
            measured=f"rejects {rejected:.4f}" + ("" if "churn" in world.name else f", KS p {uniform:.3f}"),
            reps=runs,
            passed=bool(rejected <= limit and uniform > 0.001),
        )


def v10(reps: int | None = None) -> Iterator[Row]:
    """Keep the family-wise error of Holm over 4 arms × 5 metrics."""
    runs = reps or 5_000
    limit = 0.06 if reps is None else 0.05 + SIGMAS * np.sqrt(0.05 * 0.95 / runs)
    scenarios = {"every null true": (), "2 of 4 arms work": (0, 1), "3 of 4 arms work": (0, 1, 2)}
    for setting, working in scenarios.items():
        wrong, found = _families(setting, working, runs)
        yield Row(
            bar="V10",
            setting=f"Holm, 4 arms × 5 metrics, {setting}",
            target=f"family-wise error ≤ {limit:.4f}",
            measured=f"{wrong:.4f}" + (f" (power {found:.2f})" if working else ""),
            reps=runs,
            passed=bool(wrong <= limit),
        )


def _families(setting: str, working: tuple[int, ...], runs: int) -> tuple[float, float]:
    """Return the share of experiments with a false rejection, and the share of true effects found."""
    rng = rng_of("V10", setting)
    spec = Trial.of(SPEND).spec
    wrong, found = 0, 0.0
    for _ in range(runs):
        comparisons = _experiment(rng, spec.metrics.success[0], working)
        rows = [row for row in apply_multiplicity(comparisons, Analysis()) if row.scale == "absolute"]
        rejected = np.array([not _holds(row, 0.0) for row in rows]).reshape(4, 5)
        true = np.array([arm in working for arm in range(4)])
        wrong += bool(rejected[~true].any())
        found += float(rejected[true].mean()) if working else 0.0
    return wrong / runs, found / runs


def _experiment(rng: np.random.Generator, metric: object, working: tuple[int, ...]) -> list[Comparison]:
    """Draw five arms of 80 customers with five correlated metrics, as comparisons against the control."""
    shared = rng.normal(size=(5, 1, 80))
    values = np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=(5, 5, 80))
    for arm in working:
        values[arm + 1] += 0.6
    cells = [cells_of(arm) for arm in values]
    return [
        Comparison(
            row=Estimate(
                metric=f"m{k}", role="success", arm=f"a{arm}", control="c", estimand="itt", method="difference_in_means"
            ),
            metric=metric,  # type: ignore[arg-type]
            effect=hc2(cells[arm + 1][k], cells[0][k]),
            confirmatory=True,
        )
        for arm in range(4)
        for k in range(5)
    ]


def v11(reps: int | None = None) -> Iterator[Row]:
    """Raise few false alarms about the split where households were randomised, and see a real one."""
    runs = reps or 10_000
    limit = 20 if reps is None else int(np.ceil(runs * 0.001 + SIGMAS * np.sqrt(runs * 0.001) + 1))
    for setting, shares in {"50/50": (0.5, 0.5), "50/25/25": (0.5, 0.25, 0.25), "90/10": (0.9, 0.1)}.items():
        households, customers = _alarms(setting, shares, runs)
        yield Row(
            bar="V11",
            setting=f"SRM at .001, {setting} by household of 1 to 5",
            target=f"≤ {limit} alarms",
            measured=f"{households} alarms (counting customers: {customers})",
            reps=runs,
            passed=households <= limit,
        )
    p = srm_p([13_494, 12_506], [0.5, 0.5])
    yield Row(
        bar="V11",
        setting="51.9 % instead of 50 % of 26,000",
        target="alarm",
        measured=f"p {p:.1e}",
        reps=1,
        passed=p < 1e-3,
    )


def _alarms(setting: str, shares: tuple[float, ...], runs: int) -> tuple[int, int]:
    """Return the alarms when households are counted, and when customers are."""
    rng = rng_of("V11", setting)
    right, naive = 0, 0
    sizes = rng.integers(1, 6, 4_000)
    for _ in range(runs):
        arm = rng.choice(len(shares), size=len(sizes), p=shares)
        right += srm_p(np.bincount(arm, minlength=len(shares)).tolist(), shares) < 0.001
        naive += srm_p(np.bincount(arm, weights=sizes, minlength=len(shares)).tolist(), shares) < 0.001
    return right, naive


def v16(reps: int | None = None) -> Iterator[Row]:
    """Change nothing when nothing that matters changes."""
    yield from (_vanishing("V16", gap, 1e-10) for gap in metamorphic_gap(reps or 100, "V16"))


BARS: dict[str, Callable[[int | None], Iterator[Row]]] = {
    "V2": v2,
    "V4": v4,
    "V4+": v4_types,
    "V4-late": vlate,
    "V4-survey": survey_rows,
    "V5": v5,
    "V8": v8,
    "V9": v9,
    "V10": v10,
    "V11": v11,
    "V12": v12,
    "V13": v13,
    "V13-looks": v13_looks,
    "V14": v14,
    "V16": v16,
    "V20": v20,
    "gates": gates,
    **RAMP_UP_BARS,
    **SCORED_BARS,
    "hidden": hidden,
    **OPINION_BARS,
    **TARGETING_BARS,
    **POLICY_BARS,
    **LEFT_OUT_BARS,
    **NOBODY_BARS,
    **EFFECT_BARS,
}
