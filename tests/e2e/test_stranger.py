"""Plans written to the contract alone: every number against the raw frame, every line of the verdict table reached."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.e2e.project import PLAN, Project
from tests.e2e.rows import planned, wanted

TOLERANCE = 1e-8
ARMS = {"none": {"share": "1/3"}, "call": {"share": "1/3"}, "mail": {"share": "1/3"}}
CHURN = {"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}
SPEND = {"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}
AOV = {
    "name": "aov", "type": "ratio", "numerator": "revenue", "denominator": "orders", "desired_direction": "increase",
}  # fmt: skip
EVERY_TYPE = {
    "success": [CHURN, SPEND],
    "guardrails": [
        {
            "name": "csat", "type": "ordinal", "column": "csat", "response": "answered",
            "desired_direction": "increase", "margin": {"absolute": 0.5},
        },
        {
            "name": "contacts", "type": "count", "column": "contacts", "desired_direction": "decrease",
            "margin": {"relative": 0.15},
        },
    ],
    "secondary": [
        AOV,
        {"name": "nps", "type": "nps", "column": "answer", "response": "answered", "desired_direction": "increase"},
        {"name": "top", "type": "top_box", "column": "csat", "at_least": 4, "desired_direction": "increase"},
        {"name": "rare", "type": "proportion", "column": "rare", "desired_direction": "decrease"},
    ],
}  # fmt: skip


def people(n: int = 240, *, size: int = 1, seed: int = 5) -> pd.DataFrame:
    """Return n customers in three arms, `size` of them in every team, with gaps in every outcome."""
    draw = np.random.default_rng(seed)
    teams = np.arange(n) // size
    arm = draw.permutation(np.array(["none", "call", "mail"])[np.arange(teams[-1] + 1) % 3])[teams]
    orders = draw.poisson(1.5, n)
    frame = pd.DataFrame(
        {
            "customer_id": [f"{i:05d}" for i in range(n)],
            "arm": arm,
            "team": [f"t{team}" for team in teams],
            "agent": [f"a{agent}" for agent in draw.integers(0, 9, n)],
            "weight": draw.uniform(0.5, 2, n).round(3),
            "tier": draw.choice(["gold", "plus"], n),
            "answered": draw.integers(0, 2, n),
            "churned": (draw.random(n) < np.where(arm == "none", 0.4, 0.3)).astype(float),
            "rare": (draw.random(n) < 0.05).astype(float),
            "spend": (draw.gamma(0.5, 40, n) + draw.normal(0, 4, teams[-1] + 1)[teams]).round(2),
            "orders": orders.astype(float),
            "revenue": (orders * draw.gamma(2, 15, n)).round(2),
            "csat": draw.integers(1, 6, n).astype(float),
            "answer": draw.integers(0, 11, n).astype(float),
            "contacts": draw.poisson(2, n).astype(float),
        }
    )
    for column in ("churned", "spend", "orders", "csat", "answer", "contacts"):
        frame.loc[draw.random(n) < 0.08, column] = np.nan
    return frame


def _plan(**changes: Any) -> dict[str, Any]:
    design = {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": ARMS}}
    return {**PLAN, "design": {**design, "contrasts": [["call", "mail"]]}, "metrics": EVERY_TYPE, **changes}


def _write_duckdb(frame: pd.DataFrame, path: Path) -> None:
    with duckdb.connect(str(path)) as base:
        base.register("given", frame)
        base.execute("create table customers as select * from given")


def _write_parts(frame: pd.DataFrame, path: Path) -> None:
    for part in range(3):
        frame.iloc[part::3].to_csv(path.with_name(f"part{part}.csv"), index=False)


def _write_strange_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, sep=";", decimal=",", encoding="latin-1")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A way to keep the frame: the plan's data keys beside the unit, the file, and what writes it."""

    file: str
    write: Callable[[pd.DataFrame, Path], object]
    keys: Mapping[str, Any]


