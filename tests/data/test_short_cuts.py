"""Sums that are derived from others, and groups of texts as they are stored, give what rows give."""

from pathlib import Path

import numpy as np
import pandas as pd

from cxcausal.core.measure import Measure
from cxcausal.core.queries import MomentQuery
from tests.data.plans import ask, opened, rows

CHANGE = Measure(name="change", terms=(("change", 1.0),))
METRICS = {"success": [{"name": "change", "type": "mean", "column": "change", "desired_direction": "increase"}]}
NEGATIVE = {"columns": {"change": {"allow_negative": True}}}


def _cell(values: pd.Series) -> tuple[float, ...]:
    kept = values.dropna().to_numpy()
    centred = float(np.sum((kept - kept.mean()) ** 2))
    return len(kept), float(kept.mean()), centred, int(np.count_nonzero(kept)), float(kept.min()), float(kept.max())


def _check(frame: pd.DataFrame, folder: Path, by: tuple[str, ...] = ()) -> None:
    query = MomentQuery(measure=CHANGE, by=by)
    with opened(frame, folder, data=NEGATIVE, metrics=METRICS) as data:
        answer = ask(data, (query,))[query]
    filled = frame.assign(**{name: frame[name].fillna("") for name in by})
    groups = {key: values for key, values in filled.groupby(["arm", *by])["change"] if values.notna().any()}
    assert set(answer) == {(key[0], tuple(key[1:])) for key in groups}
    for (arm, *group), values in groups.items():
        found = answer[arm, tuple(group)]
        told = (found.n, found.mean[0], found.m2[0, 0], found.events, found.low, found.high)
        np.testing.assert_allclose(told, _cell(values), rtol=1e-9, atol=1e-9)


def test_values_of_minus_one_zero_and_one_with_some_missing(tmp_path: Path) -> None:
    rng, frame = np.random.default_rng(1), rows(300)
    frame["change"] = np.array([-1.0, 0.0, 1.0, np.nan])[rng.integers(0, 4, 300)]
    frame.loc[frame.arm == "gig", "change"] = frame.change.abs()
    frame.loc[frame.arm == "agent", "change"] = -1.0
    _check(frame, tmp_path)


def test_rates_of_everybody(tmp_path: Path) -> None:
    frame = rows(300)
    frame["change"] = (frame.age > 60).astype(int)
    _check(frame, tmp_path)


def test_a_missing_segment_and_an_empty_one_are_one_group(tmp_path: Path) -> None:
    rng, frame = np.random.default_rng(2), rows(300)
    frame["change"] = rng.normal(size=300)
    frame["tier"] = np.array([None, "", "gold"], dtype=object)[rng.integers(0, 3, 300)]
    _check(frame, tmp_path, by=("tier",))
    with opened(frame, tmp_path, data=NEGATIVE, metrics=METRICS) as data:
        assert data.levels["tier"] == ("", "gold")


def test_arms_that_are_stored_in_several_spellings(tmp_path: Path) -> None:
    frame = rows(200)
    frame["change"] = np.arange(200.0)
    frame["arm"] = np.where(frame.arm == "none", "0", np.where(frame.arm == "gig", "true", "1.0"))
    design = {"type": "randomized", "treatment": {"column": "arm", "control": "0", "arms": {"0": {}, "1": {}}}}
    query = MomentQuery(measure=CHANGE)
    with opened(frame, tmp_path, data=NEGATIVE, metrics=METRICS, design=design) as data:
        answer = ask(data, (query,))[query]
    assert {arm: cell.n for (arm, _), cell in answer.items()} == {
        "0": int((frame.arm == "0").sum()),
        "1": int((frame.arm != "0").sum()),
    }
