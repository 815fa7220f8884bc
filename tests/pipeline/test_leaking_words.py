"""A word that is the outcome, where a coin was tossed: found in the rows that the plan reads anyway."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxcausal.checks.leakage import Leakage
from cxcausal.data import open_dataset
from cxcausal.pipeline.score_road import BothRoads
from tests.data.plans import plan, rows


@pytest.mark.parametrize("column", ["closed", "channel"])
@pytest.mark.parametrize("more", [{"estimation": {"method": "aipw"}}, {"effect_modifiers": ["age"]}])
def test_a_word_that_is_the_outcome_fails(tmp_path: Path, column: str, more: dict[str, Any]) -> None:
    frame = rows(600)
    frame["closed"] = np.where(frame["churned"] == 1, "shut", "open")
    frame.to_parquet(tmp_path / "x.parquet")
    spec = plan({"source": "x.parquet", "unit": "customer_id"}, covariates=["age", column], **more)
    with open_dataset(spec, tmp_path) as dataset:
        roads = BothRoads(dataset=dataset, spec=spec)
        found = Leakage().judge(spec, roads.answer(Leakage().queries(spec)))
    assert found.verdict == ("fail" if column == "closed" else "pass")
    assert ("'closed' all but gives 'churn' away" in found.text) == (column == "closed")
