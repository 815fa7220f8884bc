"""Nothing of a customer and no secret is found again: not in the record, MLflow, reports, messages or logs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.canaries.secrets_planted import (
    PASSWORD,
    SHAPES,
    TOKEN,
    everybody,
    files_below,
    hits,
    ids,
    needles,
    of_each_shape,
)
from tests.e2e.project import ROOT, Finished, Project

PER_SHAPE = 200
QUICK = ("mail", "iban")
RECORD = (".cxcausal", "audit", "reports", "out")
MANNERS = (("--verbose",), ("--log-format", "json", "--verbose"), ("--json",), ("--quiet",))
PERSONAL = [f"text-kanari-{i}@nobody.example" for i in range(5)] + [f"+49 171 555 {i:04d} 77" for i in range(5)]


def people(per_shape: int = PER_SHAPE) -> pd.DataFrame:
    """Return customers with ids of all shapes, addresses in texts that are not asked for, and no effect."""
    names = everybody(per_shape)
    return pd.DataFrame(
        {
            "customer_id": names,
            "arm": ["none" if i % 2 else "call" for i in range(len(names))],
            "churned": [int(i % 7 < 2) for i in range(len(names))],
            "spend": [float(i % 50) for i in range(len(names))],
            "tenure": [float(i % 24) for i in range(len(names))],
            "tier": ["gold" if i % 3 else "basic" for i in range(len(names))],
            "household": [f"home {names[i // 2]}" for i in range(len(names))],
            "remark": [f"call {PERSONAL[i % len(PERSONAL)]} for {names[i]}" for i in range(len(names))],
        }
    )


METRICS = {
    "success": [{"name": "churn", "type": "proportion", "column": "churned", "desired_direction": "decrease"}],
    "secondary": [{"name": "spend", "type": "mean", "column": "spend", "desired_direction": "increase"}],
}
PLAN: dict[str, Any] = {
    "data": {"source": "data/callback.csv", "unit": "customer_id", "cluster": "household"},
    "metrics": METRICS,
    "covariates": ["tenure"],
    "segments": ["tier"],
}


def heard(said: dict[str, Finished]) -> dict[str, bytes]:
    return {name: f"{done.out}\n{done.err}".encode() for name, done in said.items()}


def test_what_is_sought_is_found_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    one = ids("iban", 1)[0]
    for number, raw in enumerate(needles([one]).values()):
        (tmp_path / f"out/{number}").write_bytes(b"\x00before " + raw + b" behind")
    assert len({place.partition(":")[0] for place in hits(files_below(tmp_path, "out"), [one])}) == len(needles([one]))
    assert len(set(everybody(PER_SHAPE))) == len(SHAPES) * PER_SHAPE


@pytest.fixture
def crowded(project: Project) -> Project:
    """A project whose data are full of canaries."""
    project.data(people())
    project.plan(**PLAN)
    return project


def test_a_life_of_a_project(crowded: Project) -> None:
    plan, frame = "experiments/callback.yaml", people()
    frame[["customer_id", "household"]].to_csv(crowded.root / "data/units.csv", index=False)
    crowded.write("forget.txt", "\n".join(frame["customer_id"][::7]))
    later = {**PLAN, "data": {**PLAN["data"], "source": "data/later.csv"}}
    crowded.plan(name="later", id="later", **later)
    verbs = {
        "register": ("register", "experiments/later.yaml"),
        "assign": ("assign", plan, "--units", "data/units.csv", "--out", "data/arms.csv", "--salt", TOKEN),
        "check": ("assign", plan, "--check", "data/arms.csv", "--salt", TOKEN),
        "plan": ("plan", plan, "--history", "data/callback.csv", "--out", "out/power.svg"),
        "aa": ("aa", plan, "--replicates", "40", "--out", "out/aa"),
        "sql": ("explain", plan, "--sql"),
        "explain": ("explain", plan),
        "run": ("run", plan),
        "again": ("run", plan, "--json"),
        "compare": ("compare", "callback", "--html", "out/compared.html"),
        "erase": ("erase", "--ids", "forget.txt", "--reason", "requests of November"),
        "audit": ("audit", "verify"),
        "sync": ("sync", "--verbose"),
        "list": ("list",),
        "validate": ("validate", plan),
    }
    said = {name: crowded.cx(*words, *MANNERS[at % len(MANNERS)]) for at, (name, words) in enumerate(verbs.items())}
    codes = {name: done.code for name, done in said.items()}
    assert {name: code for name, code in codes.items() if code} == {}, {n: said[n].err for n, c in codes.items() if c}
    places = heard(said) | files_below(crowded.root, *RECORD)
    assert any(name.endswith("mlflow.db") for name in places)
    assert any("artifacts" in name for name in places)
    assert hits(places, [*of_each_shape(PER_SHAPE), *PERSONAL]) == []
    assert not [name for name, content in places.items() if TOKEN.encode() in content]  # the ledger keeps its hash


@pytest.mark.parametrize("shape", [pytest.param(one, marks=[] if one in QUICK else pytest.mark.slow) for one in SHAPES])
def test_ids_of_one_shape_in_what_goes_wrong(shape: str, project: Project) -> None:
    names = ids(shape, 60)
    said: dict[str, Finished] = {}
    for name, (frame, plan) in _ills(names).items():
        project.plan(**{**PLAN, **plan})
        project.data(frame)
        said[name] = project.cx("run", "experiments/callback.yaml", *MANNERS[len(said) % len(MANNERS)])
    for name, text in _broken(names).items():
        project.plan(**PLAN)
        project.write("data/callback.csv", text)
        said[name] = project.cx("run", "experiments/callback.yaml", "--verbose")
    fine = {name for name, done in said.items() if done.code not in {3, 4, 5}}
    assert fine == ({"an id for a number"} if shape in {"zeros", "phone"} else set())  # these two are numbers
    places = heard(said) | files_below(project.root, *RECORD)
    assert hits(places, [*names[:40], *PERSONAL]) == []


def _ills(names: list[str]) -> dict[str, tuple[pd.DataFrame, dict[str, Any]]]:
    """Return frames with one fault each, and what the plan says beyond the usual."""
    usual = people(12).assign(customer_id=names)
    text = usual.astype(object)

    def spoilt(column: str, value: Any, *, at: slice = slice(3, 4)) -> pd.DataFrame:
        frame = text.copy()
        frame.loc[frame.index[at], column] = value
        return frame

    return {
        "twice": (pd.concat([usual, usual.head(3)]), {}),
        "in two arms": (pd.concat([usual, usual.head(3).assign(arm=usual.arm[1])]), {}),
        "an id for an arm": (spoilt("arm", names[7]), {}),
        "ids for arms": (text.assign(arm=names), {}),
        "one id for many arms": (spoilt("arm", names[7], at=slice(3, 40)), {}),
        "an id for a number": (spoilt("spend", names[9]), {}),
        "ids for numbers": (text.assign(churned=names), {}),
        "an id as a covariate": (usual, {"covariates": ["customer_id"]}),
        "texts as a covariate": (usual, {"covariates": ["remark"]}),
        "texts as a segment": (usual.assign(tier=usual.remark), {}),
        "a missing id": (spoilt("customer_id", None), {}),
        "infinite": (spoilt("spend", "inf"), {}),
        "texts for times": (usual, {"data": {**PLAN["data"], "time_zero": "remark", "observed_until": "remark"}}),
    }


def _broken(names: list[str]) -> dict[str, str]:
    """Return files that are no CSV."""
    rows = "".join(f"{name},none,0,1.5,2,gold,{name},x\n" for name in names)
    head = "customer_id,arm,churned,spend,tenure,tier,household,remark\n"
    return {
        "no header": rows,
        "one field too many": head + rows.replace("1.5", "1,5"),
        "one field too few": head + rows.replace(",x\n", "\n", 1),
        "an open quote": head + rows.replace(names[2], f'"{names[2]}', 1),
        "a text behind a quote": head + rows.replace(names[2], f'"{names[2]}"{names[3]}', 1),
        "other signs between": head + rows.replace(",", "|"),
        "a heading twice": head.replace("tenure", "spend") + rows,
    }


def test_secrets_of_addresses(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CX_CANARY_PASSWORD", PASSWORD)
    monkeypatch.setenv("CX_CANARY_URL", f"postgresql://kanari:{PASSWORD}@127.0.0.1:1/shop?token={TOKEN}")
    project.data(people(40))
    usual = (project.root / "configs/project.yaml").read_text(encoding="utf-8")
    lines = [line for line in usual.splitlines() if not line.startswith(("tracking_uri", "engine"))]
    tracking = "tracking_uri: http://kanari:{}@127.0.0.1:1/?token={}"
    engines = {
        "named": ("engine: postgresql://kanari:${env:CX_CANARY_PASSWORD}@127.0.0.1:1/shop", 6),
        "written out": (f"engine: postgresql://kanari:{PASSWORD}@127.0.0.1:1/shop", 3),
        "a server": (tracking.format("${env:CX_CANARY_PASSWORD}", TOKEN), 0),
        "a server, written out": (tracking.format(PASSWORD, TOKEN), 0),
    }
    project.write("configs/data_sources.yaml", "schema_version: 1\nsources: {people: {table: public.people}}\n")
    said: dict[str, Finished] = {}
    for name, (line, code) in engines.items():
        project.write("configs/project.yaml", "\n".join([*lines, line, ""]))
        project.plan(**PLAN if name.startswith("a server") else {**PLAN, "data": {"source": "people", "unit": "id"}})
        said[name] = project.cx("run", "experiments/callback.yaml", "--verbose")
        assert said[name].code == code, said[name].err
        others = (("sync",), ("list",), ("audit", "verify"), ("explain", "experiments/callback.yaml"))
        for at, words in enumerate(others):
            said[f"{name} {words[0]}"] = project.cx(*words, *MANNERS[at % len(MANNERS)])
    assert "E610" in said["a server"].err
    project.write("configs/project.yaml", usual)
    for name, data in {
        "source named": {"source": "${env:CX_CANARY_URL}", "table": "t", "unit": "id"},
        "source written out": {
            "source": f"postgresql://kanari:{PASSWORD}@127.0.0.1:1/shop",
            "table": "t",
            "unit": "id",
        },
    }.items():
        project.plan(name="other", **{**PLAN, "data": data})
        for verb in ("run", "register", "validate", "explain"):
            said[f"{name} {verb}"] = project.cx(verb, "experiments/other.yaml", "--verbose")
    on = f"postgresql://kanari:{PASSWORD}@127.0.0.1:1/shop?token={TOKEN}#t"
    project.plan(**PLAN)
    said["operator's"] = project.cx("run", "experiments/callback.yaml", "--on", on, "--log-format", "json", "--verbose")
    assert said["operator's"].code == 6, said["operator's"].err
    assert hits(heard(said) | files_below(project.root, *RECORD), [PASSWORD, TOKEN]) == []


@pytest.mark.parametrize("name", ["anna.kanari@nobody.example.csv", "+49 171 5550001.csv"])
def test_a_file_named_after_somebody(name: str, project: Project) -> None:
    project.data(people(40), f"data/{name}")
    said: dict[str, Finished] = {}
    sources = {"plain": f"data/{name}", "glob": "data/*.csv", "absent": "data/anna.csv", "outside": f"../{name}"}
    for how, source in sources.items():
        project.plan(**{**PLAN, "data": {**PLAN["data"], "source": source}})
        for verb in ("run", "register", "validate"):
            said[f"{how} {verb}"] = project.cx(verb, "experiments/callback.yaml", "--verbose")
        said[f"{how} on"] = project.cx("run", "experiments/callback.yaml", "--on", source)
    assert {said[f"{how} run"].code for how in sources} == {3, 4}
    assert "F840" in said["plain validate"].err
    assert "F840" in said["glob run"].err
    assert "F840" in said["plain on"].err
    assert hits(heard(said) | files_below(project.root, *RECORD), [name, name.removesuffix(".csv")]) == []


@pytest.mark.parametrize("manner", [(), ("--log-format", "json", "--verbose", "--json")])
def test_a_run_that_is_stopped(manner: tuple[str, ...], crowded: Project) -> None:
    words = [sys.executable, "-m", "cxcausal", "run", "experiments/callback.yaml", *manner]
    here, pipe = {**os.environ, "PYTHONPATH": str(ROOT)}, subprocess.PIPE
    with subprocess.Popen(words, cwd=crowded.root, env=here, stdout=pipe, stderr=pipe) as process:
        until = time.monotonic() + 60
        while not list(crowded.root.glob(".cxcausal/runs/callback/*/status.json")):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert (
        hits({"out": out, "err": err} | files_below(crowded.root, *RECORD), [*of_each_shape(PER_SHAPE), *PERSONAL])
        == []
    )
