"""Bars for surveys: customers answer or not because of the contact, and the truth about all of them is known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxcausal.core.answer_bounds import (
    ArmAnswers,
    Form,
    Side,
    Tail,
    answers_more,
    filled_form,
    kept_rank,
    trimmed_forms,
)
from cxcausal.core.answers import BoundEnd, Nonresponse, Regression
from cxcausal.core.protocols import Comparison
from cxcausal.core.queries import MomentQuery, NonresponseQuery, Query
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.surveys import AIPW, LEE, WORST_CASE, is_unsafe
from cxcausal.data.lines import Sums, spread_of
from cxcausal.estimators.difference_in_means import DifferenceInMeans
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.estimators.response import Response
from cxcausal.estimators.response_safety import with_warnings
from cxcausal.stats.identified import identified
from tests.twins import Values, moments_of
from tests.validation.adjusted import fit_of
from tests.validation.engine import Band, Row, rng_of

Generator = np.random.Generator
SIGMAS = 4
CSAT = {"name": "y", "type": "ordinal", "column": "y", "response": "a", "desired_direction": "increase"}


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One drawn survey: who was contacted, the answers (nan without), and what was known before."""

    treated: Values
    answers: Values
    before: Values


@dataclass(frozen=True, kw_only=True)
class SurveyWorld:
    """A setting with its true effects: on those who answer either way, and on everybody."""

    name: str
    answering: float
    everybody: float
    draw: Callable[[Generator], Survey]


# Five moods, of which the mood is the score: a contact lifts some by one point, and the happy then answer more often.
_MOODS = np.arange(1.0, 6.0)
_SHARES = np.array([0.15, 0.2, 0.25, 0.25, 0.15])
_LIFTED = np.array([0.3, 0.3, 0.2, 0.1, 0.0])
_ANSWER = np.array([0.30, 0.25, 0.20, 0.25, 0.30])
_ANSWER_CONTACTED = np.array([0.32, 0.28, 0.30, 0.45, 0.55])


def _moods(rng: Generator, n: int = 3_000) -> Survey:
    mood = rng.choice(5, n, p=_SHARES)
    treated = (np.arange(n) % 2).astype(float)
    chance = np.where(treated == 1, _ANSWER_CONTACTED[mood], _ANSWER[mood])
    score = _MOODS[mood] + treated * (rng.random(n) < _LIFTED[mood])
    return Survey(
        treated=treated, answers=np.where(rng.random(n) < chance, score, np.nan), before=rng.normal(size=(n, 1))
    )


def _at_the_end(rng: Generator, n: int = 2_000) -> Survey:
    """Draw a world in which only the happiest are won for the survey, so that the low end is the truth."""
    treated, kind = (np.arange(n) % 2).astype(float), rng.choice(3, n, p=[0.4, 0.2, 0.4])
    score = rng.random(n) + (kind == 1) + 0.3 * treated
    answered = (kind == 0) | ((kind == 1) & (treated == 1))
    return Survey(treated=treated, answers=np.where(answered, score, np.nan), before=rng.normal(size=(n, 1)))


def _known_reasons(rng: Generator, n: int = 1_500) -> Survey:
    """Draw a world in which answering depends on what was known before, and otherwise with the arm."""
    treated, known = (np.arange(n) % 2).astype(float), rng.uniform(-1, 1, n)
    score = 1 + 2 * known + treated * (0.3 + 0.5 * known) + rng.normal(size=n)
    answered = rng.random(n) < 0.45 + 0.35 * known * treated
    return Survey(treated=treated, answers=np.where(answered, score, np.nan), before=known[:, None])


def _linear_inverse(rng: Generator, n: int = 3_000) -> Survey:
    """Draw a world in which scores are not linear in what was known, but the inverse chance to answer is."""
    treated, known = (np.arange(n) % 2).astype(float), rng.uniform(-1, 1, n)
    score = 3 * known**2 + treated * (0.3 + known**2) + rng.normal(size=n)
    answered = rng.random(n) < 1 / (2.5 + (1.2 * treated - 0.6) * known)
    return Survey(treated=treated, answers=np.where(answered, score, np.nan), before=known[:, None])


