"""Refuters: what an effect becomes where the treatment, the outcome, the covariates or the units are tampered with."""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats, Rows
from cxcausal.core.score_answers import RefutationAnswer, Refuter, ScoreEffect
from cxcausal.core.score_queries import EffectQuery, RefutationQuery
from cxcausal.nuisance.crossfit import Nuisances
from cxcausal.scoring import effects
from cxcausal.scoring.dowhy_refuters import dowhy_refuters
from cxcausal.scoring.potential import potential_means
from cxcausal.scoring.representer import Representer, Told, representer_of, told_of
from cxcausal.scoring.road import ScoreRoad
from cxcausal.stats.linear_refuters import BLOCKS, normal_products, subsets_of
from cxcausal.stats.scores import codes_of, covariance_of

PLACEBOS = 199
DRAWS = 100
SUBSET = 0.8
_AT_ONCE = 1_000_000
"""Draws that are held in memory together; how many makes no difference to what they are."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A contrast's effect, and what all refuters of one measure share."""

    treated: str
    control: str
    point: float
    told: Told
    found: Representer
    pooled: Floats
    """What covariates alone predict of the outcome, whatever the arm, shape (n,)."""

    def places(self, rows: Rows) -> tuple[int, int]:
        """Return the places of both arms."""
        return rows.arms.index(self.treated), rows.arms.index(self.control)


def answer(road: ScoreRoad, query: RefutationQuery) -> RefutationAnswer:
    """Return every contrast's refuters, in the first split of the units; none where there is no effect."""
    told = effects.answer(road, EffectQuery(measure=query.measure, target=query.target))
    return RefutationAnswer(
        refuters={
            (treated, control): _refuters(road, query, treated, control, told.effects[treated, control, ""])
            for treated, control in road.contrasts
        }
    )


def _refuters(
    road: ScoreRoad, query: RefutationQuery, treated: str, control: str, effect: ScoreEffect
) -> tuple[Refuter, ...]:
    if effect.reason is not None:
        return ()
    target = treated if query.target == "att" else road.rows.arms[0]
    told = told_of(road, query.measure, query.target, target, 0)
    asked = _Asked(
        treated=treated,
        control=control,
        point=float(effect.mean[0] - effect.mean[1]),
        told=told,
        found=representer_of(road, told, treated, control),
        pooled=(road.nuisances.propensity.shares[0] * told.mean).sum(axis=1),
    )
    return (
        _placebo(road, query, target, asked),
        _common_cause(road, query, asked),
        _subset(road, query, target, asked),
        _dummy(road, query, asked),
        *(_by_dowhy(road, query, asked) if query.dowhy else ()),
    )


def _by_dowhy(road: ScoreRoad, query: RefutationQuery, asked: _Asked) -> tuple[Refuter, ...]:
    """Return DoWhy's refuters of a linear regression among the contrast's units."""
    use, treated = asked.found.use, road.rows.units_of(asked.treated)
    seed = road.nuisances.split(0, "dowhy", query.measure.name, asked.treated, asked.control).seed
    return dowhy_refuters(road.nuisances.features.filled[use], treated[use], asked.told.y[use], seed)


def _placebo(road: ScoreRoad, query: RefutationQuery, target: str, asked: _Asked) -> Refuter:
    """Refute by a treatment drawn from the propensities, of which nothing can come.

    The propensities are learned again from one such draw; its effect, of the score (T′ − p)(Y − m̂(X)), stands among
    those of draws that learn nothing again, with which it is exchangeable but for the second-order noise of learning.
    """
    one, other = asked.places(road.rows)
    residual = np.where(asked.told.seen, asked.told.y - asked.pooled, 0.0)
    drawn = _placebo_road(road)
    tilt = drawn.tilt(query.target, target, 0)
    signed = (drawn.rows.arm == one) * drawn.inverse(query.target, one, 0)
    signed = signed - (drawn.rows.arm == other) * drawn.inverse(query.target, other, 0)
    found = float(np.mean(tilt.h * signed * residual) / np.mean(tilt.mass * asked.told.seen))
    shares, told = asked.told.shares, asked.told.tilt
    scale = told.h * residual / (np.mean(told.mass * asked.told.seen) * road.rows.n)
    rng = np.random.default_rng(
        road.nuisances.split(0, "placebo draws", query.target, asked.treated, asked.control).seed
    )
    draws = _placebo_draws(scale, shares[:, one], shares[:, other], rng)
    se = sqrt(float(np.sum(scale**2 * (1 / shares[:, one] + 1 / shares[:, other]))))
    beyond = int(np.sum(np.abs(draws) >= abs(found)))
    return Refuter(
        name="placebo_treatment",
        expected=0.0,
        found=found,
        se=se,
        draws=PLACEBOS,
        refits=True,
        p=(1 + beyond) / (1 + PLACEBOS),
    )


