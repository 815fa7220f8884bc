"""Who responds, and whom to contact: the plan's aims, costs and rules handed to what learns in turns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cxcausal.core.adjusting import modifiers_of, target_of
from cxcausal.core.held_out import SOME_ARM, Aim, HeldOut, Rules, Spending
from cxcausal.core.measures import measure_of, unit_of, why_not_measured
from cxcausal.core.model_facts import Baseline
from cxcausal.core.people import whom_in
from cxcausal.core.progress import SILENT, Progress, Stage
from cxcausal.core.rows import ELIGIBLE, Flags, Floats, Rows
from cxcausal.core.spec.designs import Observational
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.core.whom import AimHeterogeneity, PolicyResult, Whom
from cxcausal.core.wording import listed, percent
from cxcausal.value.composite import composite, money_of

if TYPE_CHECKING:
    from cxcausal.heterogeneity.effect_model import EffectModel
    from cxcausal.nuisance.crossfit import Nuisances
    from cxcausal.policy.question import Question
    from cxcausal.policy.rule import PolicyModel

NET_VALUE = "net_value"
FEWEST = 500
"""Units per arm below which nobody's response is told apart."""
_OF_ALL = (
    "Gains are of everybody who may be contacted, and not only of those whom the plan's effects are of: the two need "
    "not agree."
)
_TOO_FEW = "each arm needs at least {fewest} {people} who may be contacted, and '{arm}' has {n}"
_YES, _NO = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no", ""})
_DEPENDENT = 12.0
"""Standard errors by which the share that a rule contacts may differ between the arms of a coin."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """What fresh customers are scored by: who gains how much, the rule, and what both were made for and of."""

    effects: "EffectModel"
    rule: "PolicyModel"
    aim: Aim
    spending: Spending
    baselines: tuple[Baseline, ...]


@dataclass(kw_only=True)
class Shelf:
    """Holds the model of a run until the run's result is known; whoever lends none wants no model."""

    model: Model | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the plan asks of the score road's rows.

    Attributes:
        spec: the plan. rows: its analysed units. nuisances: how they are learned, from which covariates.
        shelf: where the model is put; None where nobody wants one. progress: told of the steps.
    """

    spec: ExperimentSpec
    rows: Rows
    nuisances: "Nuisances"
    shelf: Shelf | None = None
    progress: Progress = SILENT


def withheld_whom(spec: ExperimentSpec, reason: str) -> Whom:
    """Return that nothing is told, and why."""
    aims = aims_of(spec)
    name, label, unit = (aims[0].name, aims[0].label, aims[0].unit) if aims else ("", "", "")
    level = 1 - spec.analysis.alpha
    return Whom(
        policy=PolicyResult(aim=name, label=label, unit=unit, level=level, status="not_computed", reason=reason)
    )


def whom_of(asked: Asked, harmful: Collection[str] = ()) -> Whom:
    """Return who responds and whom to contact, each told on units that were not learned from.

    Args:
        asked: the plan with its units.
        harmful: arms that must be stopped for harm: no rule is learned that gives one of them, and none where no other
            arm contacts.
    """
    from cxcausal.heterogeneity.telling import across, told_of  # noqa: PLC0415 - only plans that ask pay for it
    from cxcausal.heterogeneity.turning import STEPS, STEPS_OF_AIM  # noqa: PLC0415
    from cxcausal.policy.deciding import policy_of  # noqa: PLC0415
    from cxcausal.policy.rule import model_of  # noqa: PLC0415

    spec, rows, aims = asked.spec, asked.rows, aims_of(asked.spec)
    eligible, weight = eligible_of(rows), weight_of(asked.nuisances)
    reason = _why_not(spec, rows, aims, eligible)
    if reason is not None:
        return withheld_whom(spec, reason)
    alpha = spec.analysis.alpha
    total = len(aims) * (STEPS_OF_AIM + 1) + STEPS + 1
    with asked.progress.stage("learning who responds", total=total) as step:
        turned, untold = _turned(asked, aims, step)
        told = across(tuple(told_of(held, alpha=alpha) for held in turned), alpha)
        told = tuple(_looked_into(aim, held, spec, step) for aim, held in zip(told, turned, strict=True))
        reason = untold.get(aims[0].name) or _why_nobody(spec, harmful)
        if reason is not None:
            return replace(withheld_whom(spec, reason), heterogeneity=told)
        held, spending = turned[0], spending_of(spec, rows, eligible, weight)
        rules = rules_of(spec, rows, eligible, harmful)
        question = question_of(spec, rows, turned)
        policy = noted(spec, rules, policy_of(held, spending, rules, question))
        policy = replace(policy, notes=(*policy.notes, *_unlearned(aims, untold)))
        if asked.shelf is not None and policy.recommended is not None:
            from cxcausal.heterogeneity.effect_model import effect_model  # noqa: PLC0415

            effects, _ = effect_model(
                rows,
                aims[0],
                modifiers=modifiers_of(spec),
                nuisances=asked.nuisances,
                eligible=eligible,
                weight=weight,
                held=held,
                step=step.advance,
            )
            rule = model_of(held, spending, rules, question, name=policy.recommended)
            asked.shelf.model = Model(
                effects=effects.of(may := [rows.arms.index(arm) for arm in rule.arms]),
                rule=rule,
                aim=aims[0],
                spending=spending.of(may, rows.arms),
                baselines=baselines_of(rows, eligible, effects),
            )
        step.reach(total)
    return Whom(heterogeneity=told, policy=policy)


def _why_nobody(spec: ExperimentSpec, harmful: Collection[str]) -> str | None:
    """Return why there is nothing left that anybody could be contacted with; None where there is an arm."""
    if not spec.treated_arms or any(arm not in harmful for arm in spec.treated_arms):
        return None
    if len(spec.treated_arms) == 1:
        return "the only arm that contacts must be stopped for harm, so there is nothing to contact anybody with"
    return "every arm that contacts must be stopped for harm, so there is nothing to contact anybody with"


def aims_of(spec: ExperimentSpec) -> tuple[Aim, ...]:
    """Return what contacts are for: the money first where metrics carry any, then the first success metric."""
    money = money_of(spec)
    found = []
    if money is not None and money.bars:
        measure = composite(spec, money.bars, "central")
        found.append(
            Aim(name=NET_VALUE, label="Net value", unit=spec.currency, measure=measure, sign=1, costs=_priced(spec))
        )
    metric = next((metric for metric in spec.metrics.success if _is_mean(metric)), None)
    if metric is not None:
        found.append(
            Aim(
                name=metric.name,
                label=metric.title,
                unit=unit_of(spec, metric),
                measure=measure_of(metric),
                sign=metric.sign,
                binary=metric.type in {"proportion", "top_box"},
            )
        )
    return tuple(found)


def _turned(asked: Asked, aims: tuple[Aim, ...], step: Stage) -> tuple[list[HeldOut], dict[str, str]]:
    """Return the turns of every aim that leaves enough to learn from, and why the others don't, by their names."""
    from cxcausal.heterogeneity.subject import TooFewError  # noqa: PLC0415
    from cxcausal.heterogeneity.turning import STEPS_OF_AIM, held_out  # noqa: PLC0415

    turned, untold = [], {}
    eligible, weight = eligible_of(asked.rows), weight_of(asked.nuisances)
    for place, aim in enumerate(aims, start=1):
        try:
            turned.append(
                held_out(asked.rows, aim, modifiers=modifiers_of(asked.spec), nuisances=asked.nuisances,
                         eligible=eligible, weight=weight, step=step.advance)
            )  # fmt: skip
        except TooFewError as error:
            untold[aim.name] = error.reason
        step.reach(place * STEPS_OF_AIM)
    return turned, untold


