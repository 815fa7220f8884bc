"""Adjusted effects: every contrast, over everybody or per value of a segment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cxcausal.core.rows import Floats
from cxcausal.core.score_answers import ScoreEffect, ScoreEffects
from cxcausal.core.score_queries import EffectQuery
from cxcausal.core.small_cells import SMALLEST_CELL
from cxcausal.scoring.potential import Potential
from cxcausal.scoring.road import ScoreRoad
from cxcausal.scoring.segmenting import why_no_segment
from cxcausal.scoring.told import Places
from cxcausal.stats.scores import (
    Keys,
    codes_of,
    covariance_of,
    degrees_of_freedom,
    effective_size,
    median_over_repeats,
)

FEWEST_TO_LEARN = 20
"""Units of an arm with a value, outside any fold, below which nothing is learned of it."""


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Some units: the segment's value and their places; None for everybody."""

    value: str
    units: Places | None

    def of(self, column: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return a column's values of these units."""
        return column if self.units is None else column[self.units]


@dataclass(frozen=True, kw_only=True)
class _Means:
    """Every arm's mean in one group: per repeat, with the covariance of the means, shape (arms, arms)."""

    repeats: tuple[Potential, ...]
    covariances: Floats
    arm: npt.NDArray[np.int8]
    weight: Floats
    clusters: Mapping[str, Keys]


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One effect with its group's influence function in the repeat nearest to the median; None where it has none."""

    effect: ScoreEffect
    group: _Group
    phi: Floats | None = None


def answer(road: ScoreRoad, query: EffectQuery) -> ScoreEffects:
    """Return the effects of a measure."""
    found: dict[tuple[str, str, str], _Told] = {}
    copied = None if query.by is None else why_no_segment(road, query.by, query.measure)
    for group in _groups(road, query.by):
        found |= _untold(road, group, copied) if copied is not None else _effects(road, query, group)
    base = road.rows.arms[0]
    told = tuple(key for key, each in found.items() if key[1] == base and each.phi is not None)
    correlation = _correlation(road, [found[key] for key in told]) if query.by is not None else np.eye(len(told))
    return ScoreEffects(effects={key: each.effect for key, each in found.items()}, told=told, correlation=correlation)


def _groups(road: ScoreRoad, by: str | None) -> Iterator[_Group]:
    if by is None:
        yield _Group(value="", units=None)
        return
    for level, units in zip(road.rows.texts[by].levels, road.groups(by), strict=True):
        yield _Group(value=level, units=units)


def _untold(road: ScoreRoad, group: _Group, reason: str) -> dict[tuple[str, str, str], _Told]:
    """Return a group's effects where none may be told."""
    effect = ScoreEffect(n=(0, 0), reason=reason)
    return {(*pair, group.value): _Told(effect=effect, group=group) for pair in road.contrasts}


def _effects(road: ScoreRoad, query: EffectQuery, group: _Group) -> dict[tuple[str, str, str], _Told]:
    """Return a group's effects; the means of all arms are made once, for the att once per treated arm."""
    arms = road.rows.arms
    seen = road.values(query.measure)[0].seen
    counts = np.bincount(group.of(road.rows.arm)[group.of(seen)], minlength=len(arms))
    made: dict[str, _Means] = {}
    found: dict[tuple[str, str, str], _Told] = {}
    for treated, control in road.contrasts:
        places = arms.index(treated), arms.index(control)
        n = int(counts[places[0]]), int(counts[places[1]])
        reason = _why_not(road, query, (treated, control), n)
        if reason is None:
            target = treated if query.target == "att" else arms[0]
            if target not in made:
                made[target] = _means(road, query, target, group)
            told = _over_repeats(made[target], places, group)
            found[treated, control, group.value] = replace(told, effect=replace(told.effect, n=n))
        else:
            found[treated, control, group.value] = _Told(effect=ScoreEffect(n=n, reason=reason), group=group)
    return found


def _means(road: ScoreRoad, query: EffectQuery, treated: str, group: _Group) -> _Means:
    told = road.told(query.measure, query.target, treated)
    clusters = {name: np.asarray(group.of(keys), dtype=np.uint64) for name, keys in road.rows.clusters.items()}
    repeats = tuple(each.potential(group.units) for each in told)
    return _Means(
        repeats=repeats,
        covariances=np.array([covariance_of(each.phi, clusters) for each in repeats]),
        arm=np.asarray(group.of(road.rows.arm), dtype=np.int8),
        weight=np.asarray(group.of(told[0].weight), dtype=np.float64),
        clusters=clusters,
    )


def _over_repeats(means: _Means, places: tuple[int, int], group: _Group) -> _Told:
    """Return the effect of one arm against another over several splits."""
    pair = list(places)
    values = np.array([found.mean[pair] for found in means.repeats])
    covariances = means.covariances[:, pair][:, :, pair]
    one = np.array([1.0, -1.0])
    points = values @ one
    variances = np.einsum("i,rij,j->r", one, covariances, one)
    if not np.isfinite(points).all() or not np.isfinite(variances).all():
        return _Told(effect=ScoreEffect(n=(0, 0), reason="a mean in the denominator is zero"), group=group)
    point, variance, nearest = median_over_repeats(points, variances)
    base = float(values[nearest, 1])
    grown = variance / variances[nearest] if variances[nearest] > 0 else 1.0
    difference = means.repeats[nearest].phi[:, places[0]] - means.repeats[nearest].phi[:, places[1]]
    effective = tuple(effective_size(means.weight[means.arm == place]) for place in places)
    effect = ScoreEffect(
        n=(0, 0),
        effective=(effective[0], effective[1]),
        mean=(base + point, base),
        covariance=covariances[nearest] * grown,
        df=degrees_of_freedom(difference, means.arm, means.weight, means.clusters),
        spread=float(np.max(np.abs(points - point))),
        repeats=len(points),
        points=tuple(map(float, points)),
    )
    return _Told(effect=effect, group=group, phi=difference)


def _why_not(road: ScoreRoad, query: EffectQuery, names: tuple[str, str], n: tuple[int, int]) -> str | None:
    if query.by is not None and min(n) < SMALLEST_CELL:
        return f"fewer than {SMALLEST_CELL} customers of this segment in an arm: not shown"
    for name, count in zip(names, n, strict=True):
        if count == 0:
            return f"no customer in arm '{name}' has a value"
    left = road.fewest_to_learn(query.measure)
    # The overlap is that of all arms; the other targets need the two.
    needed = road.rows.arms if query.target == "ato" else names
    few = [arm for arm in needed if left[road.rows.arms.index(arm)] < FEWEST_TO_LEARN]
    if not few:
        return None
    return (
        f"arm '{few[0]}' has too few customers with a value to learn from (at least {FEWEST_TO_LEARN} are needed "
        "outside every fold)"
    )


def _correlation(road: ScoreRoad, told: Sequence[_Told]) -> Floats:
    """Return the correlation matrix of effects; those of different segments share nothing but clusters."""
    sums = _within_clusters(road, told) if road.rows.clusters else None
    products = np.zeros((len(told), len(told)))
    for one, first in enumerate(told):
        for two, second in enumerate(told[: one + 1]):
            if sums is not None:
                products[one, two] = sums[one] @ sums[two]
            elif first.group is second.group and first.phi is not None and second.phi is not None:
                products[one, two] = first.phi @ second.phi
            products[two, one] = products[one, two]
    scale = np.sqrt(np.diag(products))
    found = np.asarray(products / np.maximum(np.outer(scale, scale), 1e-300))
    np.fill_diagonal(found, 1.0)
    return found


def _within_clusters(road: ScoreRoad, told: Sequence[_Told]) -> list[Floats]:
    codes = codes_of([next(iter(road.rows.clusters.values()))])
    size = int(codes.max()) + 1
    found = (np.bincount(np.asarray(one.group.of(codes)), weights=one.phi, minlength=size) for one in told)
    return [np.asarray(sums, dtype=np.float64) for sums in found]
