"""Bars of a ramp-up (effects and splits within epochs) and of `aa` itself, run on data in the engine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.pooled import open_pooled
from cxcausal.data.retossing import coin_of, shares_of
from cxcausal.pipeline.aa import AaAsked, tossed_often
from cxcausal.pipeline.aa_result import AlarmRate
from cxcausal.stats.difference import Difference, hc2
from cxcausal.stats.poststratification import Stratum, poststratified
from cxcausal.stats.proportions import srm_p, strata_srm_p
from cxcausal.stats.regression import lin
from tests.twins import Values
from tests.validation.adjusted import fits_from
from tests.validation.engine import SEED, SPEND, Band, Row, cells_of, rng_of

COVERAGE = Band(low=0.938, high=0.962)
SPREAD = Band(low=0.95, high=1.05)
SIGMAS = 4
TRUTH = 1.0
SHARES = (0.1, 0.5)
Found = dict[str, Difference]


def v4r(reps: int | None = None) -> Iterator[Row]:
    """Cover the population's effect within epochs, where the pooled difference doesn't, and alarm rarely."""
    yield from _coverages(reps)
    yield _splits(reps)


def _coverages(reps: int | None) -> Iterator[Row]:
    runs = reps or 4_000
    noise = 0.0 if reps is None else SIGMAS / np.sqrt(runs)
    for setting, draw in {
        "spend drifts, 10 % then 50 % of 1,000": _spend,
        "churn drifts, the same, 2,000": _churn,
    }.items():
        rng = rng_of("V4r", setting)
        truth, drawn = (TRUTH if draw is _spend else -0.05), [_compared(*draw(rng)) for _ in range(runs)]
        for name in ("lin by epoch", "money by epoch"):
            coverage, spread = _covered([one[name] for one in drawn], truth)
            held = COVERAGE.widened(0.22 * noise).holds(coverage) and SPREAD.widened(0.75 * noise).holds(spread)
            target, told = f"coverage {COVERAGE}, SE/sd {SPREAD}", f"coverage {coverage:.4f}, SE/sd {spread:.4f}"
            yield Row(bar="V4r", setting=f"{setting}: {name}", target=target, measured=told, reps=runs, passed=held)
        coverage, _ = _covered([one["pooled"] for one in drawn], truth)
        yield Row(
            bar="V4r",
            setting=f"{setting}: pooled",
            target="coverage < 0.8: the bar must see it",
            measured=f"coverage {coverage:.4f}",
            reps=runs,
            passed=coverage < 0.8,
        )


def _spend(rng: np.random.Generator) -> tuple[Values, Values, Values]:
    """Draw 1,000 customers; the late spend 4 more and gain 1.5 instead of 0.5, 1 on average over the population."""
    late = rng.random(1_000) < 0.5
    treated = rng.random(1_000) < np.where(late, SHARES[1], SHARES[0])
    return rng.gamma(2.0, 2.0, 1_000) + 4 * late + treated * (0.5 + late), treated + 0.0, late + 0.0


def _churn(rng: np.random.Generator) -> tuple[Values, Values, Values]:
    """Draw 2,000 customers, of whom the late leave more often."""
    late = rng.random(2_000) < 0.5
    treated = rng.random(2_000) < np.where(late, SHARES[1], SHARES[0])
    return (rng.random(2_000) < 0.2 + 0.2 * late - 0.05 * treated) + 0.0, treated + 0.0, late + 0.0


def _compared(y: Values, treated: Values, late: Values) -> Found:
    cells = {(arm, epoch): y[(treated == arm) & (late == epoch)] for arm in (0, 1) for epoch in (0, 1)}
    moments = {key: cells_of(cell[None, :])[0] for key, cell in cells.items()}
    strata = [
        Stratum(treated=moments[1, epoch], control=moments[0, epoch], size=int(np.sum(late == epoch)))
        for epoch in (0, 1)
    ]
    pooled = [cells_of(y[treated == arm][None, :])[0] for arm in (1, 0)]
    return {
        "lin by epoch": lin(fits_from(y, treated, late[:, None]), "t", "c"),
        "money by epoch": poststratified(strata),
        "pooled": hc2(*pooled),
    }


def _covered(found: list[Difference], truth: float) -> tuple[float, float]:
    limits = [one.interval(0.95) for one in found]
    covered = np.mean([limit.low <= truth <= limit.high for limit in limits])
    return float(covered), float(np.mean([one.se for one in found]) / np.std([one.point for one in found], ddof=1))


def _splits(reps: int | None) -> Row:
    runs = reps or 10_000
    limit = 20 if reps is None else int(np.ceil(runs * 0.001 + SIGMAS * np.sqrt(runs * 0.001) + 1))
    rng, alarms, naive = rng_of("V4r", "srm"), 0, 0
    for _ in range(runs):
        treated = rng.binomial(2_000, SHARES)
        alarms += strata_srm_p([([2_000 - n, n], [1 - s, s]) for n, s in zip(treated, SHARES, strict=True)]) < 0.001
        naive += srm_p([4_000 - int(treated.sum()), int(treated.sum())], [0.5, 0.5]) < 0.001
    return Row(
        bar="V4r",
        setting="SRM at .001, each epoch by its own shares",
        target=f"≤ {limit} alarms",
        measured=f"{alarms} alarms (against the last share alone: {naive})",
        reps=runs,
        passed=alarms <= limit,
    )


def v8a(reps: int | None = None) -> Iterator[Row]:
    """Let `aa` find right what is right, and wrong what forgets the households that the coin was tossed for."""
    tosses = reps or 2_000
    limit = 0.0655 if reps is None else 0.05 + SIGMAS * np.sqrt(0.05 * 0.95 / tosses)
    for setting, data in {"households": {}, "households, adjusted by nothing, in strata": {"strata": ["tier"]}}.items():
        row = _alarms(tosses, dict(data), ["home"])
        yield Row(
            bar="V8a",
            setting=f"aa, {setting}",
            target=f"alarms ≤ {limit:.4f}, KS p > .001",
            measured=f"alarms {row.rate:.4f}, KS p {row.uniform_p:.3f}",
            reps=tosses,
            passed=bool((row.rate or 0.0) <= limit and (data or (row.uniform_p or 0.0) > 0.001)),
        )
    wrong = _alarms(tosses, {}, ["id"])
    yield Row(
        bar="V8a",
        setting="aa, households tossed, customers analysed",
        target="too many: the bar must see it",
        measured=f"alarms {wrong.rate:.4f}, {wrong.verdict}",
        reps=tosses,
        passed=wrong.verdict == "too_many",
    )


def _alarms(tosses: int, design: dict[str, list[str]], cluster: list[str]) -> AlarmRate:
    """Return the line of the success metric: 900 customers in households of three that spend alike."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        _households().to_csv(root / "x.csv", index=False)
        treatment = {"column": "arm", "control": "c", "arms": {"c": {"share": "1/2"}, "t": {"share": "1/2"}}}
        spec = ExperimentSpec.model_validate(
            {
                "schema_version": 1,
                "id": "v",
                "question": "?",
                "owner": "team@example.com",
                "data": {"source": "x.csv", "unit": "id", "randomization_unit": "home", "cluster": cluster},
                "design": {"type": "randomized", "treatment": treatment, **design},
                "metrics": {"success": [SPEND]},
            }
        )
        with open_pooled(spec, root) as dataset:
            shares = shares_of(dataset, spec)
            asked = AaAsked(tosses=tosses, seed=SEED, shares={}, shares_from="plan", plan_hash="")
            found = tossed_often(spec, dataset, coin_of(dataset, spec, shares), asked, lambda _: None)
    return found.rows[0]


def _households() -> pd.DataFrame:
    rng = rng_of("V8a", "households")
    home = np.arange(900) // 3
    y = 2 * rng.gamma(2.0, 1.0, 300)[home] + rng.normal(size=900)
    return pd.DataFrame({"id": range(900), "home": home, "y": y.round(4), "tier": np.where(home % 3, "a", "b")})


RAMP_UP_BARS: dict[str, Callable[[int | None], Iterator[Row]]] = {"V4r": v4r, "V8a": v8a}
