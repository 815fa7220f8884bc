"""What must be true of a plan's design beyond its schema: arms, shares, contrasts, costs and the estimand."""

from collections.abc import Iterator
from fractions import Fraction

from cxcausal.core.signs import differences, likeness
from cxcausal.core.spec.designs import Encouragement, Observational, Randomized
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.nodes import Finding, Path

SHARE_TOLERANCE = Fraction(1, 1_000_000)
LICENSED = {
    "randomized": ("itt", "late"),
    "observational": ("ato", "att", "ate"),
    "encouragement": ("itt", "late"),
    "staggered_rollout": ("att",),
    "threshold": ("ate", "late"),
}
"""The estimands that each design licenses, its default first."""

_TREATMENT: Path = ("design", "treatment")
_ARMS: Path = (*_TREATMENT, "arms")


def control_is_an_arm(draft: Draft) -> Iterator[Finding]:
    """The control is one of the arms."""
    if draft.design is None or not draft.design.treatment.arms:
        return
    treatment = draft.design.treatment
    if treatment.control not in treatment.arms:
        what = f"the control '{treatment.control}' is not among the arms"
        yield Finding(
            path=(*_TREATMENT, "control"), code="P301", what=what, mend=suggestion(treatment.control, treatment.arms)
        )


def two_arms(draft: Draft) -> Iterator[Finding]:
    """There is something to compare the control with."""
    if draft.design is not None and len(draft.design.treatment.arms) < 2:  # noqa: PLR2004 - as the name says
        what = f"a comparison needs two arms, and there are {len(draft.design.treatment.arms)}"
        mend = (
            "name every arm, such as arms: {none: {}, call: {}}; {} alone is for a column of 0 and 1, or of false and "
            "true"
        )
        yield Finding(path=_ARMS, code="P302", what=what, mend=mend, at="key")


def arms_differ(draft: Draft) -> Iterator[Finding]:
    """No two arms differ in case or blanks only."""
    seen: dict[str, str] = {}
    for arm in draft.design.treatment.arms if draft.design is not None else ():
        folded = "".join(likeness(arm).split())
        if folded in seen:
            what = f"the arms '{seen[folded]}' and '{arm}' differ in case or blanks only"
            hidden = differences(arm, seen[folded])
            what = f"the arms '{seen[folded]}' and '{arm}' look the same: in the second, {hidden}" if hidden else what
            mend = f"give each arm one spelling and map the other in data.columns, or rename one, such as '{folded}-2'"
            yield Finding(path=(*_ARMS, arm), code="P303", what=what, mend=mend, at="key")
        seen.setdefault(folded, arm)


def shares_all_or_none(draft: Draft) -> Iterator[Finding]:
    """Every arm has a share, or none."""
    arms = draft.design.treatment.arms if draft.design is not None else {}
    without = [name for name, arm in arms.items() if arm.share is None]
    if 0 < len(without) < len(arms):
        mend = "give every arm its share, such as {share: 1/2}, or none"
        what = f"arm '{without[0]}' has no share, and others have"
        yield Finding(path=(*_ARMS, without[0]), code="P304", what=what, mend=mend, at="key")


def shares_sum_to_one(draft: Draft) -> Iterator[Finding]:
    """Planned shares are of the whole."""
    arms = draft.design.treatment.arms if draft.design is not None else {}
    shares = [Fraction(arm.share) for arm in arms.values() if arm.share is not None]
    total = sum(shares, Fraction())
    if len(shares) == len(arms) > 1 and abs(total - 1) > SHARE_TOLERANCE:
        what = f"the shares sum to {float(total):.6g}"
        mend = f"make them sum to 1; {len(arms)} equal arms have 1/{len(arms)} each"
        yield Finding(path=_ARMS, code="P305", what=what, mend=mend, at="key")


def contrasts_name_arms(draft: Draft) -> Iterator[Finding]:
    """Extra contrasts compare two different treated arms, each pair once."""
    if draft.design is None:
        return
    treatment, seen = draft.design.treatment, set[frozenset[str]]()
    for at, pair in enumerate(draft.design.contrasts):
        path: Path = ("design", "contrasts", at)
        unknown = [(place, arm) for place, arm in enumerate(pair) if arm not in treatment.arms]
        for place, arm in unknown:
            others = [name for name in treatment.arms if name != treatment.control and name not in pair]
            mend = suggestion(arm, others) if others else "remove the pair: no other treated arm is left"
            yield Finding(path=(*path, place), code="P306", what=f"there is no arm '{arm}' to contrast", mend=mend)
        if not unknown and (len(set(pair)) == 1 or treatment.control in pair or frozenset(pair) in seen):
            what = f"the contrast of '{pair[0]}' and '{pair[1]}' is already made, or compares an arm with itself"
            mend = "remove it: each arm is compared with the control anyway"
            yield Finding(path=path, code="P306", what=what, mend=mend)
        seen.add(frozenset(pair))


