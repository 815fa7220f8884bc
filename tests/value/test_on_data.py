"""The same money from a file through the engine as from the rows themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.data.opening import open_dataset
from cxcausal.value.model import value_of, value_queries
from tests.value.worlds import customers, plan

NEAR = 1e-9


@pytest.mark.parametrize("data", [{}, {"randomization_unit": "household"}, {"weight": "w"}])
def test_the_engine_and_the_rows_agree(tmp_path: Path, data: dict[str, Any]) -> None:
    rows = customers(11, n=600)
    frame = pd.DataFrame(rows.columns).assign(id=np.arange(600))
    frame.to_parquet(tmp_path / "rows.parquet")
    spec = plan(data={"source": "rows.parquet", **data}, value={"population": 5000, "fixed_cost": 100})
    with open_dataset(spec, tmp_path, data_roots=()) as dataset:
        found = value_of(spec, dataset.answer(value_queries(spec)))
    wanted = value_of(spec, rows.answers(value_queries(spec)))
    assert found is not None
    assert wanted is not None
    for one, other in zip(found.arms, wanted.arms, strict=True):
        assert (one.n_treated, one.status, one.rollout_customers) == (other.n_treated, "ok", other.rollout_customers)
        assert [part.per_customer for part in one.parts] == pytest.approx(
            [part.per_customer for part in other.parts], rel=NEAR
        )
        for level, told in one.net_per_customer.items():
            expected = other.net_per_customer[level]
            assert (told.point, told.low, told.high) == pytest.approx(
                (expected.point, expected.low, expected.high), rel=NEAR
            )