STORES = {
    "csv.gz": Stored(
        file="x.csv.gz", write=lambda f, p: p.write_bytes(gzip.compress(f.to_csv(index=False).encode())), keys={}
    ),
    "parquet": Stored(file="x.parquet", write=lambda f, p: f.to_parquet(p), keys={}),
    "glob": Stored(file="part*.csv", write=_write_parts, keys={}),
    "json": Stored(file="x.json", write=lambda f, p: f.to_json(p, orient="records"), keys={}),
    "duckdb": Stored(file="x.duckdb", write=_write_duckdb, keys={"table": "customers"}),
    "odd csv": Stored(
        file="x.csv",
        write=_write_strange_csv,
        keys={"csv": {"delimiter": ";", "decimal": ",", "encoding": "latin-1"}},
    ),
}


def _run(project: Project, plan: Mapping[str, Any], frame: pd.DataFrame | None = None, *, code: int = 0) -> Any:
    if frame is not None:
        project.data(frame)
    done = project.cx("run", project.plan(**plan), "--json", "--quiet")
    assert done.code == code, done.err
    return done.json


def _check_rows(result: Any, plan: Mapping[str, Any], frame: pd.DataFrame, **units: Any) -> None:
    """Hold every absolute row, in all and in every segment, against the frame."""
    metrics = {metric["name"]: metric for _, metric in planned(plan)}
    rows = [row for row in result["effects"] if row["scale"] == "absolute" and not row["companion"]]
    places = 1 + sum(frame[segment].nunique() for segment in plan.get("segments", ()))
    assert len(rows) == len(metrics) * 3 * places
    for row in rows:
        segment, _, value = row["population"].partition("=")
        part = frame if row["population"] == "all" else frame[frame[segment] == value]
        want = wanted(metrics[row["metric"]], part, (row["arm"], row["control"]), **units)
        assert row["status"] == "ok", row
        assert (row["n_treated"], row["n_control"]) == (len(want.treated.frame), len(want.control.frame))
        told = (row["point"], row["se"], row["low"], row["high"], row["mean_treated"], row["mean_control"])
        means = (want.treated.point, want.control.point)
        scale = max(1.0, *map(abs, means))
        expected = (want.point, want.se, *want.limits(row["level"]), *means)
        assert told == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE * scale), row


@pytest.mark.parametrize("store", STORES)
def test_every_store_gives_every_number(project: Project, store: str) -> None:
    kept, frame = STORES[store], people()
    (project.root / "data").mkdir()
    kept.write(frame, project.root / "data" / kept.file)
    plan = _plan(data={"source": f"data/{kept.file}", "unit": "customer_id", **kept.keys})
    _check_rows(_run(project, plan), plan, frame, weight=None, clusters=())


@pytest.mark.parametrize(
    ("keys", "clusters"),
    [
        ({"weight": "weight"}, ()),
        ({"randomization_unit": "team"}, ("team",)),
        ({"randomization_unit": "team", "weight": "weight"}, ("team",)),
        ({"randomization_unit": "team", "cluster": ["team", "agent"]}, ("team", "agent")),
    ],
    ids=["weights", "teams", "weighted teams", "two clusters"],
)
def test_weights_teams_and_crossed_clusters(project: Project, keys: dict[str, Any], clusters: tuple[str, ...]) -> None:
    frame = people(size=5)
    plan = _plan(data={**PLAN["data"], **keys}, segments=["tier"] if len(keys) == 1 else [])
    _check_rows(_run(project, plan, frame), plan, frame, weight=keys.get("weight"), clusters=clusters)


def test_levels_are_holm_for_success_one_sided_for_guardrails_and_alpha_for_the_rest(project: Project) -> None:
    frame = people()
    result = _run(project, _plan(analysis={"alpha": 0.1}), frame)
    own = [row for row in result["effects"] if not row["companion"]]
    rows = [row for row in own if row["scale"] == "absolute" and row["population"] == "all"]
    family = sorted(
        (row for row in rows if row["role"] == "success" and row["control"] == "none"), key=lambda r: r["p"]
    )
    left = list(range(len(family), 0, -1))
    running = np.maximum.accumulate([min(1.0, row["p"] * k) for row, k in zip(family, left, strict=True)])
    assert [row["p_adjusted"] for row in family] == pytest.approx(running.tolist())
    failed = next((k for row, k in zip(family, left, strict=True) if row["p"] > 0.1 / k), 1)
    assert [row["level"] for row in family] == pytest.approx([1 - 0.1 / max(k, failed) for k in left])
    assert {row["level"] for row in rows if row["role"] == "guardrail"} == {0.8}
    others = [row for row in rows if row["role"] == "secondary" or (row["role"], row["control"]) == ("success", "mail")]
    assert {row["level"] for row in others} == {0.9}


