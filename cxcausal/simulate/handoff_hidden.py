"""A hidden cause of hand-off and of leaving, as strong as asked: partial R² to coefficients, and what they come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from cxcausal.simulate.handoff_outcomes import ROUTES, Pull, levels, means, squares
from cxcausal.simulate.handoff_people import HIDDEN_SHARE, Conversations, person_probability
from cxcausal.simulate.population import Floats

_ROUNDS = 80
_CLOSE = 1e-7


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """What a hidden cause explains of what the declared confounders leave open: partial R² of each, from 0.

    Attributes:
        route: of meeting a person, given the confounders: E[(e(x, u) − e(x))²] / E[e(x)(1 − e(x))].
        churn, contacts: of leaving and of last year's contacts, given the route and the confounders:
            E[(g(a, x, u) − g(a, x))²] / E[(y − g(a, x))²].
    """

    route: float
    churn: float
    contacts: float


@dataclass(frozen=True, kw_only=True)
class HiddenCause:
    """A hidden confounder's true strength among eligible customers, as omitted-variable bounds ask for it.

    The bias of a metric's adjusted effect is at most the root of
    `partial_r2[metric]` × `balance_gain[estimand]` × `residual_variance[metric]` × `weight_size[estimand]`
    (Chernozhukov, Cinelli, Newey, Sharma and Syrgkanis 2022, https://arxiv.org/abs/2112.13398).

    Attributes:
        share: of customers who have it.
        partial_r2: of `route` and of each metric, as in `Strengths`.
        residual_variance: metric → E[(y − g(a, x))²].
        balance_gain: estimand → E[α(a, x, u)²] / E[α(a, x)²] − 1, where α are the weights that make an estimand a
            weighted mean of outcomes (its Riesz representer), with and without the hidden cause.
        weight_size: estimand → E[α(a, x)²].
    """

    share: float
    partial_r2: Mapping[str, float]
    residual_variance: Mapping[str, float]
    balance_gain: Mapping[str, float]
    weight_size: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class _Explained:
    """Variance that the hidden cause explains, and all that was left without it."""

    explained: float
    left: float

    @property
    def share(self) -> float:
        return self.explained / self.left


def pull_for(asked: Strengths, people: Conversations, *, scale: float) -> Pull:
    """Return the coefficients that give the hidden cause the strengths asked for.

    Args:
        asked: partial R², each below one half.
        people: eligible customers over whom it is measured.
        scale: the world's effect scale.
    """

    def of(pull: Pull, name: str) -> float:
        return _route(people, pull).share if name == "route" else _outcome(people, pull, scale=scale)[name].share

    pull = Pull(route=_solved(asked.route, lambda size: of(Pull(route=size), "route")))
    churn = _solved(asked.churn, lambda size: of(replace(pull, churn=size), "churned"))
    contacts = _solved(asked.contacts, lambda size: of(replace(pull, contacts=size), "contacts"))
    return replace(pull, churn=churn, contacts=contacts)


def hidden_cause(people: Conversations, pull: Pull, *, scale: float) -> HiddenCause:
    """Return what a hidden cause with these coefficients comes to among eligible customers."""
    names = {"churn_90d": "churned", "complaint_30d": "complained", "margin_90d": "margin"}
    found = _outcome(people, pull, scale=scale)
    told = {metric: found[name] for metric, name in {**names, "contacts_prev_year": "contacts"}.items()}
    short, long = _weight_sizes(people, pull)
    return HiddenCause(
        share=HIDDEN_SHARE,
        partial_r2={"route": _route(people, pull).share, **{metric: one.share for metric, one in told.items()}},
        residual_variance={metric: one.left for metric, one in told.items()},
        balance_gain={estimand: long[estimand] / size - 1 for estimand, size in short.items()},
        weight_size=short,
    )


def _solved(asked: float, measured: Callable[[float], float]) -> float:
    """Return the coefficient at which what is measured is what was asked; a partial R² grows as its square."""
    size = 1.0
    for _ in range(_ROUNDS if asked > 0 else 0):
        ratio = asked / measured(size)
        if abs(ratio - 1) < _CLOSE:
            return size
        size *= float(np.sqrt(ratio))
    return size if asked > 0 else 0.0


def _route(people: Conversations, pull: Pull) -> _Explained:
    chances = [(share, person_probability(people, u, pull=pull.route)) for share, u in levels()]
    short = sum(share * chance for share, chance in chances)
    explained = sum(share * float(np.mean((chance - short) ** 2)) for share, chance in chances)
    return _Explained(explained=explained, left=float(np.mean(short * (1 - short))))


def _outcome(people: Conversations, pull: Pull, *, scale: float) -> Mapping[str, _Explained]:
    """Return, per outcome, what the hidden cause explains beside the route and the confounders."""
    sides = [_on_route(people, route, pull, scale=scale) for route in ROUTES]
    return {
        name: _Explained(
            explained=sum(side[name].explained for side in sides), left=sum(side[name].left for side in sides)
        )
        for name in sides[0]
    }


def _on_route(people: Conversations, route: str, pull: Pull, *, scale: float) -> Mapping[str, _Explained]:
    """Return one route's part of both variances."""
    met = np.array([person_probability(people, u, pull=pull.route) for _, u in levels()])
    chance = np.array([[share] for share, _ in levels()]) * (met if route == "human" else 1 - met)
    mean = [means(people, route, u, pull=pull, scale=scale) for _, u in levels()]
    square = [squares(people, one, hidden=u, pull=pull) for one, (_, u) in zip(mean, levels(), strict=True)]
    found = {}
    for name in square[0]:
        given, second = (np.array([one[name] for one in many]) for many in (mean, square))
        short = (chance * given).sum(axis=0) / chance.sum(axis=0)
        found[name] = _Explained(
            explained=float((chance * (given - short) ** 2).sum(axis=0).mean()),
            left=float((chance * (second - short**2)).sum(axis=0).mean()),
        )
    return found


def _weight_sizes(people: Conversations, pull: Pull) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return the mean square of every estimand's weights, without and with the hidden cause."""
    shares = np.array([[share] for share, _ in levels()])
    long = np.array([person_probability(people, u, pull=pull.route) for _, u in levels()])
    short = (shares * long).sum(axis=0, keepdims=True)
    return _sizes(short, np.ones((1, 1)), short), _sizes(long, shares, short)


def _sizes(chance: Floats, shares: Floats, short: Floats) -> Mapping[str, float]:
    both = (shares / (chance * (1 - chance))).sum(axis=0)
    overlap = (short * (1 - short))[0]
    treated = (shares * chance / (1 - chance)).sum(axis=0)
    return {
        "ate": float(both.mean()),
        "att": float(treated.mean() / short.mean() ** 2),
        "ato": float((overlap**2 * both).mean() / overlap.mean() ** 2),
    }
