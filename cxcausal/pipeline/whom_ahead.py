"""What a run will do about whom to contact, told before there are data: what is learned, from what, and within what."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cxcausal.core.adjusting import asks_whom, modifiers_of
from cxcausal.core.wording import count, listed, number

if TYPE_CHECKING:
    from cxcausal.core.spec.models import ExperimentSpec


def whom_ahead(spec: "ExperimentSpec") -> tuple[str, ...]:
    """Return sentences on whom a run will learn to contact; none for plans that don't ask.

    Args:
        spec: a resolved plan, of which no data need exist.

    Raises:
        PlanError: a metric names a worth that the value model doesn't have.
    """
    return tuple(_sentences(spec)) if asks_whom(spec) else ()


def _sentences(spec: "ExperimentSpec") -> Iterator[str]:
    from cxcausal.pipeline.whom import FEWEST, NET_VALUE, aims_of  # noqa: PLC0415 - only plans that ask pay for it

    aims, modifiers = aims_of(spec), modifiers_of(spec)
    if not aims or not modifiers:
        lacks = "effect_modifiers, covariates or segments" if aims else "a success metric that is an average"
        yield f"Whom to contact will not be learned: the plan has no {lacks}."
        return
    paid = f"net value in {spec.currency} after the cost of contact"
    gains = [paid if aim.name == NET_VALUE else f"'{aim.label}'" for aim in aims]
    yield f"Whom to contact: who gains how much is learned from {listed(modifiers)}, in {listed(gains)}."
    yield (
        "Customers fall into six parts; four times a rule is learned on the parts before one and valued on that one, "
        f"so two thirds of them judge. Each arm needs {count(FEWEST)} customers who may be contacted."
    )
    yield from _costs(spec)
    yield from _limits(spec)
    yield from _rules(spec)


def _costs(spec: "ExperimentSpec") -> Iterator[str]:
    arms = spec.design.treatment.arms
    if not any(arm.unit_cost for arm in arms.values()):
        yield "No arm has a unit_cost: contacts count as free."
        return
    base = arms[spec.control].unit_cost if spec.control in arms else 0.0
    costs = [f"{spec.currency} {number(arm.unit_cost - base)} with {name}" for name, arm in arms.items()
             if name != spec.control]  # fmt: skip
    yield f"A contact costs, beyond {spec.control}: {listed(costs)}."


def _limits(spec: "ExperimentSpec") -> Iterator[str]:
    """Yield budget and capacities with the customers that they are for; a budget counts where contacts cost."""
    arms = spec.design.treatment.arms
    priced = any(arm.unit_cost for arm in arms.values())
    limits = [f"{spec.currency} {number(spec.policy.budget)}"] if spec.policy.budget is not None and priced else []
    limits += [
        f"{count(arm.capacity)} with {name}"
        for name, arm in arms.items()
        if arm.capacity is not None and name != spec.control
    ]
    if not limits:
        yield "Neither a budget nor a capacity limits contacts."
        return
    population = spec.value.population
    whose = "the customers of the data" if population is None else f"the {count(population)} customers of a roll-out"
    yield f"Limits, for {whose}: {listed(limits)}."


def _rules(spec: "ExperimentSpec") -> Iterator[str]:
    policy = spec.policy
    if policy.eligible is not None:
        yield f"Only customers with {policy.eligible} are learned from, valued and contacted."
    if policy.current_rule is not None:
        yield f"The rule in use, '{policy.current_rule}', is valued beside."
    if policy.protected:
        yield f"No rule looks at {listed(policy.protected)}; how often each of their values is contacted is told."