def _unlearned(aims: tuple[Aim, ...], untold: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"Who responds is not told for “{aim.label}”: {untold[aim.name]}."
                 for aim in aims if aim.name in untold)  # fmt: skip


def _looked_into(aim: AimHeterogeneity, held: HeldOut, spec: ExperimentSpec, step: Stage) -> AimHeterogeneity:
    """Return an aim with the learners behind it and, where anything is found, what predictions look at."""
    from cxcausal.heterogeneity.explaining import explained  # noqa: PLC0415

    aim = replace(aim, learners=held.learners)
    step.advance()
    if not any(arm.found for arm in aim.arms):
        return aim
    drivers, surrogate = explained(held, modifiers_of(spec), seed=spec.analysis.seed)
    return replace(aim, drivers=drivers, surrogate=surrogate)


def eligible_of(rows: Rows) -> Flags:
    """Return who may be contacted, shape (n,)."""
    found = rows.numbers.get(ELIGIBLE)
    return np.ones(rows.n, dtype=bool) if found is None else found == 1


def weight_of(nuisances: "Nuisances") -> Floats:
    """Return each unit's weight in the population, mean 1, shape (n,)."""
    given = nuisances.weight
    return np.ones(nuisances.rows.n) if given is None else given / given.mean()


def baselines_of(rows: Rows, eligible: Flags, effects: "EffectModel") -> tuple[Baseline, ...]:
    """Return how the modifiers of a model are spread among those who may be contacted, to tell drift by."""
    from cxcausal.stats.drift import baseline_of_number, baseline_of_text  # noqa: PLC0415

    found = []
    for modifier in effects.modifiers:
        if modifier.kind == "number":
            found.append(baseline_of_number(modifier.name, rows.numbers[modifier.name][eligible]))
        else:
            text = rows.texts[modifier.name]
            found.append(baseline_of_text(modifier.name, replace(text, codes=text.codes[eligible])))
    return tuple(found)


