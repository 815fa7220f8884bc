"""What is told of a model for fresh customers: what it was learned for and of, and what may be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cxcausal.core.held_out import Aim, Spending
from cxcausal.core.people import people_of
from cxcausal.core.results import RunResult
from cxcausal.core.whom import PolicyResult, Told

MODEL_SCHEMA = 1
NOBODY, EVERYBODY, BEST_ARM = "nobody", "everybody", "best_arm"
BY_GAIN = frozenset({"value", "limited"})
"""The policies that choose by predicted gain."""
TREE = "tree"
CHOOSING = BY_GAIN | {TREE}
"""The policies that tell customers apart by what a model looks at, and so can be applied to fresh ones."""
CURRENT = "current_rule"
GAIN = "gain:"
"""Before an arm's name, in the columns of a prediction."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """How the values of a modifier were spread among the customers that a model was learned of.

    Attributes:
        modifier: the column. kind: how it is read.
        edges: of a number, ascending; bins are (−∞, e₁], (e₁, e₂], …, (eₖ, ∞).
        levels: of a text, those of enough customers; all others count together.
        shares: of the bins, or of the levels and then of all other ones; of customers with a value, summing to 1.
        missing: share of customers without a value. n: customers.
    """

    modifier: str
    kind: Literal["number", "text"]
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    missing: float = 0.0
    n: int = 0


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What stands beside a model, and nothing of any customer.

    Attributes:
        experiment, run_id, plan_hash, created_at: where it comes from. question, owner: of the plan.
        verdict, grade: of the run.
        aim, label, unit: what a gain is of. sign: −1 where less of it is better. money: whether it is money after the
            costs of contact.
        arms: the control first. cost: of each per customer, beyond the control's. level: of intervals.
        rule: what fresh customers are assigned by: `value` or `limited` (by predicted gain), `tree`, `everybody:<arm>`,
            `nobody`, or `current_rule`. recommended: the run's own. targeting: whether choosing by prediction was shown
            to pay.
        budget: per eligible customer, in the unit of cost. capacity: arm → the largest share of eligible customers.
        priced: whether costs are the plan's own. currency: that they are in.
        one, many: whom the model is of, in a noun.
        eligible: the plan's condition for who may be contacted.
        average: arm → mean gain of everybody, with its interval.
        baselines: of the modifiers, in the model's order. protected: columns by which its policy was looked at.
        learned: customers. inputs, data_fingerprint: of what it was learned of.
        metrics: of the run's page. limits: what it can't tell, as sentences.
        versions: of the packages that compute.
    """

    experiment: str
    run_id: str
    plan_hash: str
    created_at: str
    verdict: str
    grade: str
    aim: str
    label: str
    unit: str
    arms: tuple[str, ...]
    cost: tuple[float, ...]
    rule: str
    sign: int = 1
    money: bool = False
    level: float = 0.95
    question: str = ""
    owner: str = ""
    recommended: str | None = None
    targeting: bool = False
    budget: float | None = None
    capacity: Mapping[str, float] = field(default_factory=dict)
    priced: bool = False
    eligible: str | None = None
    average: Mapping[str, Told] = field(default_factory=dict)
    baselines: tuple[Baseline, ...] = ()
    protected: tuple[str, ...] = ()
    learned: int = 0
    inputs: tuple[tuple[str, str], ...] = ()
    data_fingerprint: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    one: str = "customer"
    many: str = "customers"


