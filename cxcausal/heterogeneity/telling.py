"""Whether effects differ between customers, told on the judged units of every turn and summed over turns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import HeldOut, Turn
from cxcausal.core.whom import AimHeterogeneity, ArmHeterogeneity, CurvePoint, PredictedGroup, Told
from cxcausal.stats import targeting
from cxcausal.stats.multiplicity import holm
from cxcausal.stats.ranks import Array, Ranked, mean_between, mean_of, ranked
from cxcausal.stats.told import Sample, p_any_above, told

FEWEST = 100
"""Of judged units, and a tenth of it in either arm: with fewer, no quantile of predictions says anything."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """An arm's judged units, turn after turn: gain scores, predictions and weights of shape (n,), and their turns."""

    gain: Array
    predicted: Array
    turn: npt.NDArray[np.intp]
    ranks: tuple[Ranked, ...]
    sample: Sample

    def pooled(self, estimate: Callable[[Ranked, Array], tuple[float, Array]]) -> tuple[float, Array]:
        """Return the mean of an estimate over turns, each with its share of units, and its influence function.

        Each turn's error has mean 0 given all turns before it, so the variance of the sum is the sum of variances.
        """
        total, point, phi, start = self.sample.weight.sum(), 0.0, np.empty_like(self.gain), 0
        for ranks in self.ranks:
            own = slice(start, start + len(ranks.block))
            share = float(self.sample.weight[own].sum() / total)
            found, influence = estimate(ranks, self.gain[own])
            point += share * found
            phi[own] = influence * (share * len(phi) / len(influence))
            start = own.stop
        return point, phi


def told_of(held: HeldOut, *, alpha: float) -> AimHeterogeneity:
    """Return who responds to what, for one aim.

    All statistics rank units within a turn, by predictions of a model that saw neither them nor later turns, and are
    averaged over turns; so a test of anything learned has its level however it was learned (Wager 2024,
    https://arxiv.org/abs/2401.06230). `p_adjusted` is over the arms of this aim; `across` adjusts over aims, too.

    Args:
        held: the turns.
        alpha: two-sided error level of intervals, and one-sided of the test.
    """
    arms = tuple(_arm(held, place, alpha) for place in range(1, len(held.arms)))
    found = AimHeterogeneity(
        aim=held.aim.name,
        label=held.aim.label,
        unit=held.aim.unit,
        learned=len(held.turns[-1].learned.units),
        judged=len(held.judged),
        arms=arms,
    )
    return across((found,), alpha)[0]


def across(aims: Sequence[AimHeterogeneity], alpha: float) -> tuple[AimHeterogeneity, ...]:
    """Return aims with p-values adjusted over all their arms together (Holm), and what is found at alpha."""
    tested = [arm.p for aim in aims for arm in aim.arms if arm.p is not None]
    if not tested:
        return tuple(aims)
    adjusted = iter(holm(tested, alpha).p)
    return tuple(replace(aim, arms=tuple(_adjusted(arm, adjusted, alpha) for arm in aim.arms)) for aim in aims)


def judged_of(held: HeldOut, arm: int, alpha: float) -> Judged:
    """Return an arm's judged units, turn after turn."""
    sides = [turn.judged for turn in held.turns]
    units = held.judged
    turn = np.repeat(np.arange(len(sides)), [len(side.units) for side in sides])
    predicted = np.concatenate([side.gains[:, arm] for side in sides])
    weight = held.weight[units]
    ranks = (ranked(predicted[turn == place], weight[turn == place]) for place in range(len(sides)))
    clusters = {name: keys[units] for name, keys in held.rows.clusters.items()}
    return Judged(
        gain=np.concatenate([side.scores[:, arm] - side.scores[:, 0] for side in sides]),
        predicted=predicted,
        turn=turn,
        ranks=tuple(ranks),
        sample=Sample(arm=held.rows.arm[units], weight=weight, clusters=clusters, alpha=alpha),
    )


def _arm(held: HeldOut, arm: int, alpha: float) -> ArmHeterogeneity:
    name = held.arms[arm]
    reason = _why_not(held, arm)
    if reason is not None:
        return ArmHeterogeneity(arm=name, n=len(held.judged), status="not_computed", reason=reason)
    judged = judged_of(held, arm, alpha)
    numbers, p = _numbers(judged)
    groups, error = _groups(judged)
    toc, uplift = _curves(judged)
    return ArmHeterogeneity(
        arm=name,
        n=len(judged.gain),
        groups=groups,
        error=error,
        toc=toc,
        uplift=uplift,
        p=p,
        average=numbers["average"],
        slope=numbers["slope"],
        spread=numbers["spread"],
        autoc=numbers["autoc"],
        qini=numbers["qini"],
        auuc=numbers["auuc"],
    )