def received_where_randomized(draft: Draft) -> Iterator[Finding]:
    """What was delivered is a column of its own in randomised designs alone."""
    if draft.design is None or isinstance(draft.design, Randomized):
        return
    if draft.design.treatment.received is not None:
        what = f"'received' belongs to randomised designs, and this one is of type {draft.design.type}"
        mend = "remove it: here treatment.column itself says what was received"
        yield Finding(path=(*_TREATMENT, "received"), code="P316", what=what, mend=mend, at="key")


def received_costs(draft: Draft) -> Iterator[Finding]:
    """A cost per delivered treatment needs to know what was delivered."""
    if not isinstance(draft.design, Randomized) or draft.design.treatment.received is not None:
        return
    for name, arm in draft.design.treatment.arms.items():
        if arm.cost_basis == "received":
            what = f"arm '{name}' costs by what was received, and nothing says what was"
            mend = "add treatment.received with the column that says so, or write cost_basis: assigned"
            yield Finding(path=(*_ARMS, name, "cost_basis"), code="P315", what=what, mend=mend)


def decided_columns_apart(draft: Draft) -> Iterator[Finding]:
    """Treatment and instrument are different columns, and neither is the unit."""
    if draft.design is None:
        return
    column = draft.design.treatment.column
    if isinstance(draft.design, Encouragement) and draft.design.instrument.column == column:
        what = f"'{column}' is both the instrument and the treatment"
        mend = "name the column of what was offered here, and of what was taken in treatment.column"
        yield Finding(path=("design", "instrument", "column"), code="P324", what=what, mend=mend)
    if draft.data is not None and column in {draft.data.unit, draft.data.randomization_unit}:
        mend = "name the column that holds the arms"
        yield Finding(
            path=(*_TREATMENT, "column"), code="P324", what=f"'{column}' is both the unit and the treatment", mend=mend
        )


def confounders_may_be_adjusted(draft: Draft) -> Iterator[Finding]:
    """What must never be adjusted for is not declared for adjustment."""
    if not isinstance(draft.design, Observational):
        return
    lists: tuple[tuple[Path, tuple[str, ...]], ...] = (
        (("design", "confounders"), draft.design.confounders),
        (("covariates",), draft.names("covariates")),
        (("effect_modifiers",), draft.names("effect_modifiers")),
        (("segments",), draft.names("segments")),
    )
    for path, names in lists:
        for at, name in enumerate(names):
            if name in draft.design.never_adjust:
                what = f"'{name}' is also in never_adjust"
                mend = "keep it in one: what the treatment may have changed can't be adjusted for, nor make a segment"
                yield Finding(path=(*path, at), code="P325", what=what, mend=mend)


def negative_controls_apart(draft: Draft) -> Iterator[Finding]:
    """What the treatment can't change is neither what it is for, nor the treatment itself."""
    if not isinstance(draft.design, Observational):
        return
    own = {column for planned in draft.metrics for column in planned.metric.columns} | {draft.design.treatment.column}
    controls = draft.design.negative_controls
    for key, names in (("outcomes", controls.outcomes), ("exposures", controls.exposures)):
        for at, name in enumerate(names):
            if name in own:
                what = f"'{name}' is a metric or the treatment, and so no negative control"
                mend = "name a column that the treatment can't have changed, such as one of the year before"
                yield Finding(path=("design", "negative_controls", key, at), code="P382", what=what, mend=mend)


def estimand_is_licensed(draft: Draft) -> Iterator[Finding]:
    """The design can identify the effect that is asked for."""
    if draft.design is None or draft.estimand is None or draft.estimand.contrast is None:
        return
    allowed, wanted = LICENSED[draft.design.type], draft.estimand.contrast
    path: Path = ("estimand", "contrast")
    if wanted not in allowed:
        what = f"a design of type {draft.design.type} can't identify '{wanted}'"
        yield Finding(path=path, code="P321", what=what, mend=f"use one of: {', '.join(allowed)}")
    elif wanted == "late" and isinstance(draft.design, Randomized) and draft.design.treatment.received is None:
        what = "the complier effect (late) needs to know what was received"
        mend = "add treatment.received with the column that says so, or ask for itt"
        yield Finding(path=path, code="P321", what=what, mend=mend)


DESIGN_RULES: tuple[Rule, ...] = (
    control_is_an_arm,
    two_arms,
    arms_differ,
    shares_all_or_none,
    shares_sum_to_one,
    contrasts_name_arms,
    received_where_randomized,
    received_costs,
    decided_columns_apart,
    confounders_may_be_adjusted,
    negative_controls_apart,
    estimand_is_licensed,
)
