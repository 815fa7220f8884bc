"""The same numbers as tea-tasting's, to 1e-6, wherever the definitions are the same; where they aren't, by how much."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.plans import plan_around

LIMIT = 1e-6
SHARES = {"none": "3/10", "call": "7/10"}
_WHY = {
    "relative effect, interval": "Fieller's set here, which excludes zero exactly when the absolute interval does; "
    "there the delta method on the logarithm",
    "spend adjusted, point": "Lin's regression here, with slopes of each arm's own; there one slope over both arms "
    "(CUPED), which takes in what treatment itself adds to the covariance",
    "spend adjusted, common slopes, point": "a slope from within the arms here; there from both arms together",
    "spend adjusted, standard error": "HC2, and the part for the population that covariates were drawn from; there "
    "neither",
}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One number here and there; `scale` is what its gap is a fraction of."""

    name: str
    ours: float
    theirs: float
    scale: float | None = None

    @property
    def gap(self) -> float:
        """The difference as a fraction of the scale, which is their number by default."""
        return abs(self.ours - self.theirs) / abs(self.scale or self.theirs)


def write_rows(path: Path, n: int = 60_000, *, seed: int = 3) -> None:
    """Write customers with an event, spend before and after, and orders with their revenue."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    treated = rng.random(n) < 0.7
    habit = rng.gamma(2.0, 10.0, n)
    orders = rng.poisson(1.0 + 0.1 * treated, n)
    columns = {
        "arm": np.where(treated, "call", "none"),
        "churned": (rng.random(n) < 0.14 - 0.005 * treated).astype(np.int8),
        "spend": habit + rng.gamma(2.0, 8.0, n) + treated * (0.1 + 0.01 * habit),
        "spend_pre": habit + rng.gamma(2.0, 4.0, n),
        "orders": orders,
        "revenue": orders * (20 + 0.1 * treated) + np.sqrt(orders) * rng.normal(0, 5, n),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def compared(path: Path) -> tuple[list[Compared], list[Compared]]:
    """Return what must agree, and what need not."""
    lin, ols, srm = _ours(path, "difference_in_means"), _ours(path, "ols"), _srm(path)
    them = _theirs(path)
    equal = [
        Compared(name="split, p-value of the chi-square test", ours=srm, theirs=them["split"].pvalue),
        Compared(
            name="relative effect of spend, point", ours=lin["spend", "relative"].point, theirs=_relative(them["spend"])
        ),
    ]
    for metric, told in {"churn": "rate", "spend": "mean, Welch", "aov": "ratio of means, delta method"}.items():
        equal += _rows(f"{metric} ({told})", lin[metric, "absolute"], them[metric])
    return equal, list(_apart(lin, ols, them))


def _rows(name: str, row: Any, told: Any) -> Iterator[Compared]:
    yield Compared(name=f"{name}, control", ours=row.mean_control, theirs=told.control)
    yield Compared(name=f"{name}, point", ours=row.point, theirs=told.effect_size)
    yield Compared(name=f"{name}, low", ours=row.low, theirs=told.effect_size_ci_lower)
    yield Compared(name=f"{name}, high", ours=row.high, theirs=told.effect_size_ci_upper)
    yield Compared(name=f"{name}, p-value", ours=row.p, theirs=told.pvalue)


def _apart(lin: Mapping[Any, Any], ols: Mapping[Any, Any], them: Mapping[str, Any]) -> Iterator[Compared]:
    relative, told = lin["spend", "relative"], them["spend"]
    width = told.rel_effect_size_ci_upper - told.rel_effect_size_ci_lower
    name = "relative effect, interval"
    yield Compared(name=name, ours=relative.high, theirs=told.rel_effect_size_ci_upper, scale=width)
    cuped = them["adjusted"]
    se = cuped.effect_size / cuped.statistic
    adjusted, common = lin["adjusted", "absolute"], ols["adjusted", "absolute"]
    yield Compared(name="spend adjusted, point", ours=adjusted.point, theirs=cuped.effect_size, scale=se)
    name = "spend adjusted, common slopes, point"
    yield Compared(name=name, ours=common.point, theirs=cuped.effect_size, scale=se)
    yield Compared(name="spend adjusted, standard error", ours=adjusted.se, theirs=se)


def _relative(told: Any) -> float:
    return float(told.rel_effect_size)


def _ours(path: Path, method: str) -> dict[tuple[str, str], Any]:
    from cxcausal.core.registry import Registry
    from cxcausal.data.opening import open_dataset

    spec = _spec(path)
    estimator = Registry(kind="estimators").load(method)()
    rows: dict[tuple[str, str], Any] = {}
    with open_dataset(spec, path.parent) as dataset:
        for _, metric in spec.metrics.with_roles():
            answers = dataset.answer(estimator.queries(spec, metric, {}))
            told = [one.at(0.05) for one in estimator.compare(spec, metric, {}, answers)]
            adjusted = "covariates" if metric.name == "adjusted" else "none"
            rows |= {(row.metric, row.scale): row for row in told if row.adjustment == adjusted}
    return rows


def _srm(path: Path) -> float:
    from cxcausal.core.registry import Registry
    from cxcausal.data.opening import open_dataset

    spec, check = _spec(path), Registry(kind="checks").load("srm")()
    with open_dataset(spec, path.parent) as dataset:
        return float(check.judge(spec, dataset.answer(check.queries(spec))).p)


def _spec(path: Path) -> Any:
    from cxcausal.core.spec.models import ExperimentSpec

    up = {"desired_direction": "increase"}
    spend = {"type": "mean", "column": "spend", **up}
    metrics = [
        {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"},
        {"name": "spend", **spend},
        {"name": "adjusted", **spend, "covariate": "spend_pre"},
        {"name": "aov", "type": "ratio", "numerator": "revenue", "denominator": "orders", **up},
    ]
    return ExperimentSpec.model_validate(plan_around(path.name, metrics, SHARES))


def _theirs(path: Path) -> Mapping[str, Any]:
    import polars as pl
    import tea_tasting as tt

    metrics = {
        "churn": tt.Mean("churned"),
        "spend": tt.Mean("spend"),
        "adjusted": tt.Mean("spend", "spend_pre"),
        "aov": tt.RatioOfMeans("revenue", "orders"),
        "split": tt.SampleRatio({"none": 0.3, "call": 0.7}, method="norm", correction=False),
    }
    found: Mapping[str, Any] = tt.Experiment(metrics, variant="arm").analyze(pl.scan_parquet(path), control="none")
    return found


def agreement_page(path: Path) -> str:
    """Return the section of the page.

    Raises:
        SystemExit: numbers of equal definition differ by more than 1e-6.
    """
    if not path.exists():
        write_rows(path)
    equal, apart = compared(path)
    wrong = [f"{one.name}: {one.ours!r} here, {one.theirs!r} there" for one in equal if not one.gap <= LIMIT]
    if wrong:
        raise SystemExit("tea-tasting and cxcausal disagree:\n" + "\n".join(wrong))
    lines = [
        "## The same numbers",
        "",
        f"On 60,000 generated customers, against tea-tasting. No relative gap is above {LIMIT:.0e}, or this run fails.",
        "",
        "| number | cxcausal | tea-tasting | gap |",
        "|---|---|---|---|",
        *(f"| {one.name} | {one.ours:.8g} | {one.theirs:.8g} | {one.gap:.0e} |" for one in equal),
        "",
        "Where definitions differ, gaps of points are fractions of a standard error, and that of the interval's limit",
        "is one of its width. Its continuity correction of the split check is off, as there is none here; its ratios",
        "with a covariate have no peer here yet.",
        "",
        "| number | cxcausal | tea-tasting | gap | why |",
        "|---|---|---|---|---|",
        *(f"| {o.name} | {o.ours:.8g} | {o.theirs:.8g} | {o.gap:.4f} | {_WHY[o.name]} |" for o in apart),
    ]
    return "\n".join(lines) + "\n"
