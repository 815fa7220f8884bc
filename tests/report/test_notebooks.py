"""A run's result in a notebook: every effect as a row, and page one's effects as a picture."""

from dataclasses import replace

import pytest

from cxcausal.core.errors import UsageError
from cxcausal.core.frames import _PICTURES, _TABLES
from cxcausal.core.results import Estimate
from tests.report.worlds import outreach
from tests.report.worlds_whom import pays


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


def test_whom_to_contact_is_a_table_by_its_name() -> None:
    result = pays()
    assert result.policy is not None
    policies = result.to_frame("policies").set_index("name")
    assert list(policies.index) == [worth.name for worth in result.policy.policies]
    told = policies.to_dict("index")["value"]
    assert (told["gain"], told["share_gig"], told["recommended"]) == (4.2, 0.41, True)
    assert policies["gain_low"]["value"] == pytest.approx(4.2 - 1.959964 * 0.4)
    assert policies["status"]["top_risk"] == "not_computed"
    groups = result.to_frame("groups")
    assert groups.loc[groups["harmed"], "name"].to_list() == [one.name for one in result.policy.groups if one.harmed]
    moments = result.to_frame("moments")
    assert len(moments) == 11 * 2 + 1
    cell = moments[(moments["row"] == "billing") & (moments["column"] == "plus") & (moments["arm"] == "agent")]
    assert cell[["best", "gain"]].to_numpy().tolist() == [["agent", 7.4]]
    assert moments["reason"].dropna().to_list() == ["too few customers to tell"]
    assert result.to_frame("responders").groupby("aim")["arm"].count().to_dict() == {"churn_90d": 3, "net_value": 3}


_ARMS = {f"share_{arm}" for arm in ("none", "bot", "gig", "agent")}


@pytest.mark.parametrize("name", _TABLES)
def test_a_table_has_the_same_columns_with_rows_and_without(name: str) -> None:
    full, empty = pays().to_frame(name), replace(outreach(), effects=(), checks=()).to_frame(name)
    assert len(full) > 0
    assert len(empty) == 0
    assert [column for column in full.columns if column not in _ARMS] == list(empty.columns)
    assert not any(isinstance(value, dict | tuple) for value in full.drop(columns="details", errors="ignore").stack())


@pytest.mark.parametrize("name", _PICTURES)
def test_a_picture_has_a_mark_for_every_number_of_its_table(name: str) -> None:
    svg = pays().plot(name).svg
    if name not in {"effects", "responders"}:
        assert svg.count("<circle") == pays().to_frame(name)["gain"].count()
    assert "<circle" in svg
    assert "<circle" not in replace(outreach(), effects=()).plot(name).svg


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="there is no 'polices'") as caught:
        pays().to_frame("polices")
    assert "use one of: effects, checks, policies, groups" in str(caught.value.problems[0])
    with pytest.raises(UsageError, match="there is no 'rules'"):
        pays().plot("rules")