MOODS = SurveyWorld(
    name="the happy answer more often once contacted, scores of 1 to 5",
    answering=float(_SHARES * _ANSWER @ _LIFTED / (_SHARES @ _ANSWER)),
    everybody=float(_SHARES @ _LIFTED),
    draw=_moods,
)
AT_THE_END = SurveyWorld(
    name="only the happiest are won, the truth is the low end", answering=0.3, everybody=0.3, draw=_at_the_end
)
KNOWN = SurveyWorld(
    name="who answers is foretold by a covariate, otherwise in each arm", answering=0.3, everybody=0.3,
    draw=_known_reasons,
)  # fmt: skip
INVERSE = SurveyWorld(
    name="curved scores, linear inverse chance to answer", answering=0.3, everybody=0.3 + 1 / 3, draw=_linear_inverse
)


def plan(*, covariates: bool = False) -> ExperimentSpec:
    """Return a plan whose success metric only some answer."""
    treatment = {"column": "arm", "control": "c", "arms": {"c": {}, "t": {}}}
    return ExperimentSpec.model_validate(
        {
            "schema_version": 1,
            "id": "v",
            "question": "?",
            "owner": "team@example.com",
            "data": {"source": "x.csv", "unit": "id"},
            "design": {"type": "randomized", "treatment": treatment},
            "metrics": {"success": [CSAT]},
            "covariates": ["x"] if covariates else [],
        }
    )


def effects(spec: ExperimentSpec, survey: Survey) -> tuple[Estimate, ...]:
    """Return every row of one drawn survey: the metric's own, and its companions, from the product's own parts."""
    metric = spec.metrics.success[0]
    found: list[Comparison] = []
    for estimator in (DifferenceInMeans(), Response()):
        answers: dict[Any, Any] = {query: _answer(query, survey) for query in estimator.queries(spec, metric, {})}
        found += estimator.compare(spec, metric, {}, answers)
    return with_warnings(spec, apply_multiplicity(found, spec.analysis))


def _answer(query: Query, survey: Survey) -> object:
    own = {"t": survey.treated == 1, "c": survey.treated == 0}
    known = ~np.isnan(survey.answers)
    if isinstance(query, NonresponseQuery):
        return nonresponse_of(survey.answers[own["t"]], survey.answers[own["c"]])
    if isinstance(query, MomentQuery):
        told = known.astype(float) if query.measure.transform == "answered" else survey.answers
        return {(arm, ()): moments_of(told[rows & ~np.isnan(told)]) for arm, rows in own.items()}
    everybody = {arm: _sums(survey.answers[rows], survey.before[rows]) for arm, rows in own.items()}
    rows_of = {arm: (survey.answers[rows & known], survey.before[rows & known]) for arm, rows in own.items()}
    counted = {arm: _sums(*rows) for arm, rows in rows_of.items()}
    analysed = getattr(query, "center", "counted") == "analysed"
    spread = spread_of(counted, [False] * survey.before.shape[1], everybody=everybody if analysed else None)
    fits = {arm: fit_of(line, *rows_of[arm], kept=list(spread.kept)) for arm, line in spread.lines.items()}
    return {(): Regression(n=spread.n, columns=("x",), dropped=(), spread=spread.covariance, arms=fits)}


def _sums(y: Values, z: Values) -> Sums:
    away, k = z - z.mean(axis=0), z.shape[1]
    centred = np.nan_to_num(y - np.nanmean(y))
    mean = np.array([*z.mean(axis=0), np.nanmean(y)])
    return Sums(n=len(y), mean=mean, gram=away.T @ away, cross=(away.T @ centred)[:, None].reshape(k, 1))


