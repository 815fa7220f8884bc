"""Small worlds without a coin, and the score road over them; arm names sort the wrong way round."""

import numpy as np

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import Opinion, OpinionAnswer
from cxcausal.core.score_queries import OpinionQuery, Target
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.scoring.road import ScoreRoad

OUTCOME = Measure(name="y", terms=(("y", 1.0),))
RATIO = Measure(name="r", terms=(("y", 1.0),), denominator="z")
SURVEY = Measure(name="y", terms=(("y", 1.0),), response="answered")
LINEAR = Recipe(outcome="linear", propensity="logistic", repeats=1)
ARMS = ("zed", "call", "agent")
"""The control sorts last."""
EFFECT = 1.0
METHODS = ("overlap_weighting", "matching", "parametric_aipw", "linear_dml", "dr_learner", "causal_forest")


def rows_of(n: int = 600, arms: int = 2, seed: int = 1, *, households: int = 0) -> Rows:
    """Return units whose k-th arm adds k · `EFFECT` to everybody, with some of the outcomes unanswered."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    home = rng.integers(0, households, n) if households else np.arange(n)
    scores = np.column_stack([0.4 * place * (x[:, 0] - 0.7 * x[:, 1]) for place in range(arms)])
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    arm = (rng.random(n)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1).astype(np.int8)
    shared = 0.7 * rng.normal(size=int(home.max()) + 1)[home] if households else 0.0
    y = x[:, 0] + 0.5 * x[:, 1] + EFFECT * arm + rng.normal(size=n) + shared
    numbers = {f"x{place}": values for place, values in enumerate(x.T)}
    numbers |= {"y": y, "z": 5 + x[:, 2] + rng.random(n), "answered": (rng.random(n) < 0.8).astype(float)}
    keys = rng.integers(0, 2**63, n, dtype=np.uint64)
    ids = rng.integers(0, 2**63, int(home.max()) + 1, dtype=np.uint64)
    clusters = {"home": ids[home]} if households else {}
    return Rows(arms=ARMS[:arms], arm=arm, key=keys, numbers=numbers, texts={}, clusters=clusters)


def road_of(rows: Rows, recipe: Recipe = LINEAR, covariates: tuple[str, ...] = ("x0", "x1", "x2")) -> ScoreRoad:
    """Return the score road over some units."""
    nuisances = Nuisances(rows=rows, covariates=covariates, recipe=recipe)
    contrasts = tuple((arm, rows.arms[0]) for arm in rows.arms[1:])
    return ScoreRoad(rows=rows, nuisances=nuisances, contrasts=contrasts)


def opinions_of(
    road: ScoreRoad, method: str, target: Target = "ato", measure: Measure = OUTCOME
) -> dict[tuple[str, str], Opinion]:
    """Return a method's opinions by contrast."""
    query = OpinionQuery(method=method, measure=measure, target=target)
    answer = road.answer([query])[query]
    assert isinstance(answer, OpinionAnswer)
    return dict(answer.opinions)


def means_of(road: ScoreRoad, repeat: int = 0) -> tuple[Floats, Floats]:
    """Return the nuisances' predicted means and propensities in one split, each of shape (n, arms)."""
    learned = road.nuisances.outcome("y", road.rows.numbers["y"], np.ones(road.rows.n, dtype=bool))
    return learned.mean[repeat], road.nuisances.propensity.shares[repeat]
