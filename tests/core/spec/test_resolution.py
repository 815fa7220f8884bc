"""Layers, the library, money, provenance and the hash: what a plan inherits, and what it means."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from cxcausal.core.errors import PlanError
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.resolve import Resolved

Load = Callable[..., Resolved]
Told = Callable[..., list[tuple[str, str]]]

MINIMAL = """schema_version: 1
id: calls
question: Does a call keep customers?
owner: team@example.com
data: {source: data/calls.parquet}
design:
  type: randomized
  treatment: {column: arm, control: none, arms: {none: {}, call: {}}}
metrics:
  success:
    - {name: churn, type: proportion, column: churned, desired_direction: decrease}
"""
DEFAULTS = """schema_version: 1
analysis: {alpha: 0.1, power: 0.9, effect_scale: [absolute]}
checks: {srm: {on_breach: warn, alpha: 0.01}, leakage: {on_breach: fail}}
"""
METRICS = """schema_version: 1
metrics:
  left: {type: proportion, column: gone, desired_direction: decrease, version: 3, mde: {absolute: 0.02},
    money: {per_unit: kept}}
  moaned: {type: proportion, column: moaned, desired_direction: decrease}
"""
VALUE = """schema_version: 1
value_model: {currency: CHF, kept: {low: 1, central: 2, high: 3}, other: {low: 4, central: 5, high: 6}}
"""
PROTOCOL = """schema_version: 1
protocol: trial
analysis: {alpha: 0.02}
metrics:
  guardrails: [{name: moaned, margin: {absolute: 0.01}}]
