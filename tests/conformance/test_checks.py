"""What every registered check must do, ours and outsiders'."""

import json
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pytest

from cxcausal.core.answers import Duplicates, Flow, Moments
from cxcausal.core.queries import (
    CorrelationQuery,
    CountQuery,
    CovariateQuery,
    FlowQuery,
    MissingQuery,
    MixedQuery,
    MomentQuery,
    Query,
)
from cxcausal.core.registry import Registry
from tests.conformance.plans import small_plan

NAMES = Registry(kind="checks").names()
VERDICTS = {"pass", "warn", "fail", "info", "could_not_run"}


def _moments(n: int) -> Moments:
    return Moments(n=n, mean=np.array([0.14]), m2=np.array([[0.12 * n]]), events=n // 7, low=0.0, high=1.0)


def answer(query: Query, n: int = 1000) -> Any:  # noqa: PLR0911 - one answer per kind of query
    """Answer a query as an unremarkable experiment with n units per arm would."""
    arms = ("none", "call")
    groups = [()] if not getattr(query, "by", ()) else [("a",), ("b",)]
    match query:
        case FlowQuery():
            both = dict.fromkeys(arms, n)
            return Flow(
                rows=2 * n,
                filtered_out=0,
                enrolled=2 * n,
                immature=0,
                analysed=2 * n,
                randomization_units=2 * n,
                enrolled_by_arm=both,
                immature_by_arm=dict.fromkeys(arms, 0),
                analysed_by_arm=both,
            )
        case CountQuery():
            return {(arm, group): n // len(groups) for arm in arms for group in groups}
        case MissingQuery():
            return dict.fromkeys(arms, (n, 0))
        case MomentQuery() | CovariateQuery():
            return {(arm, group): _moments(n // len(groups)) for arm in arms for group in groups}
        case CorrelationQuery():
            return 0.1
        case MixedQuery():
            return 0
        case _:
            return Duplicates(repeated=0, mixed=0)


def _spec() -> Any:
    return small_plan(covariates=["tenure"], segments=["tier"], data={"source": "x.parquet", "unit": "customer_id"})


def _judge(name: str, n: int, **options: Any) -> Any:
    check = Registry(kind="checks").load(name)(**options)
    spec = _spec()
    return check.judge(spec, {query: answer(query, n) for query in check.queries(spec)})


@pytest.mark.parametrize("name", NAMES)
def test_is_a_frozen_record_of_its_options(name: str) -> None:
    check: Any = Registry(kind="checks").load(name)
    options = {field.name for field in fields(check)}
    assert check.name == name
    assert "on_breach" in options
    assert check() == check()
    hash(check())


@pytest.mark.parametrize("name", NAMES)
def test_judges_a_sound_experiment_without_a_breach(name: str) -> None:
    found = _judge(name, 1000)
    assert found.verdict in VERDICTS - {"fail", "warn"}
    assert found.name == name
    assert found.text.endswith(".")
    assert len(found.text) > 20


@pytest.mark.parametrize("name", NAMES)
def test_survives_an_experiment_without_units(name: str) -> None:
    assert _judge(name, 0).verdict in VERDICTS


@pytest.mark.parametrize("name", NAMES)
def test_says_what_a_breach_means_and_crosses_the_json_boundary(name: str) -> None:
    found = _judge(name, 1000, on_breach="warn")
    assert found.on_breach == "warn"
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["name"] == name
