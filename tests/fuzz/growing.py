"""Random valid plans: over many of them, every key that a plan can have is used."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cxcausal.core.causal_graph import graph_of
from tests.fuzz.draw import Rng, between, chance, pick, some
from tests.fuzz.filters import filter_text

DESIGNS = ("randomized", "randomized", "randomized", "observational", "encouragement", "staggered_rollout", "threshold")
_ARM_NAMES = ("none", "call", "gig", "agent", "NO", "1", "0", "Ärger", "a b", "true", "null-arm", "日本")
_TYPES = ("proportion", "mean", "count", "ratio", "ordinal", "top_box", "nps", "quantile")
_SPLITS: dict[int, tuple[tuple[Any, ...], ...]] = {
    2: (("1/2", "1/2"), (0.9, 0.1), ("1/3", "2/3")),
    3: (("1/3", "1/3", "1/3"), (0.5, 0.25, 0.25), ("2/5", "2/5", "1/5")),
    4: ((0.25, 0.25, 0.25, 0.25), ("1/2", "1/6", "1/6", "1/6")),
}


@dataclass(kw_only=True)
class Ground:
    """What a plan that is growing has used so far: names of columns, each in one role, and of metrics."""

    rng: Rng
    used: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)

    def column(self, role: str) -> str:
        """Return a name that no other role has."""
        name = f"{role}{len(self.used)}"
        name = pick(self.rng, (name, name, name, f"{role} {len(self.used)}", f"{role}_ä{len(self.used)}"))
        self.used.append(name)
        return name

    def maybe(self, block: dict[str, Any], share: float = 0.4) -> dict[str, Any]:
        """Return a block with each of its keys kept in that share of all draws."""
        return {key: value for key, value in block.items() if chance(self.rng, share)}


def grown(rng: Rng) -> dict[str, Any]:
    """Return a valid plan, as the tree that its YAML would have."""
    ground = Ground(rng=rng)
    design = _design(ground)
    data = _data(ground, clock="epochs" in design)
    if design["type"] == "observational":
        data.get("events", {}).pop("exposure", None)  # a grace period
    known = [ground.column("known") for _ in range(between(rng, 0, 4))]
    metrics = _metrics(ground, data)
    names = [metric["name"] for role in metrics.values() for metric in role]
    plan: dict[str, Any] = {
        "schema_version": 1,
        "id": pick(rng, ("callback", "a", "x-1.b_2", "0" * 64)),
        "question": pick(rng, ("Does it help?", "Hilft es?", "役に立つか", "Does <b>it</b> & 'that' help?")),
        "owner": "team@example.com",
        "data": data,
        "design": design,
        "metrics": metrics,
        **ground.maybe(_words(ground)),
        **ground.maybe({"reruns": ground.maybe({"keep_units": False, "keep_days": 30, "max_units": 10_000})}, 0.3),
        **ground.maybe({"covariates": known, "effect_modifiers": some(rng, known, 2)}, 0.6),
        **ground.maybe({"segments": [*some(rng, known, 1), ground.column("segment")]}),
        **ground.maybe(_how(ground, design, data)),
        **ground.maybe(_use(ground, names)),
    }
    data |= ground.maybe({"freshness": {"max_age": "9999w", "on_breach": pick(ground.rng, ("fail", "warn"))}}, 0.2)
    if "graph" in design and chance(rng, 0.6):
        design["graph"] = _graph(rng, design, names[0])
    return plan


def _graph(rng: Rng, design: dict[str, Any], metric: str) -> str:
    """Return a graph that draws the treatment, a metric and the confounders, as it may stand in a plan."""
    treatment = design["treatment"]["column"]
    arrows = [(name, end) for name in design.get("confounders", ()) for end in (treatment, metric)]
    hidden = [(treatment, metric)] if chance(rng, 0.3) else []
    text = graph_of(arrows=[(treatment, metric), *arrows], hidden=hidden, unobserved=["never seen"]).text
    return text if chance(rng, 0.5) else text.replace("\n", " ").replace("digraph", "strict digraph G")


def _words(ground: Ground) -> dict[str, Any]:
    rng = ground.rng
    return {
        "approvers": some(rng, ("a@example.com", "b@example.com"), 2),
        "title": pick(rng, ("Calls", "Anrufe – für alle", "x" * 200)),
        "hypothesis": "They help.",
        "tags": some(rng, ("calls", "ä", "1"), 3),
        "protocol": "contact_trial",
        "retrospective": chance(rng, 0.7),
    }


def _design(ground: Ground) -> dict[str, Any]:
    rng, kind = ground.rng, pick(ground.rng, DESIGNS)
    arms = some(rng, _ARM_NAMES, 4)
    arms = arms if len(arms) > 1 else ["none", "call"]
    treatment: dict[str, Any] = {"column": ground.column("arm"), "control": pick(rng, arms)}
    treatment["arms"] = {name: ground.maybe(_arm(rng, name)) for name in arms}
    treatment["arms"][treatment["control"]].pop("capacity", None)  # it serves whoever gets no other arm
    if chance(rng, 0.05):
        treatment |= {"control": 0, "arms": {}}
    design: dict[str, Any] = {"type": kind, "treatment": treatment}
    if kind == "randomized":
        _randomized(ground, design)
    treated = [name for name in treatment["arms"] if name != treatment["control"]]
    if len(treated) > 1 and chance(rng, 0.5):
        design["contrasts"] = [treated[:2]]
    design |= ground.maybe({"strata": [ground.column("stratum")]}, 0.3)
    return design | _of_kind(ground, kind)


def _arm(rng: Rng, name: str) -> dict[str, Any]:
    return {
        "label": f"Arm {name}",
        "unit_cost": pick(rng, (0, 0.35, 4, 1e9)),
        "cost_basis": "assigned",
        "capacity": pick(rng, (0, 20, 1_000_000)),
    }


def _randomized(ground: Ground, design: dict[str, Any]) -> None:
    """Give the arms shares, or epochs with shares; and say, sometimes, what was delivered."""
    rng, treatment = ground.rng, design["treatment"]
    arms = treatment["arms"]
    if len(arms) in _SPLITS and chance(rng, 0.7):
        splits = [dict(zip(arms, pick(rng, _SPLITS[len(arms)]), strict=True)) for _ in range(2)]
        if chance(rng, 0.2):
            days = ("2026-01-01", "2026-02-10")
            design["epochs"] = [{"from": day, "shares": split} for day, split in zip(days, splits, strict=True)]
        else:
            for name, share in splits[0].items():
                arms[name]["share"] = share
    if chance(rng, 0.3):
        treatment["received"] = ground.column("received")
        for arm in arms.values():
            arm["cost_basis"] = pick(rng, ("assigned", "received"))


def _of_kind(ground: Ground, kind: str) -> dict[str, Any]:
    """Return what designs of this type have beside treatment and strata."""
    rng = ground.rng
    if kind == "observational":
        controls = {"outcomes": [ground.column("before")], "exposures": [ground.column("elsewhere")]}
        return ground.maybe(
            {
                "confounders": [ground.column("confounder") for _ in range(2)],
                "graph": "graphs/x.dot",
                "never_adjust": [ground.column("after")],
                "negative_controls": ground.maybe(controls, 0.6),
            },
            0.6,
        )
    if kind == "encouragement":
        return {"instrument": {"column": ground.column("offered"), "control": 0, **ground.maybe({"share": "1/2"})}}
    if kind == "staggered_rollout":
        names = {key: ground.column(key) for key in ("unit", "period", "first_treated")}
        more = {"comparison": pick(rng, ("not_yet_treated", "never_treated")), "anticipation": between(rng, 0, 3)}
        return {"panel": names | ground.maybe(more)}
    if kind == "threshold":
        cutoff = pick(rng, (0, -1.5, 0.35, 1e6))
        return {
            "running": {"column": ground.column("score"), "cutoff": cutoff, "treated": pick(rng, ("above", "below"))}
        }
    return {}


def _data(ground: Ground, *, clock: bool) -> dict[str, Any]:
    rng, unit, house = ground.rng, ground.column("unit"), ground.column("house")
    events = chance(rng, 0.2)
    data: dict[str, Any] = {"source": pick(rng, ("data/x.csv", "data/x.parquet", "data/*.csv", "shop_rows"))}
    data |= ground.maybe({"unit": unit}, 1.0 if events else 0.8)
    clustered = [house, ground.column("agent")]
    data |= ground.maybe({"randomization_unit": house, "cluster": pick(rng, (house, clustered))}, 0.3)
    data |= ground.maybe({"weight": ground.column("weight")}, 0.15)
    times = {
        "time_zero": pick(rng, (ground.column("entered"), "2026-01-01")),
        "observed_until": pick(rng, (ground.column("seen"), "2026-10-01")),
    }
    data |= ground.maybe(times, 1.0 if clock or events else 0.5)
    if events:
        data["time_zero"] = ground.column("entered")
    data |= ground.maybe({"columns": _columns(ground), "csv": ground.maybe(_csv(rng))}, 0.3)
    data |= ground.maybe({"filter": filter_text(rng, [ground.column("filtered") for _ in range(2)])}, 0.25)
    if data["source"] == "shop_rows" and chance(rng, 0.3):
        data |= {"source": "data/x.duckdb", "table": "units"}
    if events:
        data["events"] = _events(ground)
    return data


def _csv(rng: Rng) -> dict[str, Any]:
    return {
        "delimiter": pick(rng, (",", ";", "\t", "|")),
        "decimal": pick(rng, (".", ",")),
        "encoding": pick(rng, ("utf-8", "latin-1", "UTF-16")),
    }


def _columns(ground: Ground) -> dict[str, Any]:
    one, other = ground.column("stored"), ground.column("stored")
    ground.outcomes.append(ground.column("made"))
    return {
        ground.column("mapped"): {"map": {"yes": 1, "no": 0, "": None, "-999": None}},
        ground.column("typed"): ground.maybe({"type": pick(ground.rng, ("text", "number", "date")), "unit": "EUR"}),
        ground.column("positive"): {"allow_negative": chance(ground.rng, 0.5)},
        ground.outcomes[-1]: {"formula": f"`{one}` - 2 * `{other}`", "unit": "EUR"},
    }


def _events(ground: Ground) -> dict[str, Any]:
    rng = ground.rng
    source = {"path": "data/orders.csv", "unit": "customer", "time": "at"}
    more = ground.maybe({"recorded": "loaded", "timezone": "UTC", "freshness": "400d", "settles_after": "3d"}, 0.3)
    if "recorded" in more:
        more |= ground.maybe({"key": pick(rng, ("order", ["order", "line"]))})
    if "key" in more:
        more |= ground.maybe({"removed": "gone"})
    exits = {"package": "causaldata", "file": "x/x.dta", "unit": "customer", "time": "at"}
    ground.made = {
        ground.column("spent"): {"source": "orders", "aggregate": "sum", "value": "amount", "window": _window(rng)},
        ground.column("orders"): {
            "source": "orders",
            "aggregate": pick(rng, ("count", "any")),
            "window": _window(rng),
            **ground.maybe({"where": "amount > 10 and shop != 'kiosk'"}),
        },
        ground.column("shops"): {
            "source": "orders",
            "aggregate": pick(rng, ("distinct", "last", "first")),
            "value": "shop",
            "window": {"start": "-28d", "end": "0d"},
        },
    }
    exposure = {"source": "orders", **ground.maybe({"where": "amount > 1", "within": "14d"})}
    table = ground.maybe({"table": "orders"}, 0.1)
    sources = {"orders": source | more, **ground.maybe({"exits": exits | table}, 0.2)}
    events = {"columns": ground.made, "sources": sources}
    return events | ground.maybe({"repeated": pick(rng, ("refuse", "first")), "exposure": exposure}, 0.5)


def _window(rng: Rng) -> dict[str, Any]:
    return {"start": "0d", "end": pick(rng, ("28d", "4w"))}


def _metrics(ground: Ground, data: dict[str, Any]) -> dict[str, Any]:
    rng = ground.rng
    outcomes = list(ground.made)[:2]
    success = [_metric(ground, at) for at in range(between(rng, 1, 2))]
    for name in outcomes:
        window = {"window": ground.made[name]["window"]}
        success.append(_bare(ground, len(success)) | {"type": "mean", "column": name} | window)
    roles: dict[str, Any] = {"success": success}
    guardrails = [{**_metric(ground, 10), "margin": {pick(rng, ("absolute", "relative")): 0.05}}]
    more = {"guardrails": guardrails, "secondary": [_metric(ground, 20)], "exploratory": [_metric(ground, 30)]}
    if "columns" in data and ground.outcomes:
        named = [name for name in ground.outcomes if name in data["columns"]]
        success += [_bare(ground, 40 + at) | {"type": "mean", "column": name} for at, name in enumerate(named)]
    return roles | ground.maybe(more)


def _bare(ground: Ground, at: int) -> dict[str, Any]:
    return {"name": f"metric-{at}", "desired_direction": pick(ground.rng, ("increase", "decrease"))}


def _metric(ground: Ground, at: int) -> dict[str, Any]:
    rng, kind = ground.rng, pick(ground.rng, _TYPES)
    metric = _bare(ground, at) | {"type": kind}
    if kind == "ratio":
        metric |= {"numerator": ground.column("above"), "denominator": ground.column("below")}
    else:
        metric["column"] = ground.column(kind)
    metric |= {"at_least": pick(rng, (4, 9, 0.5))} if kind == "top_box" else {}
    metric |= {"q": pick(rng, (0.5, 0.9, 0.999))} if kind == "quantile" else {}
    size = {"relative": 0.1} if chance(rng, 0.5) else {"absolute": 0.01}
    return metric | ground.maybe(
        {
            "response": ground.column("answered"),
            "covariate": ground.column("pre"),
            "outliers": pick(rng, ("none", "winsorize")),
            "window": {"start": "0d", "end": pick(rng, ("30d", "13w"))},
            "money": {"per_unit": pick(rng, (180, 0.3, -2, "retained_customer"))},
            "mde": size,
            "label": f"Metric {at}",
            "version": 1,
            "owner": "numbers@example.com",
        },
        0.2,
    )


def _how(ground: Ground, design: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return how the numbers are read."""
    rng = ground.rng
    horizon = pick(rng, ({"date": "2026-09-01"}, {"units": 50}))
    peeking = pick(rng, ("fixed_horizon", "always_valid"))
    looks: Sequence[str] = ("2026-05-01", "2026-08-01")
    analysis = ground.maybe(
        {
            "alpha": pick(rng, (0.05, 0.2)),
            "power": 0.9,
            "multiplicity": pick(rng, ("holm", "none")),
            "effect_scale": pick(rng, (["absolute"], ["relative", "absolute"])),
            "outliers": pick(rng, ("none", "winsorize")),
            "seed": between(rng, 0, 10**9),
            "peeking": peeking,
            "horizon": horizon,
        }
    )
    if "observed_until" in data and chance(rng, 0.4):
        analysis |= {"peeking": "group_sequential", "looks": list(looks)}
    contrasts = {"randomized": "itt", "observational": "att", "staggered_rollout": "att", "threshold": "ate"}
    learners = ground.maybe({"outcome": "lightgbm", "propensity": "lightgbm"}, 0.7)
    estimation = {"method": "default", "also": ["matching"], "folds": 5, "repeats": 1, "nuisance": learners}
    return {
        "analysis": analysis,
        "estimand": {"contrast": contrasts.get(design["type"], "itt")},
        "estimation": ground.maybe(estimation, 0.6),
        "checks": ground.maybe(_checks(rng)),
    }