"""
FILES = {
    "configs/defaults.yaml": DEFAULTS,
    "configs/metrics/m.yaml": METRICS,
    "configs/value.yaml": VALUE,
    "configs/protocols/trial.yaml": PROTOCOL,
}


def _with_success(item: str, more: str = "") -> str:
    head, _, _ = MINIMAL.partition("    - {name")
    return f"{head}    - {item}\n{more}"


def test_each_layer_wins_over_the_one_below(load: Load) -> None:
    plan = MINIMAL + "protocol: trial\nanalysis: {power: 0.85}\nchecks: {srm: {alpha: 0.005}}\n"
    spec = load(plan, FILES).spec
    assert (spec.analysis.alpha, spec.analysis.power) == (0.02, 0.85)
    assert spec.analysis.effect_scale == ("absolute",)
    assert spec.checks["srm"] == {"on_breach": "warn", "alpha": 0.005}
    assert spec.checks["leakage"] == {"on_breach": "fail"}


def test_an_explicit_zero_wins(load: Load) -> None:
    spec = load(MINIMAL + "analysis: {seed: 0}\nchecks: {mixed_assignment: {max_share: 0}}\n", FILES).spec
    assert (spec.analysis.seed, spec.checks["mixed_assignment"]["max_share"]) == (0, 0.0)


def test_null_removes_and_lists_replace(load: Load) -> None:
    spec = load(MINIMAL + "analysis: {alpha: null, effect_scale: [relative]}\nchecks: {srm: ~}\n", FILES).spec
    assert (spec.analysis.alpha, spec.analysis.effect_scale) == (0.05, ("relative",))
    assert "srm" not in spec.checks
    assert "leakage" in spec.checks


def test_null_in_a_value_map_means_missing(load: Load) -> None:
    plan = MINIMAL.replace("calls.parquet", 'calls.parquet, columns: {churned: {map: {"yes": 1, NO: 0, "": null}}}')
    column = load(plan, FILES).spec.data.columns["churned"]
    assert column.map == {"yes": 1, "NO": 0, "": None}


@pytest.mark.parametrize("own", ["", "  guardrails: []\n", "  guardrails: null\n", "  guardrails: [moaned]\n"])
def test_a_protocols_guardrails_stay(load: Load, own: str) -> None:
    spec = load(MINIMAL + own + "protocol: trial\n", FILES).spec
    assert [metric.name for metric in spec.metrics.guardrails] == ["moaned"]
    margin = spec.metrics.guardrails[0].margin
    assert margin is not None
    assert margin.absolute == 0.01


def test_a_plans_guardrails_are_added(load: Load) -> None:
    csat = "{name: csat, type: ordinal, column: csat, desired_direction: increase, margin: {relative: 1}}"
    own = f"  guardrails: [{csat}]\n"
    spec = load(MINIMAL + own + "protocol: trial\n", FILES).spec
    assert [metric.name for metric in spec.metrics.guardrails] == ["moaned", "csat"]


@pytest.mark.parametrize("margin", ["{absolute: 0.5}", "{absolute: 0.001}", "{relative: 0.01}", "null"])
def test_a_protocols_margin_stays(told: Told, margin: str) -> None:
    own = f"  guardrails: [{{name: moaned, margin: {margin}}}]\nprotocol: trial\n"
    problems = told(MINIMAL + own, FILES)
    assert [code for code, _ in problems] == ["P326"]
    assert "margin: {absolute: 0.01}" in problems[0][1]


def test_the_same_margin_may_be_repeated(load: Load) -> None:
    own = "  guardrails: [{name: moaned, margin: {absolute: 0.010}}]\nprotocol: trial\n"
    assert len(load(MINIMAL + own, FILES).spec.metrics.guardrails) == 1


def test_library_metrics_are_written_out(load: Load) -> None:
    (by_name,) = load(_with_success("left"), FILES).spec.metrics.success
    assert (by_name.column, by_name.version) == ("gone", 3)
    assert by_name.mde is not None
    assert by_name.mde.absolute == 0.02
    item = "{name: left, mde: {relative: 0.1}, margin: {absolute: 0.3}}"
    (own,) = load(_with_success(item), FILES).spec.metrics.success
    assert own.margin is not None
    assert own.margin.absolute == 0.3


def test_a_size_of_the_other_scale_replaces_the_librarys(load: Load) -> None:
    (own,) = load(_with_success("{name: left, mde: {relative: 0.1}}"), FILES).spec.metrics.success
    assert own.mde is not None
    assert (own.mde.absolute, own.mde.relative) == (None, 0.1)


def test_a_metric_written_out_under_a_librarys_name_is_its_own(load: Load) -> None:
    resolved = load(_with_success("{name: left, type: mean, column: x, desired_direction: increase}"), FILES)
    (metric,) = resolved.spec.metrics.success
    assert (metric.type, metric.version, metric.money) == ("mean", None, None)
    assert any("'left' is written out" in note for note in resolved.notes)


def test_only_the_assumptions_in_use_are_copied(load: Load) -> None:
    resolved = load(_with_success("left"), FILES)
    model = resolved.spec.value_model
    assert model is not None
    assert (list(model.worth), model.worth["kept"].central, model.example) == (["kept"], 2.0, False)
    assert resolved.spec.currency == "CHF"
    assert resolved.notes == ()


def test_two_currencies_are_refused(told: Told) -> None:
    project = "schema_version: 1\ncurrency: USD\n"
    ((code, text),) = told(MINIMAL, {**FILES, "configs/project.yaml": project})
    assert (code, "CHF" in text, "USD" in text) == ("P333", True, True)


def test_the_packaged_assumptions_are_examples(load: Load) -> None:
    item = "{name: x, type: mean, column: x, desired_direction: increase, money: {per_unit: retained_customer}}"
    resolved = load(_with_success(item))
    assert resolved.spec.value_model is not None
    assert resolved.spec.value_model.example
    assert any("examples and not yours" in note for note in resolved.notes)


def test_a_plans_own_number_needs_no_value_model(load: Load) -> None:
    item = "{name: x, type: mean, column: x, desired_direction: increase, money: {per_unit: 0.3}}"
    resolved = load(_with_success(item))
    assert (resolved.spec.value_model, resolved.spec.currency, resolved.notes) == (None, "EUR", ())


def test_the_packaged_library_serves_where_there_is_none(load: Load) -> None:
    assert load(_with_success("churn_90d")).spec.metrics.success[0].window is not None


@pytest.mark.parametrize(
    ("written", "control"), [("0", "0"), ("1", "1"), ("false", "0"), ("False", "0"), ("true", "1")]
)
def test_arms_of_a_column_of_0_and_1_or_of_truths(load: Load, written: str, control: str) -> None:
    plan = MINIMAL.replace("control: none, arms: {none: {}, call: {}}", f"control: {written}, arms: {{}}")
    spec = load(plan).spec
    assert (sorted(spec.arms), spec.control, spec.shares) == (["0", "1"], control, None)


def test_arm_names_are_text(load: Load) -> None:
    plan = MINIMAL.replace("control: none, arms: {none: {}, call: {}}", "control: NO, arms: {NO: {}, 010: {}, 1: {}}")
    assert load(plan).spec.arms == ("NO", "010", "1")


def test_exact_shares(load: Load) -> None:
    arms = "{none: {share: 1/3}, a: {share: 1/3}, b: {share: 0.3333333}}"
    spec = load(MINIMAL.replace("{none: {}, call: {}}", arms)).spec
    assert spec.shares is not None
    assert spec.shares["a"] == Fraction(1, 3)


def test_every_leaf_knows_where_it_came_from(load: Load) -> None:
    resolved = load(_with_success("left", "protocol: trial\n"), FILES)
    told = {path: source.rsplit("/", 1)[-1] for path, source in resolved.provenance.items()}
    assert told["question"] == "plan.yaml:3:11"
    assert told["analysis.power"] == "defaults.yaml:2:31"
    assert told["analysis.alpha"] == "trial.yaml:3:19"
    assert told["metrics.success[0].name"] == "plan.yaml:11:7"
    assert told["metrics.success[0].column"] == "m.yaml:3:36"
    assert told["metrics.guardrails[0].margin.absolute"] == "trial.yaml:5:50"
    assert told["value_model.worth.kept.low"] == "value.yaml:2:42"
    assert told["estimation.folds"] == "built-in default"
    assert set(told.values()) <= {"built-in default"} | {item for item in told.values() if item.count(":") == 2}


def test_packaged_defaults_are_named_as_such(load: Load) -> None:
    assert load().provenance["checks.srm.alpha"].startswith("packaged configs/defaults.yaml:")


def test_the_hash_is_of_the_meaning(load: Load) -> None:
    arms = "arms: {none: {share: 1/2}, call: {share: 1/2, unit_cost: 4}}"
    plan = MINIMAL.replace("arms: {none: {}, call: {}}", arms)
    first = load(plan).plan_hash
    lines = plan.splitlines()
    alike = [
        "# a comment\n" + plan,
        "\n".join([lines[0], lines[3], lines[2], lines[1], *lines[4:]]),
        plan.replace("1/2", "0.5"),
        plan.replace("unit_cost: 4", "unit_cost: 4.00"),
        plan.replace("control: none", "control: 'none'"),
        plan.replace(
            "{none: {share: 1/2}, call: {share: 1/2, unit_cost: 4}}",
            "{call: {unit_cost: 4, share: 1/2}, none: {share: 1/2}}",
        ),
        plan + "covariates: []\ntitle: null\nanalysis: {alpha: 0.05}\n",
    ]
    assert {load(text).plan_hash for text in alike} == {first}
    others = [plan.replace("unit_cost: 4", "unit_cost: 5"), plan.replace("keep customers", "lose customers")]
    assert first not in {load(text).plan_hash for text in others}


def test_secrets_are_hashed_and_kept_as_written(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = MINIMAL.replace("data/calls.parquet", "'${env:CX_TEST_URL}', table: calls")
    monkeypatch.setenv("CX_TEST_URL", "postgresql://me:hunter2@host/db")
    first = load(plan)
    monkeypatch.setenv("CX_TEST_URL", "postgresql://me:other@host/db")
    assert first.spec.data.source == "${env:CX_TEST_URL}"
    assert load(plan).plan_hash == first.plan_hash
    assert "hunter2" not in str(first)


def test_a_link_that_leaves_is_refused_and_a_data_root_is_not(load: Load, told: Told, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    project = tmp_path / "inner"
    (project / "data").mkdir(parents=True)
    (project / "data" / "link").symlink_to(outside)
    (project / "plan.yaml").write_text(MINIMAL.replace("data/calls.parquet", "data/link/x.parquet"), encoding="utf-8")
    with pytest.raises(PlanError, match="P317"):
        load_experiment(project / "plan.yaml", root=project)
    (project / "configs").mkdir()
    (project / "configs" / "project.yaml").write_text("schema_version: 1\ndata_roots: [../outside]\n", encoding="utf-8")
    assert load_experiment(project / "plan.yaml").project.data_roots == ("../outside",)


@pytest.mark.parametrize("source", ["data/*/../../../x.csv", "data/../../x.csv", "/x/*.csv"])
def test_wildcards_do_not_climb(told: Told, source: str) -> None:
    assert [code for code, _ in told(MINIMAL.replace("data/calls.parquet", source))] == ["P317"]


@pytest.mark.parametrize("source", ["data/2026-*/*.parquet", "shop", "duckdb:///data/x.duckdb, table: t"])
def test_inside_is_fine(load: Load, source: str) -> None:
    files = {"configs/data_sources.yaml": "schema_version: 1\nsources: {shop: {path: data/x.csv}}\n"}
    assert load(MINIMAL.replace("data/calls.parquet", source), files).spec.data.source == source.partition(",")[0]


def test_the_nearest_project_is_the_root(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "experiments"
    inner.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "a"):
        (folder / "configs").mkdir()
        text = f"schema_version: 1\norganisation: {folder.name}\ntimezone: Europe/Berlin\n"
        (folder / "configs" / "project.yaml").write_text(text, encoding="utf-8")
    (inner / "plan.yaml").write_text(MINIMAL, encoding="utf-8")
    project = load_experiment(inner / "plan.yaml").project
    assert (project.root, project.organisation, project.packaged) == (tmp_path / "a", "a", False)


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("configs/project.yaml", "schema_version: 1\ncolour: red\n", "P201"),
        ("configs/project.yaml", "schema_version: 1\ntimezone: Mars/Olympus\n", "P205"),
        ("configs/project.yaml", "organisation: X\n", "P202"),
        ("configs/defaults.yaml", "schema_version: 1\nanalysis: {alhpa: 1}\n", "P201"),
        ("configs/defaults.yaml", "schema_version: 3\n", "P205"),
        ("configs/defaults.yaml", "a: [1\n", "P104"),
        ("configs/value.yaml", "schema_version: 1\nvalue_model: {kept: {low: 1, central: 2, high: 3}}\n", "P202"),
        ("configs/value.yaml", VALUE.replace("low: 1", "low: 9"), "P204"),
        ("configs/metrics/m.yaml", METRICS.replace("gone", "gone, colum: x"), "P201"),
        ("configs/metrics/n.yaml", "schema_version: 1\nmetrics: {left: {type: mean}}\n", "P332"),
        ("configs/protocols/trial.yaml", PROTOCOL.replace("protocol: trial", "protocol: other"), "P208"),
    ],
)
def test_configuration_is_checked_in_its_own_file(told: Told, file: str, text: str, code: str, tmp_path: Path) -> None:
    problems = told(_with_success("left", "protocol: trial\n"), {**FILES, file: text})
    assert code in [found for found, _ in problems]
    with pytest.raises(PlanError) as caught:
        load_experiment(tmp_path / "plan.yaml")
    assert any(file in problem.where for problem in caught.value.problems)
