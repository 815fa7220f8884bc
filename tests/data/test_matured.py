"""How many units had matured by a date, against a count over rows."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxcausal.core.queries import FlowQuery, MaturedQuery
from tests.data.plans import ask, opened, rows
from tests.data.test_answers import churn_in

DATES = ("2026-02-01", "2026-03-15", "2026-04-11", "2027-01-01")


def enrolled() -> pd.DataFrame:
    frame = rows()
    days = [(date(2026, 1, 1) + timedelta(days=i % 100)).isoformat() for i in range(len(frame))]
    return frame.assign(assigned_at=days)


@pytest.mark.parametrize("window", [0, 30, 60])
def test_units_are_counted_whose_window_was_over_by_a_date(tmp_path: Path, window: int) -> None:
    frame, query = enrolled(), MaturedQuery(dates=DATES, days=window)
    data = {"time_zero": "assigned_at", "observed_until": "2026-04-11"}
    metrics: dict[str, Any] = {"metrics": {"success": [churn_in(window)]}} if window else {}
    with opened(frame, tmp_path, data=data, **metrics) as dataset:
        answer = ask(dataset, [query, FlowQuery()])
    over = pd.to_datetime(frame.assigned_at) + pd.Timedelta(days=window)
    seen = over <= pd.Timestamp("2026-04-11") if window else over.notna()
    assert answer[query] == {day: int((seen & (over <= pd.Timestamp(day))).sum()) for day in DATES}
    assert answer[query][DATES[-1]] == answer[FlowQuery()].analysed


def test_without_a_time_zero_or_dates_nobody_knows(tmp_path: Path) -> None:
    known, none = MaturedQuery(dates=DATES), MaturedQuery(dates=())
    with opened(rows(), tmp_path) as dataset:
        assert ask(dataset, [known])[known] == {}
    with opened(enrolled(), tmp_path, data={"time_zero": "assigned_at"}) as dataset:
        assert ask(dataset, [none])[none] == {}
