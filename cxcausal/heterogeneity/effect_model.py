"""The model of who gains how much: learned on all eligible customers, asked row by row, written without pickle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.held_out import Aim, HeldOut
from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.core.whom import Candidate
from cxcausal.heterogeneity.calibrating import Line, lines_of
from cxcausal.heterogeneity.encoding import Encoding, Modifier, encoding_of
from cxcausal.heterogeneity.formulas import Effect
from cxcausal.heterogeneity.stored import read, written
from cxcausal.heterogeneity.turning import course_of, drawn
from cxcausal.nuisance.beside import Step, nothing
from cxcausal.nuisance.crossfit import Nuisances

__all__ = ["EffectModel", "Modifier", "effect_model"]


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectModel:
    """Who gains how much of an aim. All of it is signed so that more is better.

    Attributes:
        aim: its name. arms: the control first. sign: −1 where less of the aim is better.
        encoding: how modifiers become columns. effect: the formulas.
        constants: what every arm gains over the control beside that (its costs), shape (arms,).
        lines: of every arm but the control: what customers of like predictions gained.
        learned: units that it was learned from.
    """

    aim: str
    arms: tuple[str, ...]
    sign: int
    encoding: Encoding
    effect: Effect
    constants: Floats
    lines: tuple[Line, ...]
    learned: int

    @property
    def modifiers(self) -> tuple[Modifier, ...]:
        """The columns that it needs."""
        return self.encoding.modifiers

    def gains(self, columns: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """Return the expected gain of every arm over the control, shape (n, arms), the control's being 0.

        A row's gains depend on no other row, to the bit.

        Args:
            columns: raw modifiers by name, each of shape (n,): floats with NaN, or texts.

        Raises:
            DataError: a modifier is not there, or its values are not of its kind.
        """
        found = self.effect.of(self.encoding.table(columns))
        return np.column_stack([np.zeros(len(found)), found]) + self.constants

    def intervals(self, gains: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return lower and upper ends, each of the shape of `gains`: of the mean gain of customers predicted alike.

        They are approximate: a line through held-out turns, widened to hold the prediction. They do not say what one
        customer would gain, which nobody can know.
        """
        low, high = np.zeros_like(gains), np.zeros_like(gains)
        for place, line in enumerate(self.lines, start=1):
            low[:, place], high[:, place] = line.interval(gains[:, place], level)
        return low, high

    def of(self, places: Sequence[int]) -> "EffectModel":
        """Return the model of some of its arms, by their places, the control's first; their gains stay as they are."""
        treated = [place - 1 for place in places[1:]]
        return replace(
            self,
            arms=tuple(self.arms[place] for place in places),
            effect=Effect(arms=tuple(self.effect.arms[place] for place in treated)),
            constants=self.constants[list(places)],
            lines=tuple(self.lines[place] for place in treated),
        )

    def write(self, folder: Path) -> None:
        """Write it into a folder: arrays, JSON and LightGBM's text, and nothing that runs when it is read."""
        written(folder, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def read(cls, folder: Path) -> "EffectModel":
        """Return the model in a folder; it predicts the same bits.

        Raises:
            DataError: the folder holds no model, or one of another version.
        """
        return cls(**read(folder))


def effect_model(  # noqa: PLR0913 - what a stage is given
    rows: Rows,
    aim: Aim,
    *,
    modifiers: Sequence[str],
    nuisances: Nuisances,
    eligible: Flags,
    weight: Floats,
    held: HeldOut,
    learners: Sequence[str] | None = None,
    step: Step = nothing,
) -> tuple[EffectModel, tuple[Candidate, ...]]:
    """Return the model learned on all eligible units, and the leaderboard of its learners.

    Args:
        rows: the analysed units, n of them.
        aim: what more of is better.
        modifiers: columns that effects may differ by.
        nuisances: of the rows.
        eligible: who may be contacted at all, shape (n,).
        weight: of each row in the population, shape (n,).
        held: the turns of the same aim, by which intervals are calibrated.
        learners: of effects, by name; None leaves them to the number of units.
        step: called `STEPS` times on the way.

    Raises:
        DataError: there are too few units to learn from.
    """
    course = course_of(rows, aim, modifiers=modifiers, nuisances=nuisances, eligible=eligible, weight=weight,
                       learners=learners)  # fmt: skip
    train = drawn(course, np.ones(course.subject.rows.n, dtype=bool))
    found = course.taught(train, train[:0], "model", step).chosen
    constants = np.asarray(course.subject.values.constants)
    constants = constants - constants[0]
    centres = np.average(found.out, axis=0, weights=course.subject.weight[train]) + constants[1:]
    model = EffectModel(
        aim=aim.name,
        arms=rows.arms,
        sign=aim.sign,
        encoding=encoding_of(course.subject.rows, modifiers, course.ground.features),
        effect=found.effect,
        constants=constants,
        lines=lines_of(held, np.asarray(centres)),
        learned=len(train),
    )
    return model, found.candidates
