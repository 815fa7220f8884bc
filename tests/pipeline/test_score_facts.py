"""What a run keeps of the score road: plain numbers of the plan's metrics, and nothing that may not be read yet."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxcausal.core.canonical import canonical_json
from cxcausal.core.exact_json import from_json, same_bits, to_json
from cxcausal.core.measures import measure_of
from cxcausal.core.score_answers import (
    ArmOverlap,
    BalanceAnswer,
    Benchmark,
    Imbalance,
    LearnerFacts,
    NuisanceAnswer,
    Opinion,
    OpinionAnswer,
    OverlapAnswer,
    RefutationAnswer,
    Refuter,
    Sensitivity,
    SensitivityAnswer,
    SpecificationAnswer,
    TimeZeroAnswer,
    TimeZeroGap,
)
from cxcausal.core.score_facts import ScoreFacts
from cxcausal.core.score_queries import (
    BalanceQuery,
    NuisanceQuery,
    OpinionQuery,
    OverlapQuery,
    RefutationQuery,
    SensitivityQuery,
    SpecificationQuery,
    TimeZeroQuery,
)
from cxcausal.core.stored import record_from
from cxcausal.data import open_dataset
from cxcausal.pipeline.score_facts import fact_queries, score_facts
from cxcausal.pipeline.score_road import BothRoads
from cxcausal.pipeline.stages import kinds
from tests.observed import people, plan, written

PAIR = ("human", "bot")
CHURN = measure_of(plan().metrics.success[0])


def _as_numpy_gives_it(value: float) -> Any:
    return np.float64(value)


def told() -> dict[Any, Any]:
    """Return one answer of every kind."""
    arm = ArmOverlap(
        units=3,
        effective=_as_numpy_gives_it(2.5),
        quantiles=np.linspace(0, 1, 9),
        histogram={"bot": np.zeros(20), "human": np.arange(20.0)},
        below=1,
        above=0,
        clipped=12,
    )
    bound = np.array([[0.1, np.inf], [0.2, 0.3]])
    strong = Sensitivity(
        point=-0.1,
        se=0.02,
        robustness=0.2,
        benchmarks=(Benchmark(column="trouble", outcome=0.1, treatment=0.2),),
        grid=np.array([0.0, 0.5]),
        bound=bound,
        simulated=((1.0, -0.08),),
    )
    refuter = Refuter(name="subset", expected=-0.1, found=-0.1, se=0.01, draws=100, refits=False)
    key: dict[str, Any] = {"measure": CHURN, "target": "ato"}
    return {
        OverlapQuery(target="ato"): OverlapAnswer(arms={"human": arm}, floor=0.01, discrimination={}, units=9),
        BalanceQuery(target="ato"): BalanceAnswer(
            rows=(Imbalance(arm="human", column="trouble", level="", before=0.5, after=0.01, se=0.02),)
        ),
        TimeZeroQuery(target="ato"): TimeZeroAnswer(
            gaps=(TimeZeroGap(arm="human", days=1.0, se=float("nan"), standardised=0.1),)
        ),
        NuisanceQuery(measure=CHURN): NuisanceAnswer(
            facts=(LearnerFacts(role="outcome", arm="bot", learner="linear", loss=0.1, baseline=0.2),),
            folds=3,
            repeats=3,
        ),
        OpinionQuery(method="matching", **key): OpinionAnswer(
            opinions={PAIR: Opinion(point=-0.1, se=0.1), ("bot", "human"): Opinion(reason="none")}
        ),
        SpecificationQuery(**key): SpecificationAnswer(choices={PAIR: {"linear": Opinion(point=-0.2, se=0.1)}}),
        SensitivityQuery(alpha=0.05, **key): SensitivityAnswer(
            found={PAIR: strong, ("bot", "human"): Sensitivity(reason="none")}
        ),
        RefutationQuery(**key): RefutationAnswer(refuters={PAIR: (refuter,)}),
    }


def test_every_answer_becomes_plain_numbers_with_its_metric_and_its_contrast() -> None:
    facts = score_facts(plan(), told())
    assert facts.overlap is not None
    assert (facts.overlap.arms[0].arm, facts.overlap.arms[0].effective) == ("human", 2.5)
    assert (facts.overlap.arms[0].below, facts.overlap.arms[0].above, facts.overlap.arms[0].clipped) == (None, 0, 12)
    assert facts.overlap.arms[0].quantiles == (None, *np.linspace(0, 1, 9)[1:-1].tolist(), None)
    assert facts.overlap.arms[0].histogram["human"][2] == 2.0
    assert facts.overlap.arms[0].discrimination is None
    assert facts.time_zero[0].se is None
    assert [(one.metric, one.name, one.point, one.reason) for one in facts.opinions] == [
        ("churn", "matching", -0.1, None),
        ("churn", "matching", None, "none"),
    ]
    assert [(one.name, one.point) for one in facts.specification] == [("linear", -0.2)]
    assert facts.sensitivity[0].bound == ((0.1, None), (0.2, 0.3))
    assert facts.sensitivity[0].benchmarks[0].column == "trouble"
    assert (facts.sensitivity[1].reason, facts.sensitivity[1].point) == ("none", None)
    assert [(one.metric, one.arm, one.name) for one in facts.refutation] == [("churn", "human", "subset")]
    assert [(one.metric, one.arm) for one in facts.nuisances] == [("churn", "bot")]


def test_facts_come_back_from_a_results_file_and_from_a_stopped_run_as_they_were() -> None:
    facts = score_facts(plan(), told())
    assert record_from(ScoreFacts, json.loads(canonical_json(facts))) == facts
    assert same_bits(from_json(json.loads(json.dumps(to_json(facts))), kinds()), facts)


def test_before_its_time_nothing_is_kept_that_tells_an_effect() -> None:
    facts = score_facts(plan(), told(), withheld=True)
    assert (facts.opinions, facts.specification, facts.sensitivity, facts.refutation) == ((), (), (), ())
    assert facts.balance


def test_of_what_nobody_asked_nothing_is_kept() -> None:
    facts = score_facts(plan(), {})
    assert facts == ScoreFacts(target="ato", adjusted_for=("trouble", "tenure", "channel"), folds=3, repeats=3)


def test_a_randomised_plan_asks_for_no_scores() -> None:
    spec = plan()
    coin = {"type": "randomized", "treatment": spec.design.treatment.model_dump()}
    assert fact_queries(type(spec).model_validate({**spec.model_dump(), "design": coin})) == ()


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_road_tells_how_chances_and_outcomes_were_learned(tmp_path: Path, missing: float) -> None:
    spec = plan()
    with open_dataset(spec, written(tmp_path, people(n=800, missing=missing)), data_roots=()) as dataset:
        facts = score_facts(spec, BothRoads(dataset=dataset, spec=spec).answer(fact_queries(spec)))
    named = [(one.metric, one.role, one.arm, one.learner) for one in facts.nuisances]
    assert named == [
        ("", "propensity", "", "logistic"),
        *((metric, "outcome", arm, "linear") for metric in ("churn", "margin") for arm in ("bot", "human")),
    ]
    assert all(one.loss is not None and one.baseline is not None for one in facts.nuisances)
    strong = [one for one in facts.nuisances if one.metric != "churn"]
    assert [one for one in strong if one.loss >= one.baseline] == []  # type: ignore[operator]


def test_an_arm_too_small_to_learn_from_has_no_facts_and_stops_nothing(tmp_path: Path) -> None:
    frame = people(n=800)
    human = frame.index[frame["route"] == "human"]
    frame.loc[human[12:], "churned"] = float("nan")
    spec = plan()
    with open_dataset(spec, written(tmp_path, frame), data_roots=()) as dataset:
        facts = score_facts(spec, BothRoads(dataset=dataset, spec=spec).answer(fact_queries(spec)))
    assert {one.metric for one in facts.nuisances} == {"", "margin"}
