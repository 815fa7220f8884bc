"""Rules that the corpus of bad plans has no case for, and the options of checks."""

from collections.abc import Callable

import pytest

from cxcausal.core.registry import Registry
from cxcausal.core.spec.checks import check_names, options_of, read_checks
from cxcausal.core.spec.design_rules import LICENSED
from cxcausal.core.spec.resolve import Resolved
from cxcausal.core.spec.rules import RULES
from cxcausal.core.spec.scalars import Plain

Load = Callable[..., Resolved]
Told = Callable[..., list[tuple[str, str]]]

HEAD = """schema_version: 1
id: x
question: Why?
owner: me@example.com
data: {source: data/x.csv, unit: customer}
metrics:
  success: [{name: churn, type: proportion, column: churned, desired_direction: decrease}]
design:
"""
TREATMENT = "  treatment: {column: took, control: 0, arms: {}}\n"
DESIGNS = {
    "randomized": "  type: randomized\n" + TREATMENT,
    "observational": "  type: observational\n  confounders: [age]\n" + TREATMENT,
    "encouragement": "  type: encouragement\n  instrument: {column: offered, control: 0}\n" + TREATMENT,
    "staggered_rollout": "  type: staggered_rollout\n  panel: {unit: b, period: m, first_treated: f}\n" + TREATMENT,
    "threshold": "  type: threshold\n  running: {column: risk, cutoff: 0.35, treated: above}\n" + TREATMENT,
}


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_can_be_written_down(load: Load, design: str) -> None:
    assert load(HEAD + DESIGNS[design]).spec.design.type == design


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("contrast", ["itt", "ate", "att", "ato", "late"])
def test_a_design_licenses_its_estimands(told: Told, design: str, contrast: str) -> None:
    plan = HEAD + DESIGNS[design] + f"estimand: {{contrast: {contrast}}}\n"
    plan = plan.replace("arms: {}}", "arms: {}, received: reached}") if design == "randomized" else plan
    codes = [code for code, _ in told(plan)]
    assert codes == ([] if contrast in LICENSED[design] else ["P321"])


@pytest.mark.parametrize(
    ("design", "old", "new", "code"),
    [
        ("observational", "arms: {}}", "arms: {}, received: reached}", "P316"),
        ("encouragement", "column: offered", "column: took", "P324"),
        ("randomized", "column: took", "column: customer", "P324"),
        ("observational", "[age]", "[age]\n  never_adjust: [age]", "P325"),
        ("observational", "[age]", "[age, took]", "P311"),
        ("observational", "[age]", "[age, churned]", "P310"),
        ("randomized", "control: 0, arms: {}", "control: none, arms: {}", "P302"),
        ("encouragement", "  treatment", "  strata: [offered]\n  treatment", "P311"),
        ("staggered_rollout", "  panel: {unit: b, period: m, first_treated: f}\n", "", "P202"),
        ("threshold", "running", "panel: {unit: b}\n  running", "P201"),
    ],
)
def test_designs(told: Told, design: str, old: str, new: str, code: str) -> None:
    plan = HEAD + DESIGNS[design]
    assert old in plan
    assert told(plan) == []
    assert code in [found for found, _ in told(plan.replace(old, new, 1))]


def test_costs_by_what_was_received_need_no_column_where_treatment_is_what_was_taken(told: Told) -> None:
    arms = "arms: {0: {}, 1: {unit_cost: 6, cost_basis: received}}"
    assert told(HEAD + DESIGNS["encouragement"].replace("arms: {}", arms)) == []


@pytest.mark.parametrize(
    ("analysis", "mend"),
    [
        ("{peeking: group_sequential}", "looks: ["),
        ("{peeking: group_sequential, looks: [2026-12-01, 2026-11-01]}", "in order"),
        ("{peeking: group_sequential, looks: [2026-12-01], horizon: {date: 2026-11-01}}", "move the horizon"),
        ("{horizon: {}}", "one of them"),
        ("{horizon: {date: 2026-11-01, units: 7}}", "one of them"),
    ],
)
def test_looks_and_horizon(told: Told, analysis: str, mend: str) -> None:
    ((code, text),) = told(HEAD + DESIGNS["randomized"] + f"analysis: {analysis}\n")
    assert code == "P322"
    assert mend in text


def test_a_metrics_covariate_is_not_its_outcome(told: Told) -> None:
    plan = HEAD.replace("column: churned,", "column: churned, covariate: churned,") + DESIGNS["randomized"]
    assert [code for code, _ in told(plan)] == ["P310"]


