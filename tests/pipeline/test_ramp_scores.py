"""Scores in a ramp-up: the chance of an arm hangs on the epoch, and so do nuisances."""

from pathlib import Path

import numpy as np
import pytest

from cxcausal.core.measures import measure_of
from cxcausal.core.score_answers import ScoreEffects
from cxcausal.core.score_queries import EffectQuery
from cxcausal.data import open_dataset
from cxcausal.pipeline.score_road import BothRoads
from cxcausal.pipeline.whom import aims_of, eligible_of, weight_of
from tests.ramps import customers, ramp_plan

LINEAR = {"method": "aipw", "folds": 2, "repeats": 1, "nuisance": {"outcome": "linear", "propensity": "linear"}}


def test_effects_and_gains_are_not_those_of_the_later_weeks(tmp_path: Path) -> None:
    from cxcausal.heterogeneity.turning import held_out  # noqa: PLC0415 - heavy

    customers(effect=1.0).to_csv(tmp_path / "ramp.csv", index=False)
    spec = ramp_plan(covariates=["before"], effect_modifiers=["tier"], estimation=LINEAR)
    query = EffectQuery(measure=measure_of(spec.metrics.success[0]), target="ate")
    with open_dataset(spec, tmp_path) as dataset:
        roads = BothRoads(dataset=dataset, spec=spec)
        answer, asked = roads.answer([query])[query], roads.asked()
    assert isinstance(answer, ScoreEffects)
    effect = answer.effects["gig", "none", ""]
    assert effect.mean[0] - effect.mean[1] == pytest.approx(1, abs=0.3)
    held = held_out(asked.rows, aims_of(spec)[0], modifiers=["tier"], nuisances=asked.nuisances,
                    eligible=eligible_of(asked.rows), weight=weight_of(asked.nuisances), learners=["dr"])  # fmt: skip
    scores = np.concatenate([turn.judged.scores for turn in held.turns])
    assert (scores[:, 1] - scores[:, 0]).mean() == pytest.approx(0.8, abs=0.3)