def question_of(spec: ExperimentSpec, rows: Rows, turned: Sequence[HeldOut]) -> "Question":
    """Return what is asked of policies beside turns and costs."""
    from cxcausal.policy.question import Question  # noqa: PLC0415

    return Question(
        segments={name: rows.texts[name] for name in spec.segments},
        protected={name: rows.texts[name] for name in spec.policy.protected},
        modifiers=modifiers_of(spec),
        labels={arm: found.label or arm for arm, found in spec.design.treatment.arms.items()},
        alpha=spec.analysis.alpha,
        seed=spec.analysis.seed,
        population=spec.value.population,
        success=turned[1] if len(turned) > 1 else None,
    )


def noted(spec: ExperimentSpec, rules: Rules, policy: PolicyResult) -> PolicyResult:
    """Return a result with what of the plan's policy could not be used, and why."""
    notes = [*_left_out(spec, policy), *policy.notes]
    if spec.policy.budget is not None and not _priced(spec):
        notes.append("The budget is not applied: no arm of the plan has a unit_cost.")
    if rules.reason is not None:
        notes.append(f"The rule in use is not valued: {rules.reason}.")
    if rules.current is not None and (rules.current == SOME_ARM).any():
        notes.append("The rule in use says whom to contact, and not how: it is valued with the arm that gains most.")
    if target_of(spec) != "ate":
        notes.append(_OF_ALL)
    if rules.silent:
        notes.append(
            f"The rule in use says nothing about {percent(rules.silent)} of those who may be contacted: they count as "
            "not contacted by it."
        )
    return replace(policy, notes=tuple(notes))


def _left_out(spec: ExperimentSpec, policy: PolicyResult) -> tuple[str, ...]:
    """Return which arms no rule gives, where some must be stopped for harm."""
    arms = spec.design.treatment.arms
    told = [f"“{(arm in arms and arms[arm].label) or arm}”" for arm in policy.left_out]
    if not told:
        return ()
    them = "it" if len(told) == 1 else "they"
    return (f"No rule was learned that gives {listed(told)}: {them} must be stopped for harm.",)


def spending_of(spec: ExperimentSpec, rows: Rows, eligible: Flags, weight: Floats | None = None) -> Spending:
    """Return what contacts cost beyond the control's, and how many there may be, per eligible customer.

    Args:
        spec: the plan.
        rows: its analysed units.
        eligible: who may be contacted, shape (n,).
        weight: of each in the population, shape (n,); equal ones by default.
    """
    priced, weight = _priced(spec), np.ones(rows.n) if weight is None else weight
    costs = np.array([_cost(spec, rows, arm, weight * eligible) for arm in rows.arms])
    cost = costs - costs[0] if priced else (np.arange(len(rows.arms)) > 0).astype(np.float64)
    share = float(np.average(eligible, weights=weight))
    customers = share * (spec.value.population or rows.n)
    budget = spec.policy.budget / customers if priced and spec.policy.budget is not None else None
    capacity = tuple(
        (arm, found.capacity / customers)
        for arm, found in spec.design.treatment.arms.items()
        if found.capacity is not None and arm != spec.control
    )
    return Spending(cost=cost, budget=budget, capacity=capacity, priced=priced)


