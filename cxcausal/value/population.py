"""For how many customers an amount per customer may be summed, and what is said of those for whom it may not."""

from collections.abc import Iterator
from dataclasses import replace

from cxcausal.core.adjusting import estimand_of, target_of
from cxcausal.core.people import whom_in
from cxcausal.core.protocols import Answers
from cxcausal.core.queries import FlowQuery, Query
from cxcausal.core.results import ArmValue, Range
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.core.wording import number
from cxcausal.value.scored import by_scores, customers_of_total


def estimand_of_money(spec: ExperimentSpec) -> str:
    """Return of whom the amounts per customer are."""
    return estimand_of(spec, target_of(spec)) if by_scores(spec) else "itt"


def total_queries(spec: ExperimentSpec) -> tuple[Query, ...]:
    """Return what tells how many customers a total is of, where that is not the customers behind the amounts."""
    return (FlowQuery(),) if by_scores(spec) else ()


def with_total(spec: ExperimentSpec, value: ArmValue, answers: Answers) -> ArmValue:
    """Return an arm's value with its total; without one where the amounts are of the overlap."""
    customers: int | None = value.n_treated
    if by_scores(spec):
        customers = customers_of_total(spec, value.arm, answers)
        value = replace(value, total_customers=customers)
    if customers is None:
        return value
    total = {level: times(found, customers) for level, found in value.net_per_customer.items()}
    return replace(value, net_total=total)


def rolls_out(spec: ExperimentSpec) -> bool:
    """Tell whether the amounts may be carried to the customers of a roll-out."""
    return not by_scores(spec) or target_of(spec) != "ato"


def times(found: Range, customers: int, less: float = 0.0) -> Range:
    """Return an amount per customer for as many customers, less an amount that is paid once."""
    low, high = (None if bound is None else bound * customers - less for bound in (found.low, found.high))
    return Range(point=found.point * customers - less, low=low, high=high)


def population_notes(spec: ExperimentSpec) -> Iterator[str]:
    """Yield sentences about the customers of totals and roll-outs, and about what is paid once."""
    fixed = f"{spec.currency} {number(spec.value.fixed_cost)}"
    if not rolls_out(spec):
        yield from _no_total(spec)
        if spec.value.fixed_cost:
            yield f"The one-off cost of {fixed} is in no figure, because there is no total that it could be taken from."
        return
    if spec.value.population is None:
        if spec.value.fixed_cost:
            yield f"The one-off cost of {fixed} is in no figure, because the plan names no population for a roll-out."
        return
    yield f"The roll-out figure takes its {whom_in(spec).many} to be like {_like(spec)}."
    if spec.value.fixed_cost:
        yield f"The roll-out figure has the one-off cost of {fixed} taken off."


def _like(spec: ExperimentSpec) -> str:
    if not by_scores(spec):
        return "those in the test"
    return "those analysed" if target_of(spec) == "ate" else "those of the arm, who got it without a coin being tossed"


def _no_total(spec: ExperimentSpec) -> Iterator[str]:
    people = whom_in(spec)
    yield (
        f"Money is told per {people.one} for whom either arm was a real possibility. Who that is, is a matter of "
        f"degree and no list of {people.many}, so there is no total."
    )
    if spec.value.population is not None:
        yield (
            "There is no roll-out figure: an amount of those for whom either was a real possibility must not be "
            "multiplied by a population that also holds others. Ask for the effect on everybody (estimand: ate) or on "
            "those treated (att) for one."
        )
