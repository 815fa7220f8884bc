"""Which columns of fresh customers are needed: of the model, of who may be contacted, and of the plan's filter."""

from dataclasses import dataclass

from cxcausal.core.errors import DataError, Problem
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.filter_grammar import Expr, FilterError, Logical, columns_of, parse_filter
from cxcausal.core.spec.models import Data, ExperimentSpec
from cxcausal.data.roles import filter_of, formulas_of


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a model looks at: modifiers that are numbers, those that are texts, and the condition for a contact."""

    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    eligible: str | None = None

    @property
    def modifiers(self) -> tuple[str, ...]:
        """Every modifier."""
        return (*self.numbers, *self.texts)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is read of fresh customers.

    Attributes:
        data: the plan's block, with nothing in it but what is asked for.
        needed: columns that must be there.
        inside: the plan's filter, without what can't be known of fresh customers; None where nothing is left.
        left_out: columns of the filter that can't be known of fresh customers.
        eligible: who may be contacted; None where everybody may.
    """

    data: Data
    needed: tuple[str, ...]
    inside: Expr | None
    left_out: tuple[str, ...]
    eligible: Expr | None

    @property
    def conditions(self) -> tuple[str, ...]:
        """The columns of both conditions."""
        trees = (tree for tree in (self.inside, self.eligible) if tree is not None)
        return tuple(dict.fromkeys(name for tree in trees for name in columns_of(tree)))


def asked_of(spec: ExperimentSpec, wanted: Wanted) -> Asked:
    """Return what is read of fresh customers of a plan.

    A column that the plan makes of event tables must be there ready-made: fresh customers have no time zero.

    Raises:
        PlanError: the filter or a formula is not of their language.
        DataError: the condition for a contact is none.
    """
    inside, left_out = _knowable(filter_of(spec), _known_later(spec))
    eligible = None if wanted.eligible is None else _condition(wanted.eligible)
    trees = (tree for tree in (inside, eligible) if tree is not None)
    named = dict.fromkeys((*wanted.modifiers, *(name for tree in trees for name in columns_of(tree))))
    formulas = {name: tree for name, tree in formulas_of(spec).items() if name in named}
    used = dict.fromkeys(name for tree in formulas.values() for name in columns_of(tree))
    unit = () if spec.data.unit is None else (spec.data.unit,)
    columns = {name: column for name, column in spec.data.columns.items() if name in {*named, *used, *unit}}
    none = {"events": None, "weight": None, "time_zero": None, "observed_until": None, "filter": None}
    return Asked(
        data=spec.data.model_copy(update={"columns": columns, **none}),
        needed=tuple(name for name in dict.fromkeys((*unit, *named, *used)) if name not in formulas),
        inside=inside,
        left_out=left_out,
        eligible=eligible,
    )


def _known_later(spec: ExperimentSpec) -> frozenset[str]:
    """Return the columns that say what was done with a customer, and what came of it."""
    design, data = spec.design, spec.data
    names = {design.treatment.column, design.treatment.received, data.time_zero, data.observed_until}
    for _, metric in spec.metrics.with_roles():
        names |= {*metric.columns, metric.response}
    if isinstance(design, Observational):
        names |= {*design.negative_controls.outcomes}
    return frozenset(name for name in names if name is not None)


def _knowable(tree: Expr | None, later: frozenset[str]) -> tuple[Expr | None, tuple[str, ...]]:
    """Return the parts of a filter, joined by `and`, that speak of nothing that is known only later, and what does."""
    if tree is None:
        return None, ()
    parts = tree.operands if isinstance(tree, Logical) and tree.operator == "and" else (tree,)
    kept = tuple(part for part in parts if not later & {*columns_of(part)})
    left_out = dict.fromkeys(name for part in parts for name in columns_of(part) if part not in kept and name in later)
    if len(kept) < 2:  # noqa: PLR2004 - `and` joins two or more
        return (kept[0] if kept else None), tuple(left_out)
    return Logical(operator="and", operands=kept), tuple(left_out)


def _condition(text: str) -> Expr:
    try:
        return parse_filter(text)
    except FilterError as error:
        what = f"policy.eligible: {error.what} at character {error.position}"
        raise DataError(Problem(where="policy.eligible", code="D640", what=what, mend=error.mend)) from None
