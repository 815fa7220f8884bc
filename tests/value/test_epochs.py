"""Money under a ramp-up: within epochs, from the rows themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from cxcausal.core.results import ValueResult
from cxcausal.data import open_dataset
from cxcausal.value.model import value_of, value_queries
from tests.ramps import customers, ramp_plan

NEAR = 1e-9


def worth(frame: pd.DataFrame, root: Path, **changes: Any) -> ValueResult:
    frame.to_csv(root / "ramp.csv", index=False)
    spec = ramp_plan(**changes)
    with open_dataset(spec, root) as dataset:
        found = value_of(spec, dataset.answer(value_queries(spec)))
    assert found is not None
    return found


def by_rows(frame: pd.DataFrame) -> tuple[float, float, float]:
    """Return effect, lower and upper end of its interval of net spend, cell by cell."""
    known = frame.dropna(subset=["spend"])
    net = known["spend"] - 0.2 * (known["arm"] == "gig")
    groups = [(len(rows) / len(known), [net[rows.index][rows["arm"] == arm] for arm in ("gig", "none")])
              for _, rows in known.groupby("entered")]  # fmt: skip
    effects = np.array([one.mean() - two.mean() for _, (one, two) in groups])
    weights = np.array([weight for weight, _ in groups])
    effect = float(weights @ effects)
    parts = [(weight**2 * cell.var(ddof=1) / len(cell), len(cell) - 1) for weight, pair in groups for cell in pair]
    parts.append((float(weights @ (effects - effect) ** 2) / (len(known) - 1), len(known) - 1))
    variance = sum(part for part, _ in parts)
    half = t.ppf(0.975, variance**2 / sum(part**2 / df for part, df in parts)) * variance**0.5
    return effect, float(effect - half), float(effect + half)


def test_net_value_is_averaged_over_epochs(tmp_path: Path) -> None:
    frame = customers(800)
    frame.loc[::17, "spend"] = np.nan
    (arm,) = worth(frame, tmp_path).arms
    told = arm.net_per_customer["central"]
    assert (told.point, told.low, told.high) == pytest.approx(by_rows(frame), rel=NEAR)
    assert sum(part.per_customer for part in arm.parts) == pytest.approx(told.point, rel=NEAR)
    assert arm.cost_per_customer == pytest.approx(0.2, rel=NEAR)
    assert arm.n_treated == int((frame["spend"].notna() & (frame["arm"] == "gig")).sum())


@pytest.mark.parametrize("data", [{"randomization_unit": "home"}, {"weight": "before"}])
def test_what_can_not_be_told_within_epochs_is_withheld_with_a_reason(tmp_path: Path, data: dict[str, Any]) -> None:
    frame = customers(400)
    frame["before"] = frame["before"].abs() + 1
    (arm,) = worth(frame, tmp_path, data=data).arms
    assert arm.status == "not_computed"
    assert "shares changed during enrolment" in str(arm.reason)


def test_an_epoch_with_a_single_customer_in_an_arm_gives_no_money(tmp_path: Path) -> None:
    frame = customers(400)
    frame.loc[(frame["arm"] == "gig").cumsum() > 1, "entered"] = "2025-10-20"
    (arm,) = worth(frame, tmp_path).arms
    assert arm.reason == "in an epoch of the enrolment an arm has fewer than 2 customers with a value"
