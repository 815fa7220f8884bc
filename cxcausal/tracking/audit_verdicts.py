"""The verdict, decided once more by the rules from the effects, checks and money that a run has on record."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cxcausal.core.canonical import plain_json
from cxcausal.core.errors import Problem
from cxcausal.core.results import CheckResult, Estimate, Grade, ValueResult
from cxcausal.core.stored import record_from
from cxcausal.tracking.audit_runs import SeenRun, problem

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec
    from cxcausal.decision.verdict import Decision


def redecided(recorded: Sequence[SeenRun]) -> Iterator[Problem]:
    """Yield the runs whose verdict is not what the rules of this version give for what is on record.

    Runs of other versions, whose rules may have been others, are left out.
    """
    here = version("cxcausal")
    for seen in recorded:
        if seen.results["versions"].get("cxcausal") == here:
            yield from _redecided(seen)


def _redecided(seen: SeenRun) -> Iterator[Problem]:
    decision = decision_of(seen.results)
    if decision is None:
        return
    stored = seen.results
    pairs = {
        "verdict": (decision.verdict, stored["verdict"]),
        "recommended_arm": (decision.recommended_arm, stored["recommended_arm"]),
        "grade": (decision.grade, stored["grade"]),
        "capped_by": (decision.capped_by, stored["capped_by"]),
        **{f"arms.{arm}": (found.verdict, _arm(stored, arm)) for arm, found in decision.arms.items()},
    }
    for key, (found, told) in pairs.items():
        if found != told:
            what = f"is {told!r}, but the rules give {found!r} for the effects, checks and money on record"
            mend = "run the analysis again, and find out who wrote this record"
            yield problem(f"{seen.name} {key}", "I716", what, mend)


def decision_of(results: Mapping[str, Any]) -> "Decision | None":
    """Return what the rules say about a stored result; None where its plan is none that can be decided upon.

    Args:
        results: the object of `run --json`.
    """
    from cxcausal.decision.verdict import decide, wait  # noqa: PLC0415 - only an audit decides again

    spec, grade = _spec(plain_json(results["plan"]))
    if spec is None or grade is None:
        return None
    checks = tuple(record_from(CheckResult, item) for item in results["checks"])
    reading = results.get("reading")
    if reading is not None and reading.get("waiting") is not None:
        return wait(spec, checks, reading["waiting"], design_grade=grade)
    effects = tuple(record_from(Estimate, item) for item in results["effects"])
    value = results["value"]
    money = None if value is None else record_from(ValueResult, value)
    return decide(spec, effects, checks, money, registered=results["registered"], design_grade=grade)


@cache
def _spec(plan: bytes) -> "tuple[ExperimentSpec | None, Grade | None]":
    """Return a stored plan as it was meant, and the grade that its design gives; many runs share a plan."""
    from pydantic import ValidationError  # noqa: PLC0415 - start-up time

    from cxcausal.core.registry import BUILT_IN, Registry  # noqa: PLC0415 - see above
    from cxcausal.core.spec.models import ExperimentSpec  # noqa: PLC0415 - see above

    try:
        spec = ExperimentSpec.model_validate_json(plan)
    except ValidationError:
        return None, None
    if spec.design.type not in BUILT_IN["designs"]:
        return None, None
    grade: Grade = Registry(kind="designs").load(spec.design.type)().grade
    return spec, grade


def _arm(results: Mapping[str, Any], arm: str) -> str | None:
    found: str | None = results["arms"].get(arm, {}).get("verdict")
    return found
