"""What an experiment promised, against what a kept hold-out shows after the roll-out."""

from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxcausal.core.errors import DataError, Problem, UsageError
from cxcausal.core.progress import SILENT, Progress
from cxcausal.core.results import Estimate
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.spec.placing import placing
from cxcausal.core.wording import number, percent
from cxcausal.reviewing.rerunning import AS_PLANNED, Query, plan_of
from cxcausal.running import completed, opened

if TYPE_CHECKING:
    from cxcausal.tracking.parents import Parent


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One effect: what the experiment promised, and what the hold-out shows.

    Attributes:
        promised, shown: the effects, absolute, each with its own interval at the plan's level.
        difference: shown − promised, with its interval at `level`; trial and hold-out are taken as different people,
            and degrees of freedom are Welch's, as a hold-out is small.
        kept: whether that interval includes zero.
        sentence: the same in words.
    """

    metric: str
    arm: str
    control: str
    unit: str
    promised: float
    promised_low: float
    promised_high: float
    shown: float
    shown_low: float
    shown_high: float
    difference: float
    low: float
    high: float
    level: float
    kept: bool
    sentence: str


@dataclass(frozen=True, kw_only=True)
class HoldOut:
    """Every promise of one run, held against a hold-out; `inputs` are the hashes of what was read."""

    experiment: str
    parent: str
    arm: str
    inputs: tuple[tuple[str, str], ...]
    promises: tuple[Promise, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, numbers and text."""
        return asdict(self)


def hold_out(
    experiment: str | Path, asked: Query = AS_PLANNED, *, root: Path | None = None, progress: Progress = SILENT
) -> HoldOut:
    """Compare what a run promised for its recommended arm with what customers who were held out show.

    The data hold customers of the roll-out with the recommended arm, and those held out with the control arm, as
    `assign --hold-out` left them. Shares are not looked at: a hold-out is small on purpose. The comparison goes into
    the ledger as a `score`, and is no run.

    Args:
        experiment: the path of a plan, or the id of one in `experiments/`.
        asked: data, parent and actor.
        root: the project's root.
        progress: told how far the work is.

    Raises:
        UsageError: there is no run yet, or it recommends no arm; or an end of observation or a reason is given.
        DataError: one of the two groups is not in the data.
        PlanError, MachineError, IntegrityError: as `rerun`.
    """
    from cxcausal.pipeline.movement import effects_in, stored_headlines
    from cxcausal.pipeline.preconditions import refuse_repeated_units
    from cxcausal.pipeline.support import refuse_unsupported
    from cxcausal.tracking.parents import parent_of

    _refuse_unused(asked)
    resolved = load_experiment(plan_of(experiment, root), root=root)
    spec = completed(resolved.spec)
    parent = parent_of(resolved.project.root, spec.id, asked.parent)
    arm = _recommended(parent)
    with placing(resolved, asked.on):
        refuse_unsupported(spec)
        with opened(resolved, asked.on, progress) as dataset:
            refuse_repeated_units(spec, dataset)
            with progress.stage("comparing with the hold-out"):
                shown, inputs = effects_in(spec, dataset), dataset.inputs
    promised = stored_headlines(parent.results)
    promises = tuple(
        promise_of(spec, row, shown[contrast])
        for contrast, row in promised.items()
        if contrast in shown and (row.arm, row.control) == (arm, spec.control) and row.se and shown[contrast].se
    )
    if not promises:
        what = f"the data have no effect of '{arm}' against '{spec.control}' that the run promised"
        mend = f"give data with customers of '{arm}', and of '{spec.control}' for those held out, with --on"
        raise DataError(Problem(where="--holdout", code="R815", what=what, mend=mend))
    found = HoldOut(experiment=spec.id, parent=parent.run_id, arm=arm, inputs=inputs, promises=promises)
    _score(resolved.project.root, found, asked.actor)
    return found


def _refuse_unused(asked: Query) -> None:
    """Raise where something is asked that a comparison with a hold-out would pass over in silence.

    Raises:
        UsageError: always then.
    """
    for option, given in (("--data-cut", asked.data_cut), ("--accept-changes", asked.accept_changes)):
        if given is not None:
            what, mend = "a comparison with a hold-out doesn't use this", f"leave out {option}, or --holdout"
            raise UsageError(Problem(where=option, code="R816", what=what, mend=mend))


def _recommended(parent: "Parent") -> str:
    arm = parent.results["recommended_arm"]
    if arm is None:
        what, mend = "this run recommended no arm, and so promised nothing", "name another run with --parent"
        raise UsageError(Problem(where="--holdout", code="R808", what=what, mend=mend))
    return str(arm)


def promise_of(spec: ExperimentSpec, promised: Estimate, shown: Estimate) -> Promise:
    """Return one promise, from two rows with standard errors."""
    from cxcausal.pipeline.movement import difference_error

    level = 1 - spec.analysis.alpha
    first, second = float(promised.point or 0.0), float(shown.point or 0.0)
    low, high = _range(second - first, difference_error(promised, shown), level)
    ends = [
        _range(point, (float(row.se or 0.0), row.df or inf), level)
        for point, row in ((first, promised), (second, shown))
    ]
    return Promise(
        metric=promised.metric,
        arm=promised.arm,
        control=promised.control,
        unit=promised.unit,
        promised=first,
        promised_low=ends[0][0],
        promised_high=ends[0][1],
        shown=second,
        shown_low=ends[1][0],
        shown_high=ends[1][1],
        difference=second - first,
        low=low,
        high=high,
        level=level,
        kept=low <= 0 <= high,
        sentence=_sentence(promised, (first, second), (low, high), level),
    )


def _range(point: float, error: tuple[float, float], level: float) -> tuple[float, float]:
    """Return an interval by Student's distribution, from a standard error and its degrees of freedom."""
    from scipy.stats import t

    se, df = error
    half = float(t.ppf((1 + level) / 2, df)) * se
    return point - half, point + half


def _sentence(row: Estimate, points: tuple[float, float], ends: tuple[float, float], level: float) -> str:
    low, high = ends
    told = f"{row.metric}: the experiment promised {number(points[0])} ({row.unit}), the hold-out shows "
    told += f"{number(points[1])}; difference {number(points[1] - points[0])} "
    told += f"({percent(level)} range: {number(low)} to {number(high)}): "
    return told + ("as promised, as far as the hold-out can tell." if low <= 0 <= high else "not as promised.")


def _score(root: Path, found: HoldOut, actor: str | None) -> None:
    """Write the comparison into the ledger."""
    from cxcausal.tracking import ledger
    from cxcausal.tracking.actor import resolve_actor

    payload = {
        "parent": found.parent,
        "arm": found.arm,
        "inputs": found.inputs,
        "promises": found.to_dict()["promises"],
    }
    entry = ledger.Entry(kind="score", experiment=found.experiment, actor=resolve_actor(root, actor), payload=payload)
    ledger.append(root, entry)