@pytest.mark.parametrize("factor", [1e12, 1e-9, -1.0])
def test_huge_tiny_and_negative_spend(project: Project, factor: float) -> None:
    frame = people()
    frame["spend"] *= factor
    plan = _plan(metrics={"success": [SPEND]})
    result = _run(project, plan, frame)
    _check_rows(result, plan, frame, weight=None, clusters=())
    relative = [row["status"] for row in result["effects"] if row["scale"] == "relative" and not row["companion"]]
    assert relative == ["ok" if factor > 0 else "not_computed"] * 3


def test_maps_filters_and_missing_values_leave_out_just_what_they_say(project: Project) -> None:
    frame = people(480)
    words = {1.0: "yes", 0.0: "no"}
    shown = frame.assign(churned=frame.churned.map(words).fillna("unknown"), arm=frame.arm.replace("mail", "Post"))
    columns = {"churned": {"map": {"yes": 1, "no": 0, "unknown": None}}, "arm": {"map": {"Post": "mail"}}}
    filtered = "tier == 'gold' and not contacts > 3"
    plan = _plan(
        data={**PLAN["data"], "columns": columns, "filter": filtered}, metrics={"success": [CHURN]}, segments=["tier"]
    )
    kept = frame[(frame.tier == "gold") & (frame.contacts <= 3)]
    _check_rows(_run(project, plan, shown), plan, kept, weight=None, clusters=())


def trial(kept: int, lost: int = 200, **columns: list[int]) -> pd.DataFrame:
    """Return 1,000 customers per arm, `kept` and `lost` of whom churn in the called and the control arm."""
    churned = [1] * kept + [0] * (1000 - kept) + [1] * lost + [0] * (1000 - lost)
    ids = [f"c{i}" for i in range(2000)]
    return pd.DataFrame({"customer_id": ids, "arm": ["call"] * 1000 + ["none"] * 1000, "churned": churned, **columns})


def _complaints(called: int, others: int) -> list[int]:
    return [1] * called + [0] * (1000 - called) + [1] * others + [0] * (1000 - others)


