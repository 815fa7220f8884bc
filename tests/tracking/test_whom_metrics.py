"""What MLflow is told about whom to contact: finite numbers under names that it takes, and nothing too early."""

from dataclasses import asdict, replace

from cxcausal.core.whom import AimHeterogeneity, ArmHeterogeneity, PolicyResult, PolicyWorth, Told
from cxcausal.tracking.projection import effect_metrics, project, whom_metrics
from tests.tracking.test_mlflow_sink import MakeResult

RUN = "01JABCDEFGHJKMNPQRSTVWXYZ0"
GAIN = Told(point=4.2, low=3.4, high=5.0)
POLICY = PolicyResult(
    aim="net_value",
    label="Net value",
    unit="EUR",
    level=0.95,
    policies=(
        PolicyWorth(name="nobody", label="Nobody", gain=Told(point=0.0), beyond=Told(point=-2.0, low=-3.0, high=-1.0)),
        PolicyWorth(name="everybody:a=b", label="Everybody", gain=GAIN, beyond=Told(point=float("inf"))),
    ),
)
AIMS = (
    AimHeterogeneity(
        aim="net_value",
        label="Net value",
        unit="EUR",
        learned=10,
        judged=20,
        arms=(
            ArmHeterogeneity(arm="a=b", autoc=Told(point=1.5), p=0.25),
            ArmHeterogeneity(arm="bot", status="not_computed"),
        ),
    ),
)


def test_rules_and_arms_have_their_numbers_under_names_that_mlflow_takes(make_result: MakeResult) -> None:
    results = asdict(replace(make_result(RUN), policy=POLICY, heterogeneity=AIMS))
    found = whom_metrics(results)
    assert found["policy/nobody/gain"] == 0.0
    assert "policy/nobody/low" not in found
    assert found["policy/beyond/nobody/high"] == -1.0
    assert [value for name, value in found.items() if name.startswith("policy/everybody:a_b-")] == [4.2, 3.4, 5.0]
    assert sorted(value for name, value in found.items() if name.startswith("heterogeneity/net_value/a_b-")) == [
        0.25,
        1.5,
    ]
    assert len(found) == 9
    assert not set("".join(found)) & set("=()%+,'[]€")
    projected = project(results, manifest_hash="a" * 64, ledger_hash="b" * 64).metrics
    assert projected == {**effect_metrics(results["effects"], "none"), **found}


def test_results_without_policies_and_of_before_them_add_nothing(make_result: MakeResult) -> None:
    results = asdict(make_result(RUN))
    assert whom_metrics(results) == {}
    del results["heterogeneity"]
    del results["reading"]
    assert whom_metrics(results) == {}


def test_nothing_is_told_before_it_may_be_read(make_result: MakeResult) -> None:
    results = asdict(replace(make_result(RUN), policy=POLICY, heterogeneity=AIMS))
    assert whom_metrics({**results, "reading": {"waiting": "the first look is on 2026-12-01"}}) == {}
