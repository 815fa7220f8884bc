"""From planned metrics to measures and units, and the queries that an estimator derives from them."""

from typing import Any

import pytest

from cxcausal.core.errors import ExitCode, PlanError
from cxcausal.core.measures import measure_of, unit_of, why_not_measured
from cxcausal.core.protocols import Estimator
from cxcausal.core.queries import ClusterQuery, MomentQuery
from cxcausal.core.spec.models import Metric
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from tests.estimators.plans import SPEND, plan


def _metric(**keys: Any) -> Metric:
    return Metric.model_validate({"name": "m", "desired_direction": "increase", **keys})


@pytest.mark.parametrize("kind", ["proportion", "mean", "count", "ordinal"])
def test_plain_metrics_are_their_column(kind: str) -> None:
    found = measure_of(_metric(type=kind, column="x", response="answered"))
    assert (found.terms, found.transform, found.denominator) == ((("x", 1.0),), "identity", None)
    assert (found.response, found.is_ratio) == ("answered", False)


def test_surveys_are_transformed() -> None:
    top = measure_of(_metric(type="top_box", column="csat", at_least=4))
    assert (top.transform, top.at_least) == ("top_box", 4)
    assert measure_of(_metric(type="nps", column="nps")).transform == "nps"


def test_ratios_and_weights_have_two_components() -> None:
    ratio = measure_of(_metric(type="ratio", numerator="a", denominator="b"))
    assert (ratio.terms, ratio.denominator, ratio.is_ratio) == ((("a", 1.0),), "b", True)
    assert measure_of(_metric(type="mean", column="x"), "w").is_ratio


def test_what_is_not_built_says_so() -> None:
    metric = _metric(type="quantile", column="x", q=0.9)
    assert why_not_measured(metric) == "a quantile is not an average, so this is not computed for it"
    with pytest.raises(PlanError, match="quantile") as caught:
        measure_of(metric)
    assert caught.value.exit_code == ExitCode.PLAN


@pytest.mark.parametrize(
    ("keys", "unit"),
    [
        ({"type": "proportion", "column": "x"}, "share of customers"),
        ({"type": "top_box", "column": "x", "at_least": 4, "response": "r"}, "share of respondents"),
        ({"type": "nps", "column": "x"}, "points"),
        ({"type": "count", "column": "x"}, "per customer"),
        ({"type": "mean", "column": "margin"}, "EUR per customer"),
        ({"type": "ratio", "numerator": "revenue", "denominator": "orders"}, "revenue per orders"),
    ],
)
def test_units_are_in_words(keys: dict[str, Any], unit: str) -> None:
    assert unit_of(plan(data={"columns": {"margin": {"unit": "EUR"}}}), _metric(**keys)) == unit


def test_queries_are_one_per_population_and_one_per_contrast_and_cluster_subset() -> None:
    estimator: Estimator = DifferenceInMeans()
    spec = plan(
        {"success": [SPEND]},
        arms=("none", "gig", "agent"),
        data={"cluster": ["household", "agent_id"]},
        segments=["tier"],
    )
    found = estimator.queries(spec, spec.metrics.success[0], {"tier": ("basic", "plus")})
    assert [query.by for query in found if isinstance(query, MomentQuery)] == [(), ("tier",)]
    clusters = [query for query in found if isinstance(query, ClusterQuery)]
    assert len(clusters) == 2 * 3 * 3
    assert {query.cluster for query in clusters} == {("household",), ("agent_id",), ("household", "agent_id")}
    assert len(set(found)) == len(found)
