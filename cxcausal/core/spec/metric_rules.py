"""What must be true of a plan's metrics beyond their schema: keys by type, margins, windows, and columns kept apart."""

from collections.abc import Iterator, Mapping

from cxcausal.core.spec.designs import Encouragement, Observational
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.keys import EXAMPLES
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.nodes import Finding, Path

NEEDED: Mapping[str, tuple[str, ...]] = {
    "ratio": ("numerator", "denominator"),
    "top_box": ("column", "at_least"),
    "quantile": ("column", "q"),
}
"""What defines a metric of each type; a column alone for all others."""

_DEFINING = ("column", "numerator", "denominator", "at_least", "q")


def needed_keys(kind: str) -> tuple[str, ...]:
    """Return the keys that define a metric of a type.

    Example:
        >>> needed_keys("ratio")
        ('numerator', 'denominator')
    """
    return NEEDED.get(kind, ("column",))


def keys_of_type(draft: Draft) -> Iterator[Finding]:
    """A metric has the keys that its type needs and no others."""
    for planned in draft.metrics:
        metric, needed = planned.metric, needed_keys(planned.metric.type)
        for key in _DEFINING:
            given = getattr(metric, key) is not None
            if key in needed and not given:
                what = f"metric '{metric.name}' of type {metric.type} needs '{key}'"
                mend = f"add it, such as `{key}: {EXAMPLES[key]}`"
                yield Finding(path=(*planned.path, key), code="P308", what=what, mend=mend)
            if given and key not in needed:
                what = f"metric '{metric.name}' of type {metric.type} has no use for '{key}'"
                mend = f"remove it; this type needs {' and '.join(needed)}"
                yield Finding(path=(*planned.path, key), code="P308", what=what, mend=mend, at="key")


def unique_names(draft: Draft) -> Iterator[Finding]:
    """A metric is planned once, in one role."""
    seen: dict[str, str] = {}
    for planned in draft.metrics:
        name = planned.metric.name
        if name in seen:
            roles = " and ".join(dict.fromkeys((seen[name], planned.role)))
            what = f"metric '{name}' is planned twice, in {roles}"
            yield Finding(path=(*planned.path, "name"), code="P307", what=what, mend="keep it in one role")
        seen.setdefault(name, planned.role)


def guardrails_have_margins(draft: Draft) -> Iterator[Finding]:
    """A guardrail says how much worse is too much."""
    for planned in draft.metrics:
        if planned.role == "guardrails" and planned.metric.margin is None:
            name = planned.metric.name
            mend = f"write {{name: {name}, margin: {{absolute: 0.01}}}}, or margin: {{relative: 0.05}}"
            yield Finding(path=planned.path, code="P309", what=f"guardrail '{name}' has no margin", mend=mend)


def windows_end_later(draft: Draft) -> Iterator[Finding]:
    """An outcome's window has a length."""
    for planned in draft.metrics:
        window = planned.metric.window
        if window is not None and window.end <= window.start:
            what = f"the window of '{planned.metric.name}' ends on day {window.end} and starts on day {window.start}"
            path = (*planned.path, "window", "end")
            yield Finding(path=path, code="P320", what=what, mend="make it end later, such as 90d")


def shares_are_below_one(draft: Draft) -> Iterator[Finding]:
    """A difference of shares is less than one: 5 percentage points are 0.05."""
    for planned in draft.metrics:
        metric = planned.metric
        for key in ("mde", "margin") if metric.type in {"proportion", "top_box"} else ():
            size = getattr(metric, key)
            if size is not None and size.absolute is not None and size.absolute >= 1:
                what = f"{key} {size.absolute:g} of '{metric.name}' is a whole or more of all customers"
                path = (*planned.path, key, "absolute")
                mend = "write a share: 0.01 is one percentage point"
                yield Finding(path=path, code="P327", what=what, mend=mend)


def worthwhile_is_planned(draft: Draft) -> Iterator[Finding]:
    """The smallest effect worth acting on is one of a planned metric."""
    worth = draft.decision.minimum_worthwhile_effect if draft.decision is not None else None
    names = [planned.metric.name for planned in draft.metrics]
    if worth is None or worth.metric in (*names, *draft.missing_metrics):
        return
    what = f"minimum_worthwhile_effect names '{worth.metric}', which the plan does not measure"
    path: Path = ("decision", "minimum_worthwhile_effect", "metric")
    yield Finding(path=path, code="P313", what=what, mend=suggestion(worth.metric, names))


def columns_apart(draft: Draft) -> Iterator[Finding]:
    """Outcomes and treatments are not also adjusted for or split by."""
    taken = taken_columns(draft)
    for path, names in _lists(draft):
        for at, name in enumerate(names):
            if name in taken:
                code, owner = taken[name]
                what = f"'{name}' is {owner}, and can't also be among {'.'.join(map(str, path))}"
                mend = "remove it here: adjusting for what the treatment changes hides its effect"
                yield Finding(path=(*path, at), code=code, what=what, mend=mend)


def outcomes_are_not_treatments(draft: Draft) -> Iterator[Finding]:
    """No outcome is the treatment, or what was received of it."""
    taken = {name: owner for name, (code, owner) in taken_columns(draft).items() if code != "P310"}
    for planned in draft.metrics:
        for key in ("column", "numerator", "denominator"):
            name = getattr(planned.metric, key)
            if name in taken:
                what = f"metric '{planned.metric.name}' measures '{name}', which is {taken[name]}"
                path = (*planned.path, key)
                yield Finding(path=path, code="P312", what=what, mend="name the column of the outcome")


def covariate_is_not_the_outcome(draft: Draft) -> Iterator[Finding]:
    """A metric's own covariate is an earlier column than its outcome."""
    outcomes = {name for planned in draft.metrics for name in planned.metric.columns}
    for planned in draft.metrics:
        if planned.metric.covariate in outcomes:
            what = f"the covariate '{planned.metric.covariate}' of '{planned.metric.name}' is itself an outcome"
            mend = "name the same quantity before time zero"
            yield Finding(path=(*planned.path, "covariate"), code="P310", what=what, mend=mend)


def taken_columns(draft: Draft) -> dict[str, tuple[str, str]]:
    """Return the columns that can't be covariates, each with the code and the words of why."""
    taken: dict[str, tuple[str, str]] = {}
    for planned in draft.metrics:
        for name in planned.metric.columns:
            taken[name] = ("P310", f"the outcome of metric '{planned.metric.name}'")
    if draft.design is not None:
        treatment = draft.design.treatment
        if treatment.received is not None:
            taken[treatment.received] = ("P312", "what was received")
        if isinstance(draft.design, Encouragement):
            taken[draft.design.instrument.column] = ("P311", "the instrument")
        taken[treatment.column] = ("P311", "the treatment")
    return taken


def _lists(draft: Draft) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for key in ("covariates", "effect_modifiers", "segments"):
        yield (key,), draft.names(key)
    if draft.design is not None:
        yield ("design", "strata"), draft.design.strata
    if isinstance(draft.design, Observational):
        yield ("design", "confounders"), draft.design.confounders


METRIC_RULES: tuple[Rule, ...] = (
    keys_of_type,
    unique_names,
    guardrails_have_margins,
    windows_end_later,
    shares_are_below_one,
    worthwhile_is_planned,
    columns_apart,
    outcomes_are_not_treatments,
    covariate_is_not_the_outcome,
)
