"""A plan that uses nearly every key of a randomised design is valid, and means what it says."""

from collections.abc import Callable

from cxcausal.core.spec.resolve import Resolved

Load = Callable[..., Resolved]

PLAN = """schema_version: 1
id: outbound-2026
question: Who should call whom?
owner: lead@example.com
approvers: [lead@example.com, finance@example.com]
title: Calls
hypothesis: They help.
tags: [calls, retention]
retrospective: false
data:
  source: data/x.parquet
  unit: customer
  randomization_unit: house
  cluster: [house, agent]
  weight: w
  time_zero: assigned_at
  observed_until: 2026-11-01
  columns: {churned: {map: {"yes": 1, "no": 0, "": null}}, arm: {type: text},
    spend: {unit: EUR, allow_negative: false}}
  csv: {delimiter: ";", decimal: ",", encoding: utf-8}
  filter: months >= 3 and region in ['north', 'south']
design:
  type: randomized
  treatment:
    column: arm
    control: none
    arms:
      none: {label: Nobody calls, share: 1/2}
      expert: {label: An expert, share: 1/4, unit_cost: 4.0, cost_basis: assigned, capacity: 2000}
      agent: {label: An agent, share: 0.25, unit_cost: 9.0, cost_basis: received}
    received: reached
  strata: [tier]
  contrasts: [[expert, agent]]
covariates: [months, tier]
effect_modifiers: [months]
segments: [tier, intent]
metrics:
  success:
    - {name: churn, type: proportion, column: churned, desired_direction: decrease, mde: {absolute: 0.01},
       window: {start: 0d, end: 13w}, money: {per_unit: 180}}
  guardrails:
    - {name: csat, type: ordinal, column: csat, desired_direction: increase, response: answered,
       margin: {absolute: 0.05}}
  secondary:
    - {name: spend, type: mean, column: spend, desired_direction: increase, covariate: spend_pre,
       money: {per_unit: 0.3}}
    - {name: aov, type: ratio, numerator: revenue, denominator: orders, desired_direction: increase}
    - {name: nps, type: nps, column: nps_answer, response: answered_nps, desired_direction: increase}
    - {name: csat_top, type: top_box, column: csat, at_least: 4, desired_direction: increase}
    - {name: spend_p90, type: quantile, column: spend, q: 0.9, desired_direction: increase, outliers: winsorize}
  exploratory: []
analysis: {alpha: 0.05, power: 0.8, multiplicity: holm, effect_scale: [absolute, relative], outliers: none, seed: 1,
  peeking: fixed_horizon, horizon: {date: 2026-12-20}, looks: [2026-11-01, 2026-12-01]}
estimand: {contrast: late}
estimation: {method: default, also: [matching], folds: 5, repeats: 3,
  nuisance: {outcome: lightgbm, propensity: lightgbm}}
checks:
  srm: {on_breach: fail, alpha: 0.001}
  overlap: {on_breach: skip, propensity_range: [0.05, 0.95]}
policy: {current_rule: was_called, budget: 60000, eligible: opt_out == 0, protected: [age_band]}
value: {population: 184000, fixed_cost: 0, approved_by: finance@example.com}
decision: {minimum_worthwhile_effect: {metric: churn, absolute: 0.006}, actions: {ship: a, pilot: b, hold: c, stop: d}}
"""


def test_a_full_plan(load: Load) -> None:
    resolved = load(PLAN)
    spec = resolved.spec
    assert spec.arms == ("none", "expert", "agent")
    assert [metric.type for _, metric in spec.metrics.with_roles()] == [
        "proportion",
        "ordinal",
        "mean",
        "ratio",
        "nps",
        "top_box",
        "quantile",
    ]
    window = spec.metrics.success[0].window
    assert window is not None
    assert (window.start, window.end) == (0, 91)
    assert spec.data.columns["churned"].map == {"yes": 1, "no": 0, "": None}
    assert spec.data.cluster == ("house", "agent")
    assert spec.data.csv.delimiter == ";"
    assert spec.checks["overlap"]["propensity_range"] == (0.05, 0.95)
    assert spec.value.fixed_cost == 0.0
    assert [note for note in resolved.notes if "fixed_horizon" in note]


def test_its_meaning_is_bare_content(load: Load) -> None:
    def kinds(value: object) -> set[type]:
        if isinstance(value, dict):
            return {kind for item in (*value, *value.values()) for kind in kinds(item)}
        if isinstance(value, list):
            return {kind for item in value for kind in kinds(item)}
        return {type(value)}

    assert kinds(load(PLAN).plan) <= {str, int, float, bool, type(None)}