def _placebo_draws(scale: Floats, one: Floats, other: Floats, rng: np.random.Generator) -> Floats:
    """Return the effects of treatments drawn from shares, shape (PLACEBOS,)."""
    gained, lost, both = scale / one, scale / other, one + other
    effects_found, together = [], max(1, _AT_ONCE // len(scale))
    for start in range(0, PLACEBOS, together):
        drawn = rng.random((min(together, PLACEBOS - start), len(scale)))
        effects_found.append(np.where(drawn < one, gained, np.where(drawn < both, -lost, 0.0)).sum(axis=1))
    return np.concatenate(effects_found)


def _placebo_road(road: ScoreRoad) -> ScoreRoad:
    """Return a road whose arms were drawn from the propensities; made once for all measures."""
    if "placebo" not in road.kept:
        shares = road.nuisances.propensity.shares[0]
        rng = np.random.default_rng(road.nuisances.split(0, "placebo").seed)
        place = (rng.random(road.rows.n)[:, None] > shares.cumsum(axis=1)).sum(axis=1)
        arm = np.minimum(place, shares.shape[1] - 1).astype(np.int8)
        rows = replace(road.rows, arm=arm)
        road.kept["placebo"] = ScoreRoad(rows=rows, nuisances=_learned_once(road, rows), contrasts=road.contrasts)
    found: ScoreRoad = road.kept["placebo"]
    return found


def _learned_once(road: ScoreRoad, rows: Rows) -> Nuisances:
    """Return nuisances of one split alone."""
    own, recipe = road.nuisances, replace(road.recipe, repeats=1)
    return Nuisances(rows=rows, covariates=own.covariates, recipe=recipe, known=own.known, weight=own.weight)


def _common_cause(road: ScoreRoad, query: RefutationQuery, asked: _Asked) -> Refuter:
    """Refute by a random covariate, partialled out linearly of the scores: software is checked, and nothing else.

    It takes away γδ: its slope on the outcome's residuals times its weighted distance between the arms. Both are
    products with a normal covariate, which are drawn themselves.
    """
    use, rng = asked.found.use, _rng(road, query, asked, "common cause")
    weights, residual = (asked.found.weight * asked.found.alpha)[use] / road.rows.n, asked.found.residual[use]
    se = sqrt(float(np.sum(weights**2)) * float(np.sum(residual**2))) / len(residual)
    return _reused("random_common_cause", asked.point, asked.point + _cause_shifts(weights, residual, rng), se)


def _cause_shifts(weights: Floats, residual: Floats, rng: np.random.Generator) -> Floats:
    """Return how far random covariates move the effect, shape (DRAWS,)."""
    products, squares = normal_products(np.column_stack([weights, residual]), DRAWS, rng)
    return np.asarray(-products[:, 0] * products[:, 1] / squares)


def _subset(road: ScoreRoad, query: RefutationQuery, target: str, asked: _Asked) -> Refuter:
    """Refute by random subsets of the units, clusters whole: scores are averaged again, and nothing is learned."""
    rng = _rng(road, query, asked, "subset")
    one, other = asked.places(road.rows)
    potential = road.potential(query.measure, query.target, target)[0]
    phi, mass = potential.phi[:, one] - potential.phi[:, other], asked.found.mass
    clusters = road.rows.clusters
    code = codes_of([next(iter(clusters.values()))]) if clusters else np.arange(road.rows.n)
    shifts = _subset_shifts(phi, mass, code, rng)
    se = sqrt(float(covariance_of(phi[:, None], clusters)[0, 0]) * (1 - SUBSET) / SUBSET)
    return _reused("subset", asked.point, asked.point + shifts, se)


def _subset_shifts(phi: Floats, mass: Floats, code: npt.NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return how far the effect moves in random subsets, shape (DRAWS,)."""
    groups = int(code.max()) + 1
    blocks = min(BLOCKS, groups)
    block = (rng.permutation(groups) % blocks)[code]
    sums = np.column_stack([np.bincount(block, weights=each, minlength=blocks) for each in (phi, mass)])
    moved, left = (subsets_of(blocks, SUBSET, DRAWS, rng) @ sums).T
    return np.asarray(moved / left)


def _dummy(road: ScoreRoad, query: RefutationQuery, asked: _Asked) -> Refuter:
    """Refute by an outcome that covariates predict as they do the real one, and the arm doesn't move: zero is true.

    Outcome models are learned again: an effect that is found was left there by what covariates predict.
    """
    told, clusters = asked.told, road.rows.clusters
    y, mean = _dummy_learned(road, query, asked)
    one, other = asked.places(road.rows)
    points, phis = [], []
    for place in (one, other):
        own = road.rows.arm == place
        point, phi = potential_means(y, told.seen, own, mean[:, place], told.inverse[:, place], told.tilt)
        points.append(point)
        phis.append(phi)
    variance = float(covariance_of((phis[0] - phis[1])[:, None], clusters)[0, 0])
    return Refuter(
        name="dummy_outcome", expected=0.0, found=points[0] - points[1], se=sqrt(variance), draws=1, refits=True
    )


def _dummy_learned(road: ScoreRoad, query: RefutationQuery, asked: _Asked) -> tuple[Floats, Floats]:
    """Return a measure's dummy outcome, shape (n,), and its predictions, shape (n, arms); once for all contrasts."""
    key = ("dummy", query.measure, query.target if query.measure.denominator else "")
    if key not in road.kept:
        rng = np.random.default_rng(road.nuisances.split(0, "dummy", query.measure.name).seed)
        told, drawn = asked.told, rng.random(road.rows.n)
        values = told.y[told.seen]
        if np.isin(values, (0.0, 1.0)).all():
            y = (drawn < asked.pooled).astype(np.float64)
        else:
            y = asked.pooled + np.where(drawn < 0.5, 1.0, -1.0) * (told.y - asked.pooled)  # noqa: PLR2004 - a coin
        once = _learned_once(road, road.rows).outcome(f"dummy {query.measure.name}", y, told.seen)
        road.kept[key] = y, once.mean[0]
    found: tuple[Floats, Floats] = road.kept[key]
    return found


def _rng(road: ScoreRoad, query: RefutationQuery, asked: _Asked, stage: str) -> np.random.Generator:
    words = (stage, query.measure.name, query.target, asked.treated, asked.control)
    return np.random.default_rng(road.nuisances.split(0, *words).seed)


def _reused(name: str, expected: float, found: Floats, se: float) -> Refuter:
    return Refuter(name=name, expected=expected, found=float(found.mean()), se=se, draws=len(found), refits=False)