def _why_not(held: HeldOut, arm: int) -> str | None:
    """Return why an arm's heterogeneity is not told; None where it is."""
    if len(held.judged) < FEWEST:
        return f"fewer than {FEWEST} customers are left to judge predictions on"
    counts = np.bincount(held.rows.arm[held.judged], minlength=len(held.arms))
    few = [held.arms[place] for place in (0, arm) if counts[place] < FEWEST // 10]
    if few:
        return f"fewer than {FEWEST // 10} customers of {few[0]} are left to judge predictions on"
    if any(not _known(turn, arm) for turn in held.turns):
        return "no score could be made for some customers"
    return None


def _known(turn: Turn, arm: int) -> bool:
    side = turn.judged
    return bool(
        len(side.units) and np.isfinite(side.scores[:, [0, arm]]).all() and np.isfinite(side.gains[:, arm]).all()
    )


def _numbers(judged: Judged) -> tuple[dict[str, Told], float]:
    """Return the numbers about all units, and the p-value of the test that no prediction tells anything.

    It looks at the larger of both RATEs: AUTOC sees few who gain much, Qini many who gain a little more.
    """
    slope = targeting.best_linear_predictor(judged.gain, judged.predicted, judged.sample.weight, judged.turn)
    found: dict[str, tuple[float, Array]] = {
        "average": judged.pooled(mean_of),
        "slope": slope,
        "spread": judged.pooled(targeting.spread),
        "autoc": judged.pooled(targeting.autoc),
        "qini": judged.pooled(targeting.qini),
        "auuc": judged.pooled(targeting.auuc_of_scores),
    }
    rates = [found["autoc"], found["qini"]]
    points, phi = np.array([point for point, _ in rates]), np.column_stack([own for _, own in rates])
    numbers = dict(zip(found, _told(found.values(), judged), strict=True))
    return numbers, p_any_above(points, phi, judged.sample)


def _groups(judged: Judged) -> tuple[tuple[PredictedGroup, ...], float]:
    """Return the groups by prediction, and how far their gains are from it."""
    numbers = _of_groups(judged)
    gaps = _of_groups(replace(judged, gain=judged.gain - judged.predicted))
    borders = np.round(np.linspace(0, len(judged.gain), targeting.GROUPS + 1)).astype(int)
    groups = tuple(
        PredictedGroup(
            group=place + 1, n=int(n), predicted=float(number.point or 0) - float(gap.point or 0), gain=number
        )
        for place, (n, number, gap) in enumerate(zip(np.diff(borders), numbers, gaps, strict=True))
    )
    points, errors = (np.array([getattr(gap, name) for gap in gaps]) for name in ("point", "se"))
    return groups, targeting.calibration_error(points, errors)


def _of_groups(judged: Judged) -> tuple[Told, ...]:
    return _told(
        [judged.pooled(partial(targeting.group_mean, group=place)) for place in range(targeting.GROUPS)], judged
    )


def _told(found: Iterable[tuple[float, Array]], judged: Judged) -> tuple[Told, ...]:
    points, phi = zip(*found, strict=True)
    return told(np.array(points), np.column_stack(phi), judged.sample)


def _curves(judged: Judged) -> tuple[tuple[CurvePoint, ...], tuple[CurvePoint, ...]]:
    """Return the targeting operator curve and the uplift curve, with pointwise intervals."""
    mean, of_mean = judged.pooled(mean_of)
    toc: list[tuple[float, Array]] = []
    uplift: list[tuple[float, Array]] = []
    for share in targeting.SHARES:
        first, phi = judged.pooled(partial(mean_between, low=0.0, high=share))
        toc.append((first - mean, phi - of_mean))
        uplift.append((first * share, phi * share))
    return _points(toc, judged), _points(uplift, judged)


def _points(found: Iterable[tuple[float, Array]], judged: Judged) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(share=share, gain=number.point, low=number.low, high=number.high)
        for share, number in zip(targeting.SHARES, _told(found, judged), strict=True)
    )


def _adjusted(arm: ArmHeterogeneity, p: Iterator[float], alpha: float) -> ArmHeterogeneity:
    if arm.p is None:
        return arm
    adjusted = next(p)
    return replace(arm, p_adjusted=adjusted, found=adjusted < alpha)
