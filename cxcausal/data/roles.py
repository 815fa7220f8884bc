"""Which columns a plan needs, and in which roles: only those are read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.filter_grammar import Expr, FilterError, columns_of, parse_filter, parse_formula
from cxcausal.core.spec.models import ExperimentSpec, Metric


@dataclass(frozen=True, kw_only=True)
class NumberRule:
    """What the values of a numeric column must obey, and which part of the plan says so."""

    column: str
    rule: Literal["number", "binary", "nps", "count", "positive", "not_negative"]
    because: str


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns of a plan by role; a column may have several.

    Attributes:
        arm: the treatment column.
        ids: unit, randomisation unit and clusters: never missing, and never shown.
        texts: segments and strata.
        covariates: numbers or texts, whatever the data hold.
        numbers: outcomes and all else that must be a number, each with its rules.
        times: columns of time zero and of the end of observation.
        filtered: columns of the filter.
        condition: the filter, as a tree; None without one.
        eligible: who may be contacted, as a tree; None where everybody may.
        declared: the names below `data.columns`.
        formulas: the computed columns, by name; what they use is among the numbers.
    """

    arm: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    covariates: tuple[str, ...]
    numbers: tuple[NumberRule, ...]
    times: tuple[str, ...]
    filtered: tuple[str, ...]
    condition: Expr | None = None
    eligible: Expr | None = None
    declared: tuple[str, ...]
    formulas: Mapping[str, Expr]

    @property
    def needed(self) -> tuple[str, ...]:
        """Every column to read, each once; computed ones are not there to be read."""
        ruled = (rule.column for rule in self.numbers)
        names = (
            self.arm,
            *self.ids,
            *self.texts,
            *self.covariates,
            *ruled,
            *self.times,
            *self.filtered,
            *self.declared,
        )
        return tuple(name for name in dict.fromkeys(names) if name not in self.formulas)

    @property
    def numeric(self) -> tuple[str, ...]:
        """Columns that must be numbers, each once."""
        return tuple(dict.fromkeys(rule.column for rule in self.numbers))


def roles_of(spec: ExperimentSpec) -> Roles:
    """Return the roles of a plan's columns.

    Raises:
        PlanError: the filter or a formula is not of the language of filters.
    """
    data, treatment = spec.data, spec.design.treatment
    ids = (data.unit, data.randomization_unit, *data.cluster)
    times = (name for name in (data.time_zero, data.observed_until) if name is not None and not is_date(name))
    expr, formulas, eligible = filter_of(spec), formulas_of(spec), eligible_of(spec)
    return Roles(
        arm=treatment.column,
        ids=tuple(dict.fromkeys(name for name in ids if name is not None)),
        texts=tuple(dict.fromkeys((*spec.segments, *spec.design.strata, *_ruled(spec)))),
        covariates=tuple(dict.fromkeys((*spec.covariates, *spec.effect_modifiers, *_observed_causes(spec)))),
        numbers=tuple(dict.fromkeys((*_number_rules(spec), *_formula_rules(formulas)))),
        times=tuple(dict.fromkeys(times)),
        filtered=tuple(
            dict.fromkeys(name for each in (expr, eligible) if each is not None for name in columns_of(each))
        ),
        condition=expr,
        eligible=eligible,
        declared=tuple(data.columns),
        formulas=formulas,
    )


def filter_of(spec: ExperimentSpec) -> Expr | None:
    """Return the plan's filter as a tree, None without one.

    Raises:
        PlanError: the filter is not of the language of filters.
    """
    return None if spec.data.filter is None else _parsed(parse_filter, spec.data.filter, "data.filter")


def eligible_of(spec: ExperimentSpec) -> Expr | None:
    """Return who may be contacted as a tree, None where the plan excludes nobody.

    Raises:
        PlanError: the condition is not of the language of filters.
    """
    return None if spec.policy.eligible is None else _parsed(parse_filter, spec.policy.eligible, "policy.eligible")


def formulas_of(spec: ExperimentSpec) -> Mapping[str, Expr]:
    """Return the plan's formulas as trees, by the name of the computed column.

    Raises:
        PlanError: one is not of the language of formulas.
    """
    formulas = spec.data.formulas
    return {name: _parsed(parse_formula, text, f"data.columns.{name}.formula") for name, text in formulas.items()}


def _parsed(parse: Callable[[str], Expr], text: str, where: str) -> Expr:
    try:
        return parse(text)
    except FilterError as error:
        what = f"{error.what} at character {error.position}"
        raise PlanError(Problem(where=where, code="D130", what=what, mend=error.mend)) from None


def is_date(text: str) -> bool:
    """Tell whether the text is an ISO date, and not a column's name.

    Example:
        >>> is_date("2026-12-20"), is_date("extracted_at")
        (True, False)
    """
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _number_rules(spec: ExperimentSpec) -> Iterator[NumberRule]:
    for _, metric in spec.metrics.with_roles():
        yield from _metric_rules(metric)
    received = spec.design.treatment.received
    if received is not None:
        yield NumberRule(column=received, rule="binary", because="design.treatment.received")
    if isinstance(spec.design, Observational):
        for name in spec.design.negative_controls.outcomes:
            yield NumberRule(column=name, rule="number", because="design.negative_controls.outcomes")
    if spec.data.weight is not None:
        yield NumberRule(column=spec.data.weight, rule="positive", because="data.weight")
    for name, column in spec.data.columns.items():
        if not column.allow_negative:
            yield NumberRule(column=name, rule="not_negative", because=f"data.columns.{name}.allow_negative")


def _ruled(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return what the rule in use decides, and the groups whose treatment is watched."""
    rule = () if spec.policy.current_rule is None else (spec.policy.current_rule,)
    return (*rule, *spec.policy.protected)


def _observed_causes(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return what an observational plan adjusts for, and the exposures that can't change its outcomes."""
    design = spec.design
    return (*design.confounders, *design.negative_controls.exposures) if isinstance(design, Observational) else ()


def _formula_rules(formulas: Mapping[str, Expr]) -> Iterator[NumberRule]:
    for made, expr in formulas.items():
        yield NumberRule(column=made, rule="number", because=f"data.columns.{made}.formula")
        for name in columns_of(expr):
            yield NumberRule(column=name, rule="number", because=f"data.columns.{made}.formula")


def _metric_rules(metric: Metric) -> Iterator[NumberRule]:
    rules: dict[str, Literal["binary", "nps", "count"]] = {"proportion": "binary", "nps": "nps", "count": "count"}
    because = f"metric {metric.name}"
    for column in metric.columns:
        yield NumberRule(column=column, rule=rules.get(metric.type, "number"), because=because)
    if metric.response is not None:
        yield NumberRule(column=metric.response, rule="binary", because=f"{because}, response")
    if metric.covariate is not None:
        yield NumberRule(column=metric.covariate, rule="number", because=f"{because}, covariate")
