"""Companions' rows on real answers of the data edge, and the rows of the metrics beside which they stand."""

from pathlib import Path
from typing import Any

import pandas as pd

from cxcausal.core.protocols import Estimator
from cxcausal.core.results import Estimate
from cxcausal.data import open_dataset
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.estimators.parts import Parts
from cxcausal.estimators.winsorized import Winsorized
from tests.data.plans import plan, write

ALL: tuple[Estimator, ...] = (DifferenceInMeans(), Winsorized(), Parts())


def told(frame: pd.DataFrame, root: Path, metrics: list[dict[str, Any]], **changes: Any) -> list[Estimate]:
    """Return every row of the metrics, of which the first decides."""
    data = {**write(frame, root), **changes.pop("data", {})}
    blocks = {"covariates": (), "segments": (), **changes}
    planned = [{"desired_direction": "increase", **metric} for metric in metrics]
    spec = plan(data, metrics={"success": planned[:1], "secondary": planned[1:]}, **blocks)
    with open_dataset(spec, root) as dataset:
        metric_list = [metric for _, metric in spec.metrics.with_roles()]
        asked = [
            query
            for metric in metric_list
            for estimator in ALL
            for query in estimator.queries(spec, metric, dataset.levels)
        ]
        answers = dataset.answer(tuple(dict.fromkeys(asked)))
        made = [
            comparison
            for metric in metric_list
            for estimator in ALL
            for comparison in estimator.compare(spec, metric, dataset.levels, answers)
        ]
    rows = [comparison.at(0.05) for comparison in made]
    assert not any(row.companion and one.confirmatory for row, one in zip(rows, made, strict=True))
    return rows


def pick(rows: list[Estimate], metric: str, arm: str = "gig", **keys: object) -> Estimate:
    """Return the only row of a metric and an arm with these values; absolute, for all, untrimmed unless told."""
    wanted = {"population": "all", "scale": "absolute", "trimming": "none", "control": "none", **keys}
    (found,) = [
        row
        for row in rows
        if (row.metric, row.arm) == (metric, arm) and all(getattr(row, key) == value for key, value in wanted.items())
    ]
    return found
