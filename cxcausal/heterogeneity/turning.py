"""Turns: effects learned from some blocks of units and told of the next block, which had no part in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from cxcausal.core.hashing import mixed
from cxcausal.core.held_out import Aim, HeldOut, Places, Side, Turn
from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.core.whom import Candidate
from cxcausal.heterogeneity.choosing import DEFAULT, LARGE, MANY, Chosen, chosen
from cxcausal.heterogeneity.encoding import encoding_of
from cxcausal.heterogeneity.fences import fenced
from cxcausal.heterogeneity.known import Known, Subject, known_of
from cxcausal.heterogeneity.lesson import Ground, Lesson
from cxcausal.heterogeneity.parts import parts_of
from cxcausal.heterogeneity.predicting import Predicting
from cxcausal.heterogeneity.subject import content_of, places_of, refuse, rows_at, subject_of, why_not
from cxcausal.nuisance.beside import Step, nothing, side_by_side
from cxcausal.nuisance.crossfit import Nuisances
from cxcausal.nuisance.features import features_of
from cxcausal.nuisance.folds import Places as Folds
from cxcausal.nuisance.folds import folds_of, group_keys
from cxcausal.nuisance.threads import one_level

BLOCKS = 6
FIRST = 2
"""Blocks that the first turn learns from."""
HALF = 3
"""Blocks that the half learns from."""
FEWEST_IN_TURN = 5
"""Units of an arm that every model must have to learn from; large clusters may leave fewer in a fold."""
INNER = 3
"""Folds within what is learned from."""
STEPS = 2 + INNER
"""Of learning once: what is known before, every fold, and the whole."""
STEPS_OF_AIM = STEPS * (BLOCKS - FIRST)
LEARN_AT_MOST = 250_000
"""Units that are learned from at most; of more, these many are drawn by a hash."""
_BLOCKS_SALT, _INNER_SALT, _DRAWN_SALT = 71, 72, 73


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What was learned from some units, and what is known of them and of others.

    Attributes:
        learned: the units learned from. chosen: the combination. table: of the others, their sides.
    """

    learned: Side
    judged: Side
    chosen: Chosen


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """One aim's eligible units, all set to be learned from.

    Attributes:
        subject: the units. ground: their modifiers. places: theirs among all rows, shape (n,).
        block: of each, shape (n,). inner: fold of each where it is learned from. direct: as in `Lesson`.
        learners: by name.
    """

    subject: Subject
    ground: Ground
    places: Places
    block: Folds
    inner: Folds
    direct: bool
    learners: tuple[str, ...]

    def taught(self, train: Places, others: Places, stage: str, step: Step = nothing) -> Learned:
        """Learn from some units, `train`, and tell of `others`, both ascending; `stage` is for seeds.

        Of `step` there are `STEPS`.
        """
        self.refuse_thin(train)
        units = np.sort(np.concatenate([train, others]))
        fold = np.full(len(units), INNER, dtype=np.int16)
        own = np.searchsorted(units, train)
        fold[own] = self.inner[train]
        known = known_of(self.subject, units, fold, INNER, stage)
        lesson = self._lesson(train, known, own, stage)
        step()
        with one_level():
            best = chosen(lesson, train, self.inner[train], self.learners, step)
            gains = best.effect.of(self.ground.table.at(others))
        rest = np.searchsorted(units, others)
        return Learned(
            learned=self._side(train, known, own, best.out), judged=self._side(others, known, rest, gains), chosen=best
        )

    def refuse_thin(self, train: Places) -> None:
        """Refuse to learn where an inner fold leaves too few units of an arm."""
        rows, seen = self.subject.rows, self.subject.values.seen[train]
        codes = self.inner[train][seen].astype(np.int64) * len(rows.arms) + rows.arm[train][seen]
        counts = np.bincount(codes, minlength=INNER * len(rows.arms)).reshape(INNER, -1)
        left = (counts.sum(axis=0) - counts).min(axis=0)
        if left.min() < FEWEST_IN_TURN:
            name = rows.arms[int(left.argmin())]
            reason = f"a turn leaves fewer than {FEWEST_IN_TURN} eligible customers of {name}"
            refuse(self.subject.name, reason)

    def predicting(self, found: Learned, modifiers: Sequence[str]) -> Predicting:
        """Return what was learned, to be asked about raw columns."""
        constants = np.asarray(self.subject.values.constants)
        return Predicting(
            encoding=encoding_of(self.subject.rows, modifiers, self.ground.features),
            effect=found.chosen.effect,
            constants=constants - constants[0],
        )

    def _lesson(self, train: Places, known: Known, own: Places, stage: str) -> Lesson:
        n, arms = self.subject.rows.n, self.ground.arms
        y = np.full(n, np.nan)
        y[train] = self.subject.y[train]
        tables = []
        for values in (known.means, known.shares, known.scores):
            table = np.full((n, arms), np.nan)
            table[train] = values[own]
            tables.append(table)
        return Lesson(
            ground=self.ground,
            y=y,
            means=tables[0],
            shares=tables[1],
            scores=tables[2],
            weight=self.subject.weight,
            direct=self.direct,
            seed=self.subject.seed(stage, "effects"),
            parts=parts_of(self.subject.values, self.ground.arm, train),
        )

    def _side(self, units: Places, known: Known, at: Places, gains: Floats) -> Side:
        constants = np.asarray(self.subject.values.constants)
        whole = np.column_stack([np.zeros(len(units)), gains]) + (constants - constants[0])
        return Side(
            units=self.places[units],
            scores=known.scores[at] + constants,
            gains=whole,
            means=known.means[at] + constants,
        )