def model_facts(
    result: RunResult,
    policy: PolicyResult,
    aim: Aim,
    spending: Spending,
    baselines: tuple[Baseline, ...],
    *,
    single: str | None = None,
) -> ModelFacts:
    """Return what is told of the model of a run.

    Args:
        result: of the run, with its verdict.
        policy: what was found about whom to contact.
        aim: what the effect model predicts gains of.
        spending: what contacts cost, and how many there may be.
        baselines: of the effect model's modifiers, in its order (`stats.drift.baseline_of_number`, `..._of_text`).
        single: the best single arm, as it was learned on everybody under budget and capacity; None where it is unknown.
    """
    plan = result.plan
    treatment, asked = plan["design"]["treatment"], plan.get("policy") or {}
    control, people = str(treatment["control"]), people_of(plan)
    return ModelFacts(
        experiment=result.experiment,
        run_id=result.run_id,
        plan_hash=result.plan_hash,
        created_at=result.created_at,
        question=str(plan.get("question", "")),
        owner=str(plan.get("owner", "")),
        verdict=result.verdict,
        grade=result.grade,
        aim=aim.name,
        label=aim.label,
        unit=aim.unit,
        sign=aim.sign,
        money=aim.costs,
        arms=(control, *(arm for arm in treatment["arms"] if arm != control and arm not in policy.left_out)),
        cost=tuple(float(cost) for cost in spending.cost),
        rule=rule_of(policy, single),
        level=policy.level,
        recommended=policy.recommended,
        targeting=policy.targeting,
        budget=spending.budget,
        capacity=dict(spending.capacity),
        priced=spending.priced,
        eligible=asked.get("eligible"),
        average=averages_of(policy),
        baselines=baselines,
        protected=tuple(asked.get("protected") or ()),
        learned=max((one.n for one in baselines), default=0),
        inputs=result.data.inputs,
        data_fingerprint=result.data.fingerprint,
        metrics=_metrics(policy),
        limits=policy.notes,
        versions=result.versions,
        currency=str(plan.get("currency", "")),
        one=people.one,
        many=people.many,
    )


def rule_of(policy: PolicyResult, single: str | None = None) -> str:
    """Return what fresh customers are assigned by: the run's own policy, or the simplest one where none was shown.

    A policy that looks at more than the model does, such as who is at risk, is told in the report and not applied to
    fresh customers: the best single arm is. Under a budget that is `single`, which need not be the arm that would gain
    most if everybody could have it.

    Example:
        >>> rule_of(PolicyResult(aim="v", label="v", unit="EUR", level=0.95, recommended="value", targeting=True))
        'value'
        >>> rule_of(PolicyResult(aim="v", label="v", unit="EUR", level=0.95, recommended="top_risk", targeting=True))
        'nobody'
    """
    recommended = policy.recommended or NOBODY
    if recommended == BEST_ARM and single is not None:
        return f"{EVERYBODY}:{single}"
    if recommended in CHOOSING:  # shown to gain, if only against contacting nobody
        return recommended
    if recommended in {NOBODY, CURRENT} or recommended.startswith(f"{EVERYBODY}:"):
        return recommended
    arms = {f"{EVERYBODY}:{arm}": gain.point for arm, gain in averages_of(policy).items()}
    points = {name: point for name, point in arms.items() if point is not None and point > 0}
    return max(points, key=lambda name: (points[name], name), default=NOBODY)


def averages_of(policy: PolicyResult) -> dict[str, Told]:
    """Return arm → mean gain of contacting everybody with it, as the run told it; of arms that may be given."""
    prefix = f"{EVERYBODY}:"
    found = {one.name.removeprefix(prefix): one.gain for one in policy.policies if one.name.startswith(prefix)}
    return {arm: gain for arm, gain in found.items() if arm not in policy.left_out}


def _metrics(policy: PolicyResult) -> dict[str, float]:
    """Return the held-out worth of every policy that has one."""
    found: dict[str, float] = {}
    for one in policy.policies:
        if one.name.removeprefix(f"{EVERYBODY}:") in policy.left_out:
            continue
        parts = {"gain": one.gain, "beyond": one.beyond}
        for name, told in parts.items():
            ends = {"": told.point, "_low": told.low, "_high": told.high}
            found |= {f"{one.name}/{name}{end}": value for end, value in ends.items() if value is not None}
    return found