def nonresponse_of(treated: Values, control: Values) -> Nonresponse:
    """Return what the engine would answer, by the product's own forms on drawn rows (nan: no answer)."""
    arms = {"t": treated, "c": control}
    told = {arm: _arm(rows) for arm, rows in arms.items()}
    first = "t" if answers_more(told["t"], told["c"]) else "c"
    other = "c" if first == "t" else "t"
    rank = kept_rank(told[first], told[other])
    sides: tuple[Side, Side] = ("low", "high") if first == "t" else ("high", "low")
    ends = []
    for side in sides:
        forms = trimmed_forms(told[first], told[other], _tail(arms[first], side, rank))
        ends.append(_end(arms, dict(zip((first, other), forms, strict=True))))
    lowest, highest = (float(pick([np.nanmin(rows), np.nanmax(rows)])) for pick, rows in _extremes(treated, control))
    low, high = filled_form(lowest), filled_form(highest)
    return Nonresponse(
        units=(len(treated), len(control)),
        answers=(told["t"].answers, told["c"].answers),
        lee=(ends[0], ends[1]),
        worst_case=(_end(arms, {"t": low, "c": high}), _end(arms, {"t": high, "c": low})),
        support=(lowest, highest),
    )


def _extremes(treated: Values, control: Values) -> tuple[tuple[Any, Values], tuple[Any, Values]]:
    both = np.concatenate([treated, control])
    return (min, both), (max, both)


def _arm(rows: Values) -> ArmAnswers:
    return ArmAnswers(units=len(rows), answers=int((~np.isnan(rows)).sum()), mean=float(np.nanmean(rows)))


def _tail(rows: Values, kept: Side, rank: int) -> Tail:
    ordered = np.sort(rows[~np.isnan(rows)])
    cut = float(ordered[rank - 1] if kept == "low" else ordered[-rank])
    return Tail(kept=kept, cut=cut, mean=float(_beyond(ordered, kept, cut).mean()))


def _beyond(rows: Values, kept: Side, cut: float) -> Values:
    return np.minimum(rows - cut, 0) if kept == "low" else np.maximum(rows - cut, 0)


def _end(arms: dict[str, Values], forms: dict[str, Form]) -> BoundEnd:
    cells = {arm: moments_of(_values(rows, forms[arm])) for arm, rows in arms.items()}
    return BoundEnd(treated=cells["t"], control=cells["c"])


def _values(rows: Values, form: Form) -> Values:
    beyond = form.bend * _beyond(rows, form.kept, form.cut)
    return np.where(np.isnan(rows), form.base, form.base + form.each + np.nan_to_num(form.slope * rows + beyond))


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one drawn survey's rows say: by method the interval, and whether the own row is called unsafe."""

    rows: dict[str, Estimate]
    unsafe: bool

    def covers(self, method: str, truth: float) -> bool:
        """Tell whether the method's interval holds the truth."""
        row = self.rows[method]
        assert row.low is not None, row.reason
        assert row.high is not None
        return row.low <= truth <= row.high


def told(world: SurveyWorld, runs: int, *, covariates: bool = False) -> list[Told]:
    """Return what so many drawn surveys say."""
    rng, spec = rng_of("V4", f"survey {world.name}"), plan(covariates=covariates)
    found = []
    for _ in range(runs):
        rows = effects(spec, world.draw(rng))
        mine = [row for row in rows if row.metric == "y" and row.scale == "absolute" and row.adjustment == "none"]
        adjusted = [row for row in rows if row.method == AIPW]
        unsafe = any(is_unsafe(row) for row in mine if not row.companion)
        found.append(Told(rows={row.method: row for row in (*mine, *adjusted)}, unsafe=unsafe))
    return found


def survey_rows(reps: int | None) -> Iterator[Row]:
    """Yield the bars: bounds that hold, adjustment that holds where it may, and a naive difference called unsafe."""
    yield from _bounded(MOODS, reps or 1_000)
    yield from _bounded(AT_THE_END, reps or 4_000)
    yield from _ends(MOODS, reps or 4_000)
    yield from _ends(AT_THE_END, reps or 4_000)
    yield from _adjusted(reps or 4_000, Band(low=0.938, high=0.962), noise=0.0 if reps is None else SIGMAS / reps**0.5)
    yield _unbiased(reps or 4_000)


