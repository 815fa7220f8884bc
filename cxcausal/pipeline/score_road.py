"""Both roads behind one question: sums come from the data edge, and what needs rows from scores, learned on demand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cxcausal.core.adjusting import adjusted_for, asks_whom, modifiers_of
from cxcausal.core.answers import Answer, Flow
from cxcausal.core.epochs import EPOCH
from cxcausal.core.measure import Measure
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.protocols import Answers, ArrayStore, DatasetWithRows
from cxcausal.core.queries import FalsifyQuery, FlowQuery, Query
from cxcausal.core.rows import RowsWanted
from cxcausal.core.score_answers import ScoreAnswer
from cxcausal.core.score_queries import SCORE_QUERIES, ExposureQuery, ScoreQuery
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.pipeline.falsifying import falsified
from cxcausal.pipeline.score_memory import refuse_too_large
from cxcausal.pipeline.whom import Asked, Shelf, aims_of

if TYPE_CHECKING:
    from cxcausal.nuisance.crossfit import Recipe
    from cxcausal.scoring.road import ScoreRoad


@dataclass(frozen=True, kw_only=True)
class ScoreEdges:
    """What the edges lend to scores.

    Attributes:
        store: where learned nuisances are kept between runs; None where they are not.
        progress: told how many models are learned.
        shelf: where the model is put that tells whom to contact; None where nobody wants it.
    """

    store: ArrayStore | None = None
    progress: Progress = SILENT
    shelf: Shelf | None = None


@dataclass(frozen=True, kw_only=True)
class BothRoads:
    """A dataset that also answers score queries; rows are read, and nuisances learned, when the first one is asked."""

    dataset: DatasetWithRows
    spec: ExperimentSpec
    edges: ScoreEdges = ScoreEdges()
    _road: "list[ScoreRoad]" = field(default_factory=list)

    def answer(self, queries: Sequence[Query]) -> Answers:
        """Return one answer per query."""
        scored = [query for query in queries if isinstance(query, SCORE_QUERIES)]
        drawn = [query for query in queries if isinstance(query, FalsifyQuery)]
        summed = _of_sums(queries)
        found: dict[Any, Answer | ScoreAnswer] = dict(self.dataset.answer(summed)) if summed else {}
        found |= {query: falsified(self.spec, self.dataset, query) for query in drawn}
        if scored:
            found |= self._scores(scored, found)
        return found

    def asked(self) -> Asked:
        """Return the analysed units with how they are learned from, for what is judged on units not learned from."""
        if not self._road:
            self._road.append(self._opened((), {}))
        road, spec = self._road[0], self.spec
        known = road.nuisances.learning_from((*_learned_from(spec), *modifiers_of(spec)))
        return Asked(spec=spec, rows=road.rows, nuisances=known, shelf=self.edges.shelf, progress=self.edges.progress)

    def _scores(self, queries: Sequence[ScoreQuery], answers: Mapping[Any, Any]) -> Mapping[ScoreQuery, ScoreAnswer]:
        if not self._road:
            self._road.append(self._opened(queries, answers))
        return self._road[0].answer(queries)

    def _opened(self, queries: Sequence[ScoreQuery], answers: Mapping[Any, Any]) -> "ScoreRoad":
        from cxcausal.nuisance.crossfit import Nuisances  # noqa: PLC0415 - only plans that need rows pay for learners
        from cxcausal.nuisance.keeping import NoStore  # noqa: PLC0415
        from cxcausal.scoring.road import ScoreRoad  # noqa: PLC0415

        spec, columns = self.spec, wanted(self.spec, queries)
        flow = answers.get(FlowQuery()) or self.dataset.answer([FlowQuery()])[FlowQuery()]
        assert isinstance(flow, Flow)  # noqa: S101 - narrows the union of answers
        refuse_too_large(spec, columns, recipe_of(spec), flow.analysed)
        rows = self.dataset.rows(columns)
        nuisances = Nuisances(
            rows=rows,
            covariates=_learned_from(spec),
            recipe=recipe_of(spec),
            known=_known(spec),
            weight=None if spec.data.weight is None else rows.numbers[spec.data.weight],
            store=self.edges.store or NoStore(),
        )
        contrasts = (*((arm, spec.control) for arm in spec.treated_arms), *spec.design.contrasts)
        return ScoreRoad(rows=rows, nuisances=nuisances, contrasts=contrasts, progress=self.edges.progress)


def ask_engine(spec: ExperimentSpec, dataset: DatasetWithRows, queries: Sequence[Query]) -> None:
    """Send the engine what an analysis sends it, and learn nothing of it."""
    dataset.answer(_of_sums(queries))
    scored = [query for query in queries if isinstance(query, SCORE_QUERIES)]
    if scored or asks_whom(spec):
        dataset.rows(wanted(spec, scored))


def _of_sums(queries: Iterable[Query]) -> list[Query]:
    """Return those that sums answer, without a row."""
    return [query for query in queries if not isinstance(query, (*SCORE_QUERIES, FalsifyQuery))]


def recipe_of(spec: ExperimentSpec) -> "Recipe":
    """Return how the plan wants nuisances learned."""
    from cxcausal.nuisance.crossfit import Recipe  # noqa: PLC0415

    asked, default = spec.estimation, Recipe()
    return Recipe(
        outcome=asked.nuisance.outcome or default.outcome,
        propensity=asked.nuisance.propensity or default.propensity,
        folds=asked.folds,
        repeats=asked.repeats,
        seed=spec.analysis.seed,
    )


def wanted(spec: ExperimentSpec, queries: Sequence[ScoreQuery]) -> RowsWanted:
    """Return the columns that some queries need."""
    measures = [getattr(query, "measure", None) for query in queries]
    measures += [aim.measure for aim in aims_of(spec)] if asks_whom(spec) else []
    numbers = dict.fromkeys(name for measure in measures if measure is not None for name in _columns(measure))
    if spec.data.weight is not None:
        numbers[spec.data.weight] = None
    if asks_whom(spec) and spec.design.treatment.received is not None:
        numbers[spec.design.treatment.received] = None
    exposures = [query.column for query in queries if isinstance(query, ExposureQuery)]
    ruled = () if spec.policy.current_rule is None else (spec.policy.current_rule,)
    return RowsWanted(
        covariates=tuple(dict.fromkeys((*adjusted_for(spec), *exposures))),
        numbers=tuple(numbers),
        texts=tuple(dict.fromkeys((*spec.segments, *ruled, *spec.policy.protected, *_ramp(spec)))),
        clusters=spec.clusters,
        time_zero=True,
        eligible=True,
    )


def _learned_from(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return what nuisances are learned from: in a ramp-up the epoch as well, on which the chance of an arm hangs."""
    return (*adjusted_for(spec), *_ramp(spec))


def _ramp(spec: ExperimentSpec) -> tuple[str, ...]:
    return (EPOCH,) if spec.epochs else ()


def _columns(measure: Measure) -> tuple[str, ...]:
    from cxcausal.scoring.measured import columns_of  # noqa: PLC0415

    return columns_of(measure)


def _known(spec: ExperimentSpec) -> tuple[float, ...] | None:
    """Return the shares of the coin, where one was tossed and they never changed."""
    shares = spec.shares
    if isinstance(spec.design, Observational) or shares is None or spec.epochs:
        return None
    return tuple(float(shares[arm]) for arm in spec.arms)