def _checks(rng: Rng) -> dict[str, Any]:
    breach = {"on_breach": pick(rng, ("fail", "warn", "skip"))}
    return {
        "srm": breach | {"alpha": 0.001},
        "mixed_assignment": {"on_breach": "warn", "max_share": 0.01},
        "duplicates": breach,
        "tiny_arm": {"min_units": between(rng, 0, 40), "min_events": 1},
        "pre_period_balance": {"max_abs_smd": 0.5},
        "overlap": {"propensity_range": [0.05, 0.95]},
        "leakage": breach,
        "maturity": breach,
    }


def _use(ground: Ground, metrics: Sequence[str]) -> dict[str, Any]:
    """Return what the results are for: policy, money and decision."""
    rng = ground.rng
    policy = {
        "current_rule": ground.column("rule"),
        "budget": 60_000,
        "eligible": filter_text(rng, [ground.column("out")]),
        "protected": [ground.column("age")],
    }
    least = {"metric": pick(rng, metrics), pick(rng, ("absolute", "relative")): pick(rng, (0.006, 2))}
    actions = dict.fromkeys(some(rng, ("ship", "ship_with_monitoring", "pilot", "hold", "stop"), 5), "Do it")
    value = {"population": 184_000, "fixed_cost": 100, "approved_by": "f@example.com"}
    return {
        "policy": ground.maybe(policy, 0.6),
        "value": ground.maybe(value, 0.6),
        "decision": ground.maybe({"minimum_worthwhile_effect": least, "actions": actions}, 0.6),
    }