def held_out(  # noqa: PLR0913 - what a stage is given
    rows: Rows,
    aim: Aim,
    *,
    modifiers: Sequence[str],
    nuisances: Nuisances,
    eligible: Flags,
    weight: Floats,
    learners: Sequence[str] | None = None,
    step: Step = nothing,
) -> HeldOut:
    """Return what is learned in turns of who gains how much.

    Args:
        rows: the analysed units, n of them.
        aim: what more of is better.
        modifiers: columns that effects may differ by.
        nuisances: of the rows: covariates, recipe, and the shares of a coin where one was tossed.
        eligible: who may be contacted at all, shape (n,).
        weight: of each row in the population, shape (n,).
        learners: of effects, by name; one effect for everybody is always among them. None leaves them to the number
            of units: `DEFAULT`, or `LARGE`.
        step: called `STEPS_OF_AIM` times on the way.

    Raises:
        TooFewError: there are too few units to learn from.
    """
    course = course_of(rows, aim, modifiers=modifiers, nuisances=nuisances, eligible=eligible, weight=weight,
                       learners=learners)  # fmt: skip
    if np.bincount(course.block, minlength=BLOCKS).min() == 0:
        refuse(aim.name, "too few groups of customers share a fate to fall into six blocks")
    learned = _in_turns(course, step)
    half = learned[HALF]
    turns = tuple(_turn(course, found, last) for last, found in learned.items())
    return HeldOut(
        aim=aim,
        rows=rows,
        turns=turns,
        half=Turn(learned=half.learned, judged=half.judged),
        weight=weight,
        model=course.predicting(half, modifiers),
        learners=leaderboard(learned[BLOCKS - 1]),
    )


def _in_turns(course: Course, step: Step) -> dict[int, Learned]:
    """Return what is learned from the blocks before each turn's, and told of its own, or of all after the half.

    Turns know nothing of one another.
    """
    asked = {last: drawn(course, course.block < last) for last in range(FIRST, BLOCKS)}
    for train in asked.values():
        course.refuse_thin(train)

    def learned(last: int, step: Step) -> Learned:
        others = course.block >= last if last == HALF else course.block == last
        return course.taught(asked[last], np.flatnonzero(others), f"turn{last}", step)

    longest_first = sorted(asked, reverse=True)
    found = side_by_side([partial(learned, last) for last in longest_first], step, rows=course.subject.rows.n)
    return dict(sorted(zip(longest_first, found, strict=True)))


def _turn(course: Course, found: Learned, last: int) -> Turn:
    """Return a turn, which the half's is the first part of."""
    judged = found.judged
    if last == HALF:
        judged = judged.of(np.flatnonzero(course.block[course.block >= last] == last))
    return Turn(learned=found.learned, judged=judged)


def course_of(  # noqa: PLR0913 - what a stage is given
    rows: Rows,
    aim: Aim,
    *,
    modifiers: Sequence[str],
    nuisances: Nuisances,
    eligible: Flags,
    weight: Floats,
    learners: Sequence[str] | None = None,
) -> Course:
    """Return an aim's eligible units, set to be learned from; arguments as of `held_out`."""
    reason = why_not(rows, aim, eligible)
    if reason is not None:
        refuse(aim.name, reason)
    places = places_of(rows, eligible, (*modifiers, *nuisances.covariates))
    own = rows_at(rows, places)
    subject = subject_of(own, aim, nuisances, weight[places])
    keys = group_keys(own.key, own.clusters, own.cluster_keys)
    seed = nuisances.recipe.seed
    confounders = (
        set() if nuisances.known is not None and bool(subject.values.seen.all()) else set(nuisances.covariates)
    )
    known = tuple(modifiers) == nuisances.covariates
    features = subject.features if known else fenced(features_of(own, tuple(modifiers)))
    return Course(
        subject=subject,
        ground=Ground(features=features, arm=own.arm, arms=len(own.arms)),
        places=places,
        block=folds_of(keys, BLOCKS, seed=seed, repeat=_BLOCKS_SALT),
        inner=folds_of(keys, INNER, seed=seed, repeat=_INNER_SALT),
        direct=confounders <= set(modifiers),
        learners=tuple(learners if learners is not None else DEFAULT if own.n <= MANY else LARGE),
    )


def drawn(course: Course, units: Flags) -> Places:
    """Return the places of some units, at most `LEARN_AT_MOST` of them."""
    places = np.flatnonzero(units)
    if len(places) <= LEARN_AT_MOST:
        return places
    content = mixed(content_of(course.subject.rows)[places], _DRAWN_SALT)
    return np.sort(places[np.argsort(content, kind="stable")[:LEARN_AT_MOST]])


def leaderboard(learned: Learned) -> tuple[Candidate, ...]:
    """Return the candidates of what was learned."""
    return learned.chosen.candidates