def _bounded(world: SurveyWorld, runs: int) -> Iterator[Row]:
    found = told(world, runs)
    noise = 0.0 if runs >= 1_000 else SIGMAS * (0.05 * 0.95 / runs) ** 0.5
    lee = float(np.mean([one.covers(LEE, world.answering) for one in found]))
    worst = float(np.mean([one.covers(WORST_CASE, world.everybody) for one in found]))
    naive = float(np.mean([one.covers("difference_in_means", world.answering) for one in found]))
    unsafe = float(np.mean([one.unsafe for one in found]))
    yield _row(world, "Lee covers ≥ 0.94", f"{lee:.4f} (the plain difference: {naive:.4f})", runs, lee >= 0.94 - noise)
    yield _row(world, "the worst case always covers", f"{worst:.4f}", runs, worst == 1.0)
    yield _row(world, "called unsafe ≥ 0.95", f"{unsafe:.4f}", runs, unsafe >= 0.95)


def _adjusted(runs: int, band: Band, noise: float) -> Iterator[Row]:
    found = told(KNOWN, runs, covariates=True)
    covered = float(np.mean([one.covers(AIPW, KNOWN.everybody) for one in found]))
    naive = float(np.mean([one.covers("difference_in_means", KNOWN.everybody) for one in found]))
    spread = _spread(found)
    held = band.widened(0.22 * noise).holds(covered) and Band(low=0.95, high=1.05).widened(0.75 * noise).holds(spread)
    told_here = f"coverage {covered:.4f}, SE/sd {spread:.4f}"
    yield _row(KNOWN, f"response-AIPW: coverage {band}, SE/sd [0.95, 1.05]", told_here, runs, held)
    yield _row(KNOWN, "the plain difference covers < 0.8: the bar must see it", f"{naive:.4f}", runs, naive < 0.8)


def _spread(found: list[Told]) -> float:
    rows = [one.rows[AIPW] for one in found]
    return float(np.mean([row.se or 0.0 for row in rows]) / np.std([row.point or 0.0 for row in rows], ddof=1))


def _unbiased(runs: int) -> Row:
    points = np.array([one.rows[AIPW].point for one in told(INVERSE, runs, covariates=True)], dtype=float)
    bias = float((points.mean() - INVERSE.everybody) / points.std(ddof=1))
    limit = 0.1 + (SIGMAS / runs**0.5 if runs < 4_000 else 0.0)
    return _row(INVERSE, f"response-AIPW: bias ≤ {limit:.2f} sd", f"{bias:+.3f} sd", runs, abs(bias) <= limit)


def _row(world: SurveyWorld, target: str, measured: str, runs: int, passed: bool) -> Row:  # noqa: FBT001
    return Row(
        bar="V4-survey", setting=f"survey: {world.name}", target=target, measured=measured, reps=runs, passed=passed
    )


def _ends(world: SurveyWorld, runs: int) -> Iterator[Row]:
    """Hold both ends' standard errors to their spread."""
    rng = rng_of("V4", f"survey ends {world.name}")
    found = []
    for _ in range(runs):
        survey = world.draw(rng)
        bounds = nonresponse_of(survey.answers[survey.treated == 1], survey.answers[survey.treated == 0])
        assert bounds.lee is not None
        found.append(identified(bounds.lee))
    noise = 0.0 if runs >= 4_000 else SIGMAS / runs**0.5
    band = Band(low=0.95, high=1.05).widened(0.75 * noise)
    for name, ends in (("low", [one.low for one in found]), ("high", [one.high for one in found])):
        ratio = float(np.mean([end.se for end in ends]) / np.std([end.point for end in ends], ddof=1))
        yield _row(world, f"Lee's {name} end: SE/sd [0.95, 1.05]", f"{ratio:.4f}", runs, band.holds(ratio))