@pytest.mark.parametrize(
    ("kind", "keys", "codes"),
    [
        ("ratio", "numerator: a, denominator: b", []),
        ("ratio", "column: a", ["P308", "P308", "P308"]),
        ("top_box", "column: a, at_least: 4", []),
        ("top_box", "column: a", ["P308"]),
        ("quantile", "column: a, q: 0.9", []),
        ("quantile", "column: a", ["P308"]),
        ("nps", "column: a", []),
        ("count", "column: a, at_least: 1", ["P308"]),
    ],
)
def test_a_type_has_its_keys(told: Told, kind: str, keys: str, codes: list[str]) -> None:
    plan = HEAD.replace("type: proportion, column: churned", f"type: {kind}, {keys}") + DESIGNS["randomized"]
    assert [code for code, _ in told(plan)] == codes


def test_every_rule_says_what_it_wants() -> None:
    assert len(RULES) >= 25
    assert all(rule.__doc__ for rule in RULES)
    assert len({rule.__name__ for rule in RULES}) == len(RULES)


CONTRACT_OPTIONS = {
    "srm": {"alpha"},
    "srm_by_segment": {"alpha"},
    "mixed_assignment": {"max_share"},
    "duplicates": set(),
    "maturity": {"min_units"},
    "missing_outcome": {"max_share"},
    "differential_missingness": {"alpha"},
    "pre_period_balance": {"max_abs_smd"},
    "balance": {"max_abs_smd"},
    "leakage": set(),
    "tiny_arm": {"min_units", "min_events"},
    "overlap": {"min_effective_share", "propensity_range"},
    "negative_controls": set(),
    "placebo_period": set(),
    "agreement": {"max_gap_in_se"},
    "instrument_balance": set(),
    "pre_trends": {"report_power_against"},
    "honest_did": {"min_breakdown"},
    "density": set(),
    "interference": set(),
}


@pytest.mark.parametrize("name", CONTRACT_OPTIONS)
def test_checks_take_the_options_of_the_contract(name: str) -> None:
    assert name in check_names()
    assert {"on_breach", *CONTRACT_OPTIONS[name]} <= set(options_of(name))


def test_options_are_read_by_their_types() -> None:
    raw = {
        "srm": {"on_breach": Plain("warn"), "alpha": Plain("1e-3")},
        "tiny_arm": {"min_units": Plain("30")},
        "overlap": {"propensity_range": [Plain("0.05"), Plain("0.95")]},
        "pre_trends": {"report_power_against": {"slope_per_period": Plain("0.001")}},
    }
    read, findings = read_checks(raw)
    assert findings == ()
    assert read["srm"] == {"on_breach": "warn", "alpha": 0.001}
    assert read["tiny_arm"] == {"min_units": 30}
    assert type(read["tiny_arm"]["min_units"]) is int
    assert read["overlap"] == {"propensity_range": (0.05, 0.95)}
    assert read["pre_trends"] == {"report_power_against": {"slope_per_period": 0.001}}


def test_a_running_check_can_be_made_from_its_options() -> None:
    registry = Registry(kind="checks")
    for name in registry.names():
        options, findings = read_checks({name: {"on_breach": Plain("warn")}})
        assert findings == ()
        assert registry.load(name)(**options[name]).on_breach == "warn"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"alpha": Plain("1.5")}, "P204"),
        ({"alpha": "0.5"}, "P204"),
        ({"alpha": None}, "P204"),
        ({"on_breach": [1]}, "P204"),
        ([1], "P203"),
        (None, "P203"),
        ({"max_share": Plain("0")}, "P211"),
    ],
)
def test_options_that_cannot_be(options: object, code: str) -> None:
    _, findings = read_checks({"srm": options})
    assert [finding.code for finding in findings] == [code]


@pytest.mark.parametrize(("also", "mend"), [("matchin", "did you mean 'matching'?"), ("psychic", "use one of: ")])
def test_a_second_opinion_must_exist(told: Told, also: str, mend: str) -> None:
    plan = HEAD + DESIGNS["observational"]
    assert told(plan + "estimation: {also: [matching, causal_forest]}\n") == []
    ((code, text),) = told(plan + f"estimation: {{also: [overlap_weighting, {also}]}}\n")
    assert code == "P391"
    assert mend in text
