"""What an opinion says beside its point: distances, splits, clusters, what is missing, and bits."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import ScoreEffects
from cxcausal.core.score_queries import EffectQuery, Target
from cxcausal.scoring.opinions.opining import Asked
from cxcausal.scoring.opinions.overlap_weighting import OverlapWeighting
from cxcausal.scoring.potential import Potential
from cxcausal.scoring.road import ScoreRoad
from tests.opinions.worlds import EFFECT, LINEAR, METHODS, OUTCOME, RATIO, SURVEY, opinions_of, road_of, rows_of

TARGETS: Mapping[str, Target] = {
    "overlap_weighting": "ato",
    "matching": "ate",
    "parametric_aipw": "ate",
    "linear_dml": "ato",
    "dr_learner": "ate",
    "causal_forest": "ato",
}
ROOT = Path(__file__).resolve().parents[2]
each = pytest.mark.parametrize("method", METHODS)


@each
def test_the_distance_is_from_the_scores_effect_on_the_same_population(method: str) -> None:
    road = road_of(rows_of(), replace(LINEAR, repeats=3))
    told = opinions_of(road, method)["call", "zed"]
    assert told.target == TARGETS[method]
    query = EffectQuery(measure=OUTCOME, target=TARGETS[method])
    own = road.answer([query])[query]
    assert isinstance(own, ScoreEffects)
    scored = own.effects["call", "zed", ""]
    assert told.gap == pytest.approx(told.point - (scored.mean[0] - scored.mean[1]), abs=1e-12)
    assert told.n == scored.n
    assert 0 < told.gap_se < 1.5 * max(told.se, told.scores_se)
    assert abs(told.point - EFFECT) < 5 * told.se


@each
def test_it_says_the_same_to_the_bit_when_asked_again(method: str) -> None:
    assert opinions_of(road_of(rows_of(n=300)), method) == opinions_of(road_of(rows_of(n=300)), method)


@each
def test_clusters_widen_what_is_told(method: str) -> None:
    rows = rows_of(n=800, households=40)
    told = opinions_of(road_of(rows), method)["call", "zed"]
    alone = opinions_of(road_of(replace(rows, clusters={})), method)["call", "zed"]
    assert told.df < 45 < alone.df
    assert told.se > 0


@each
def test_unanswered_outcomes_are_weighed_for(method: str) -> None:
    told = opinions_of(road_of(rows_of(n=900)), method, "ate", SURVEY)["call", "zed"]
    assert told.reason is None
    assert abs(told.point - EFFECT) < 5 * told.se
    assert sum(told.n) < 800


@each
def test_a_ratio_is_compared_or_says_why_not(method: str) -> None:
    told = opinions_of(road_of(rows_of()), method, "ate", RATIO)["call", "zed"]
    if method in {"overlap_weighting", "matching", "parametric_aipw"}:
        assert told.reason is None
        assert abs(told.point - EFFECT / 5.5) < 5 * told.se
    else:
        assert "ratio" in str(told.reason)


@each
def test_an_arm_too_small_to_learn_from_has_a_reason(method: str) -> None:
    rows = rows_of(n=300)
    few = np.flatnonzero(rows.arm == 1)[10:]
    arm = rows.arm.copy()
    arm[few] = 0
    told = opinions_of(road_of(replace(rows, arm=arm)), method)["call", "zed"]
    assert "too few" in str(told.reason)


@pytest.mark.parametrize("method", ["matching", "causal_forest"])
def test_without_covariates_there_is_nothing_to_compare_by(method: str) -> None:
    told = opinions_of(road_of(rows_of(), covariates=()), method)["call", "zed"]
    assert "no covariate" in str(told.reason)


def test_an_outcome_more_changes_no_number() -> None:
    rows = rows_of(n=300)
    alone = opinions_of(road_of(rows), "linear_dml")
    road = road_of(rows)
    opinions_of(road, "linear_dml", measure=replace(OUTCOME, name="z", terms=(("z", 1.0),)))
    assert opinions_of(road, "linear_dml") == alone


def test_weights_are_of_the_population() -> None:
    rows = rows_of(n=600)
    twice = np.concatenate([np.arange(600), np.arange(600)[rows.numbers["x0"] > 0]])
    doubled = _chosen(rows, twice)
    weight = 1.0 + (rows.numbers["x0"] > 0)
    road, heavy = road_of(doubled), road_of(rows)
    heavy.nuisances.weight = np.asarray(weight, dtype=np.float64)
    one, other = (opinions_of(each, "overlap_weighting")["call", "zed"] for each in (road, heavy))
    assert one.point == pytest.approx(other.point, rel=1e-3)  # folds are hashed from keys, which copies share


def _chosen(rows: Rows, places: np.ndarray) -> Rows:
    numbers = {name: values[places] for name, values in rows.numbers.items()}
    return replace(rows, arm=rows.arm[places], key=rows.key[places], numbers=numbers)


@pytest.mark.parametrize("households", [0, 60])
def test_the_distance_has_the_standard_error_of_the_difference(households: int) -> None:
    road = road_of(rows_of(n=400, households=households), replace(LINEAR, repeats=3))
    told = opinions_of(road, "overlap_weighting")["call", "zed"]
    own = [(each.mean[1] - each.mean[0], each.phi[:, 1] - each.phi[:, 0]) for each in _potentials(road)]
    heard = [
        OverlapWeighting().heard(road, Asked(measure=OUTCOME, target="ato", arm="call", control="zed", repeat=place))
        for place in range(3)
    ]
    gap = np.median([each.point for each in heard]) - np.median([point for point, _ in own])
    variances = [
        _variance(each.phi - phi, road.rows) + (each.point - point - gap) ** 2
        for each, (point, phi) in zip(heard, own, strict=True)
    ]
    assert told.gap == pytest.approx(gap, abs=1e-12)
    assert told.gap_se == pytest.approx(np.sqrt(np.median(variances)), rel=1e-9)
    at = np.median([each.point for each in heard])
    spread = [_variance(each.phi, road.rows) + (each.point - at) ** 2 for each in heard]
    assert told.se == pytest.approx(np.sqrt(np.median(spread)), rel=1e-9)


def _potentials(road: ScoreRoad) -> list[Potential]:
    return list(road.potential(OUTCOME, "ato", "zed"))


def _variance(phi: Floats, rows: Rows) -> float:
    """Return the variance of a mean: units' squares, or clusters' sums with the share of each taken off."""
    n = len(phi)
    if not rows.clusters:
        return float(np.sum(phi**2) / (n * (n - 1)))
    (keys,) = rows.clusters.values()
    sums = [(phi[keys == key].sum(), np.mean(keys == key)) for key in np.unique(keys)]
    return float(sum(total**2 / (1 - share) for total, share in sums) / n**2)


def test_econml_is_imported_for_its_own_methods_only() -> None:
    code = (
        "import sys\nfrom tests.opinions.worlds import opinions_of, road_of, rows_of\n"
        "for method in ('overlap_weighting', 'matching', 'linear_dml'):\n"
        "    opinions_of(road_of(rows_of(n=200)), method)\n"
        "    print('econml' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", "False", "True"], done.stderr
