"""A run's result in a notebook: every effect as a row, and page one's effects as a picture."""

from dataclasses import replace

from cxcausal.core.results import Estimate
from tests.report.worlds import outreach


def test_the_table_has_a_row_per_effect_and_a_column_per_field() -> None:
    result = outreach()
    frame = result.to_frame()
    assert list(frame.columns) == list(Estimate.__dataclass_fields__)
    assert list(frame["point"].dropna()) == [row.point for row in result.effects if row.point is not None]
    assert frame["metric"].to_list() == [row.metric for row in result.effects]
    assert list(replace(result, effects=()).to_frame().columns) == list(frame.columns)


def test_the_picture_shows_what_page_one_shows_of_everybody() -> None:
    result = outreach()
    shown = [row for row in result.effects if row.headline and row.scale == "absolute" and row.population == "all"]
    told = [row for row in shown if row.point is not None]
    svg = result.plot().svg
    assert len(told) > 1
    assert svg.count("<circle") == len(told)
    assert all(f"{row.arm} against {row.control}" in svg for row in told)