def _two_arms(unit_cost: float = 0.0) -> dict[str, Any]:
    arms = {"none": {"share": 0.5}, "call": {"share": 0.5, "unit_cost": unit_cost}}
    return {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": arms}}


def _guarded(**margin: float) -> dict[str, Any]:
    complaint = {"name": "complaint", "type": "proportion", "column": "complained", "desired_direction": "decrease"}
    return {"success": [CHURN], "guardrails": [{**complaint, "margin": margin}]}


def _priced(unit_cost: float) -> dict[str, Any]:
    return {"metrics": {"success": [{**CHURN, "money": {"per_unit": 100}}]}, "design": _two_arms(unit_cost)}


def _worthwhile(**size: float) -> dict[str, Any]:
    return {"decision": {"minimum_worthwhile_effect": {"metric": "churn", **size}}}


ABSOLUTE = {"analysis": {"effect_scale": ["absolute"]}}
LITTLE, MUCH = _complaints(30, 28), _complaints(60, 20)
TABLE: dict[str, tuple[dict[str, Any], pd.DataFrame, str, str]] = {
    "a gate": ({}, trial(120).drop(index=range(800, 1000)), "no_decision", "'srm' failed"),
    "guardrail beyond": ({"metrics": _guarded(absolute=0.01)}, trial(120, complained=MUCH), "stop", "agreed limit"),
    "success harmed": ({}, trial(280), "stop", "Reliable harm"),
    "works, no money": ({}, trial(120), "ship", "It works"),
    "works and pays": (_priced(2), trial(120), "ship", "works and pays"),
    "may not pay": (_priced(7), trial(120), "hold", "may not pay"),
    "doesn't pay": (_priced(20), trial(120), "stop", "doesn't pay"),
    "inside": ({"metrics": _guarded(absolute=0.03)}, trial(120, complained=LITTLE), "ship", "within its limit"),
    "inside relative": ({"metrics": _guarded(relative=0.9)}, trial(120, complained=LITTLE), "ship", "within its limit"),
    "inside, relative margin on an absolute scale": (
        {"metrics": _guarded(relative=0.9), **ABSOLUTE}, trial(120, complained=LITTLE), "ship", "within its limit",
    ),
    "guardrail open": ({"metrics": _guarded(absolute=0.01)}, trial(120, complained=LITTLE), "hold", "not settled"),
    "nothing worthwhile": (_worthwhile(absolute=0.06), trial(202), "stop", "No worthwhile effect"),
    "nothing worthwhile, relative on an absolute scale": (
        {**_worthwhile(relative=0.3), **ABSOLUTE}, trial(202), "stop", "No worthwhile effect",
    ),
    "cannot tell": (_worthwhile(absolute=0.02), trial(202), "hold", "Cannot tell yet"),
}  # fmt: skip


@pytest.mark.parametrize("line", TABLE)
def test_every_line_of_the_verdict_table(project: Project, line: str) -> None:
    changes, frame, verdict, reason = TABLE[line]
    plan = {"design": _two_arms(), "metrics": {"success": [CHURN]}, **changes}
    if verdict == "ship":
        assert project.cx("register", project.plan(**plan)).code == 0
    result = _run(project, plan, frame, code=5 if verdict == "no_decision" else 0)
    assert (result["verdict"], reason in result["arms"]["call"]["reason"]) == (verdict, True), result["arms"]
    assert result["capped_by"] is None


def test_without_amounts_per_customer_the_best_effect_is_recommended(project: Project) -> None:
    frame = people(1200, seed=8)
    frame["churned"] = (np.arange(1200) % 20 < frame.arm.map({"none": 9, "call": 5, "mail": 2})).astype(int)
    metrics = {"success": [CHURN], "secondary": [{**AOV, "money": {"per_unit": 1}}]}
    result = _run(project, _plan(metrics=metrics), frame)
    assert {arm: verdict["verdict"] for arm, verdict in result["arms"].items()} == {"call": "hold", "mail": "hold"}
    assert result["recommended_arm"] == "mail"


@pytest.mark.parametrize(
    ("metric", "changes", "words"),
    [
        (AOV, {"orders": 0}, "has nothing to divide by"),
        (CHURN, {"churned": np.nan}, "is known for 0 customers"),
        ({**SPEND, "type": "ordinal"}, {"spend": np.nan}, "is known for 9 customers"),
    ],
    ids=["denominators of zero", "an arm without outcomes", "nine outcomes in an arm"],
)
def test_too_little_of_an_outcome_withholds_the_verdict(
    project: Project, metric: dict[str, Any], changes: dict[str, float], words: str
) -> None:
    frame = people()
    frame["spend"] = frame.spend.fillna(1.5)
    called = frame.index[frame.arm == "call"][0 if metric["name"] != "spend" else 9 :]
    for column, value in changes.items():
        frame.loc[called, column] = value
    result = _run(project, _plan(metrics={"success": [metric]}), frame, code=5)
    tiny = next(check for check in result["checks"] if check["name"] == "tiny_arm")
    assert (tiny["verdict"], words in tiny["text"]) == ("fail", True), tiny


def test_what_a_plan_declares_and_no_figure_uses_is_told(project: Project) -> None:
    plan = _plan(
        data={**PLAN["data"], "randomization_unit": "team", "cluster": "agent", "observed_until": "2026-06-30"},
        metrics={"success": [CHURN]},
        estimation={"nuisance": {"outcome": "lightgbm"}},
        checks={"density": {"on_breach": "fail"}},
    )
    notes = " ".join(_run(project, plan, people(size=2))["notes"])
    for told in (
        "leaves out the randomisation unit 'team'",
        "nuisance learners are not used",
        "did not run: density",
    ):
        assert told in notes
