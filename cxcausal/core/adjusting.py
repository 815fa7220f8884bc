"""What an adjusted analysis adjusts for, and whose effect it tells."""

from typing import TYPE_CHECKING

from cxcausal.core.score_queries import TARGETS, Target
from cxcausal.core.spec.designs import Observational

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec


def adjusted_for(spec: "ExperimentSpec") -> tuple[str, ...]:
    """Return the covariates that nuisances are learned from, each once.

    In observational designs the confounders, with covariates and effect modifiers; elsewhere the last two and strata.
    """
    declared = spec.design.confounders if isinstance(spec.design, Observational) else spec.design.strata
    return tuple(dict.fromkeys((*declared, *spec.covariates, *spec.effect_modifiers)))


def needs_rows(spec: "ExperimentSpec") -> bool:
    """Tell whether the plan asks for anything that is made of rows, which sums can't give."""
    return has_scores(spec) or asks_whom(spec)


def has_scores(spec: "ExperimentSpec") -> bool:
    """Tell whether the plan's effects are made of scores."""
    return isinstance(spec.design, Observational) or spec.estimation.method == "aipw"


def asks_whom(spec: "ExperimentSpec") -> bool:
    """Tell whether the plan asks who responds, or whom to contact."""
    return bool(spec.effect_modifiers) or any(value for _, value in spec.policy)


def modifiers_of(spec: "ExperimentSpec") -> tuple[str, ...]:
    """Return the columns over which effects may differ: the plan's own, else its covariates, else its segments.

    Never a protected one: rules for whom to contact look at these columns.
    """
    found = spec.effect_modifiers or spec.covariates or spec.segments
    return tuple(name for name in found if name not in spec.policy.protected)


def target_of(spec: "ExperimentSpec") -> Target:
    """Return whom the plan's effect is of: in observational designs the overlap by default, elsewhere everybody."""
    asked = spec.estimand.contrast
    if asked in TARGETS:
        return asked
    return "ato" if isinstance(spec.design, Observational) else "ate"


def estimand_of(spec: "ExperimentSpec", target: Target) -> str:
    """Return the name of an effect in results: where a coin decided, that on everybody is of being assigned (itt)."""
    return "itt" if target == "ate" and not isinstance(spec.design, Observational) else target
