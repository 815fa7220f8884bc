"""How well the models behind scores predict, as they were learned."""

from itertools import chain

from cxcausal.core.rows import Flags
from cxcausal.core.score_answers import LearnerFacts, NuisanceAnswer
from cxcausal.core.score_queries import NuisanceQuery
from cxcausal.scoring.effects import FEWEST_TO_LEARN
from cxcausal.scoring.measured import denominator_of, values_of
from cxcausal.scoring.road import ScoreRoad


def answer(road: ScoreRoad, query: NuisanceQuery) -> NuisanceAnswer:
    """Return how propensities were learned; of a measure how its outcomes were, where there is enough to learn from."""
    facts = road.nuisances.propensity.facts if query.measure is None else _outcomes(road, query)
    return NuisanceAnswer(facts=facts, folds=road.recipe.folds, repeats=road.recipe.repeats)


def _outcomes(road: ScoreRoad, query: NuisanceQuery) -> tuple[LearnerFacts, ...]:
    assert query.measure is not None  # noqa: S101 - the caller looked
    upper, lower = values_of(road.rows, query.measure), denominator_of(road.rows, query.measure)
    if not _enough(road, upper.seen):
        return ()
    learned = chain(road.learned(upper), () if lower is None else road.learned(lower))
    return tuple(chain.from_iterable(each.facts for each in learned))


def _enough(road: ScoreRoad, seen: Flags) -> bool:
    """Tell whether every arm has units with a value outside every fold: no effect is told where one hasn't."""
    return all(
        int((road.rows.units_of(arm) & seen & (fold != place)).sum()) >= FEWEST_TO_LEARN
        for arm in road.rows.arms
        for fold in road.nuisances.folds
        for place in range(road.recipe.folds)
    )