def rules_of(spec: ExperimentSpec, rows: Rows, eligible: Flags, harmful: Collection[str] = ()) -> Rules:
    """Return who may be contacted and with what, and what the rule in use would do; or why that can't be valued."""
    left_out = tuple(place for place, arm in enumerate(rows.arms) if place and arm in harmful)
    return replace(_in_use(spec, rows, eligible), left_out=left_out)


def _in_use(spec: ExperimentSpec, rows: Rows, eligible: Flags) -> Rules:
    name = spec.policy.current_rule
    if name is None:
        return Rules(eligible=eligible)
    text = rows.texts[name]
    places = _places_of(text.levels, rows.arms)
    if places is None:
        said = f"'{name}' holds neither 0 and 1 nor names of arms"
        return Rules(eligible=eligible, reason=said)
    current = places[text.codes]
    if not isinstance(spec.design, Observational) and _follows(rows, current, eligible):
        said = (
            f"'{name}' depends on the arm, so it tells what was done in the test, and not what a rule would have done"
        )
        return Rules(eligible=eligible, reason=said)
    unsaid = np.array([not level.strip() for level in text.levels])[text.codes]
    return Rules(eligible=eligible, current=current, silent=float(unsaid[eligible].mean()))


def _places_of(levels: tuple[str, ...], arms: tuple[str, ...]) -> "np.ndarray[tuple[int], np.dtype[np.int8]] | None":
    """Return the arm that each value of a rule means; None where a value means none."""
    named: Mapping[str, int] = {arm: place for place, arm in enumerate(arms)}
    contact = 1 if len(arms) == 2 else SOME_ARM  # noqa: PLR2004 - there is one arm beside the control
    found = []
    for level in levels:
        word = level.strip().lower()
        if level in named:
            found.append(named[level])
        elif word in _YES:
            found.append(contact)
        elif word in _NO:
            found.append(0)
        else:
            return None
    return np.array(found, dtype=np.int8)


def _follows(rows: Rows, current: "np.ndarray[tuple[int], np.dtype[np.int8]]", eligible: Flags) -> bool:
    """Tell whether a rule goes with the coin, which no rule can know."""
    contacted, arm = (current != 0)[eligible].astype(np.float64), rows.arm[eligible]
    share = contacted.mean()
    for place in range(len(rows.arms)):
        own = contacted[arm == place]
        error = np.sqrt(max(share * (1 - share), 1e-12) / max(len(own), 1))
        if len(own) and abs(own.mean() - share) > _DEPENDENT * error:
            return True
    return False


def _why_not(spec: ExperimentSpec, rows: Rows, aims: tuple[Aim, ...], eligible: Flags) -> str | None:
    people = whom_in(spec)
    if not aims:
        return f"no success metric is an average per {people.one}, and no metric carries money"
    if not modifiers_of(spec):
        return f"the plan names nothing that {people.many} could differ in: no effect_modifiers, covariates or segments"
    counts = np.bincount(rows.arm[eligible], minlength=len(rows.arms))
    for arm, n in zip(rows.arms, counts, strict=True):
        if n < FEWEST:
            return _TOO_FEW.format(fewest=FEWEST, people=people.many, arm=arm, n=int(n))
    return None


def _is_mean(metric: Metric) -> bool:
    return why_not_measured(metric) is None and not measure_of(metric).is_ratio


def _priced(spec: ExperimentSpec) -> bool:
    return any(arm.unit_cost for arm in spec.design.treatment.arms.values())


def _cost(spec: ExperimentSpec, rows: Rows, arm: str, weight: Floats) -> float:
    """Return what an arm costs per customer assigned to it; where contacts are paid as delivered, at the share seen.

    Where nobody's delivery is known, every contact is taken as delivered: a cost is rather told too high.
    """
    found = spec.design.treatment.arms.get(arm)
    if found is None or not found.unit_cost:
        return 0.0
    received = spec.design.treatment.received
    if found.cost_basis != "received" or received is None:
        return float(found.unit_cost)
    delivered = rows.numbers[received]
    own = weight * (rows.units_of(arm) & np.isfinite(delivered))
    return float(found.unit_cost) * (float(np.average(delivered[own > 0], weights=own[own > 0])) if own.any() else 1.0)
