"""Recording: the order of things, manifests that hold, audits that find, and no customer anywhere."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cxcausal.core.canonical import sha256_of
from cxcausal.core.errors import CxCausalError, IntegrityError
from cxcausal.core.results import RunResult
from cxcausal.tracking import ledger
from cxcausal.tracking.anchors import Anchor
from cxcausal.tracking.audit import audit
from cxcausal.tracking.code_state import code_state
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.listing import list_runs
from cxcausal.tracking.manifest import verify_manifest
from cxcausal.tracking.projection import effect_metrics
from cxcausal.tracking.tracker import Recorded, Tracker, publish_report

MakeResult = Callable[..., RunResult]
NOWHERE = "http://127.0.0.1:9"
PAGE = b"<!doctype html><title>outreach</title>"


def record(root: Path, result_of: MakeResult, page: bytes = PAGE) -> Recorded:
    tracker = Tracker(root, NOWHERE, actor="ann@example.com")
    with tracker.open("outreach") as store:
        store.save("flow", {"rows": 100})
        return tracker.record(store, result_of(store.run_id), page)


def test_manifest_and_ledger_vouch_for_the_files(tmp_path: Path, make_result: MakeResult) -> None:
    (tmp_path / "requirements.lock").write_bytes(b"numpy==2.4.6\n")
    recorded = record(tmp_path, make_result)
    manifest = json.loads(recorded.manifest.read_bytes())
    (line,) = ledger.read(tmp_path)
    assert recorded.manifest_hash == hashlib.sha256(recorded.manifest.read_bytes()).hexdigest()
    assert (line.kind, line.payload["manifest"], line.payload["verdict"]) == ("analyse", recorded.manifest_hash, "ship")
    assert (line.hash, line.payload["run_id"]) == (recorded.ledger_head, recorded.run_id)
    listed = {item["path"]: item for item in manifest["artifacts"]}
    assert sorted(listed) == [
        "plan/resolved.json",
        "report/index.html",
        "results/effects.csv",
        "results/results.json",
        "stages/flow.json",
    ]
    assert listed["report/index.html"] == {
        "path": "report/index.html",
        "sha256": hashlib.sha256(PAGE).hexdigest(),
        "size": len(PAGE),
    }
    assert manifest["inputs"] == [["data/outreach.csv", "ab" * 32]]
    assert manifest["seeds"] == {"analysis.seed": 7}
    assert manifest["plan_hash"] == sha256_of(json.loads((recorded.directory / "plan/resolved.json").read_bytes()))
    assert manifest["lock_file"] == ["requirements.lock", hashlib.sha256(b"numpy==2.4.6\n").hexdigest()]
    assert {"numpy", "scipy", "pandas", "duckdb", "ibis-framework", "mlflow"} <= set(manifest["machine"]["packages"])
    assert manifest["previous_manifest"] is None


def test_each_manifest_names_the_one_before(tmp_path: Path, make_result: MakeResult) -> None:
    first, second = record(tmp_path, make_result), record(tmp_path, make_result)
    assert json.loads(second.manifest.read_bytes())["previous_manifest"] == first.manifest_hash
    assert Tracker(tmp_path).head() == second.ledger_head


def test_results_keep_the_shape_of_the_contract(tmp_path: Path, make_result: MakeResult) -> None:
    results = json.loads(record(tmp_path, make_result).results.read_bytes())
    assert results["effects"][0]["point"] == -0.02
    assert results["effects"][3]["high"] is None
    assert results["arms"]["agent"]["reason"] == "It works."


@pytest.mark.parametrize(
    "name", ["results/results.json", "report/index.html", "stages/flow.json", "plan/resolved.json"]
)
def test_a_changed_artifact_is_located(tmp_path: Path, make_result: MakeResult, name: str) -> None:
    recorded = record(tmp_path, make_result)
    path = recorded.directory / name
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(IntegrityError) as caught:
        verify_manifest(recorded.directory)
    assert [problem.where for problem in caught.value.problems] == [f"outreach/{recorded.run_id}/{name}"]


def test_removed_and_smuggled_files_are_both_told(tmp_path: Path, make_result: MakeResult) -> None:
    recorded = record(tmp_path, make_result)
    recorded.report.unlink()
    (recorded.directory / "results/better.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError) as caught:
        verify_manifest(recorded.directory)
    told = {problem.where.rpartition("/")[2]: problem.what for problem in caught.value.problems}
    assert told == {"index.html": "is missing", "better.json": "was added later"}


def test_a_result_of_another_run_is_refused(tmp_path: Path, make_result: MakeResult) -> None:
    tracker = Tracker(tmp_path, NOWHERE)
    with pytest.raises(CxCausalError, match="B101"), tracker.open("outreach") as store:
        tracker.record(store, make_result("0" * 26), PAGE)
    assert store.status().status == "FAILED"
    assert ledger.read(tmp_path) == ()


def test_a_broken_ledger_leaves_no_finished_run(tmp_path: Path, make_result: MakeResult) -> None:
    record(tmp_path, make_result)
    path = ledger.ledger_path(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"ship"', b'"stop"'))
    with pytest.raises(IntegrityError, match=r"ledger\.jsonl:1"):
        record(tmp_path, make_result)
    assert [run.status for run in list_runs(tmp_path)] == ["FAILED", "FINISHED"]


def test_audit_of_an_untouched_project_finds_nothing(tmp_path: Path, make_result: MakeResult) -> None:
    for _ in range(3):
        kept = record(tmp_path, make_result).ledger_head
    found = audit(tmp_path, anchor=Anchor(head=kept))
    assert (found.lines, found.runs, found.absent, found.problems) == (3, 3, (), ())


def test_audit_finds_deleted_smuggled_and_rewritten_runs(tmp_path: Path, make_result: MakeResult) -> None:
    deleted, rewritten, smuggled = (record(tmp_path, make_result) for _ in range(3))
    deleted.directory.rename(tmp_path / "gone")
    manifest = json.loads(rewritten.manifest.read_bytes())
    rewritten.manifest.write_text(json.dumps({**manifest, "plan_hash": "d" * 64}), encoding="utf-8")
    path = ledger.ledger_path(tmp_path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    found = audit(tmp_path)
    assert found.absent == (deleted.run_id,)
    assert {problem.where: problem.code for problem in found.problems} == {
        f"outreach/{deleted.run_id}": "I706",
        f"outreach/{rewritten.run_id}": "I704",
        f"outreach/{smuggled.run_id}": "I703",
    }


def test_listing_shows_the_newest_first(tmp_path: Path, make_result: MakeResult) -> None:
    first = record(tmp_path, make_result)
    second = record(tmp_path, lambda run_id: make_result(run_id, verdict="hold", grade="B"))
    with Tracker(tmp_path).open("winback"):
        pass
    runs = list_runs(tmp_path)
    assert [(run.experiment, run.status, run.verdict, run.grade) for run in runs] == [
        ("winback", "FAILED", None, None),
        ("outreach", "FINISHED", "hold", "B"),
        ("outreach", "FINISHED", "ship", "A"),
    ]
    assert [run.run_id for run in list_runs(tmp_path, "outreach")] == [second.run_id, first.run_id]
    assert runs[1].report == second.report
    assert (runs[1].created_at, runs[1].mlflow) == ("2026-10-02T09:00:00+00:00", "pending")
    second.results.write_bytes(b"{")
    assert list_runs(tmp_path)[1].status == "UNREADABLE"


def test_published_report_is_a_copy(tmp_path: Path) -> None:
    path = publish_report(tmp_path, "outreach", "0" * 26, PAGE)
    assert path == tmp_path / "reports/outreach" / ("0" * 26) / "index.html"
    assert path.read_bytes() == PAGE


def test_no_customer_and_no_secret_reaches_a_tracked_file(project: Path, make_result: MakeResult) -> None:
    """Rows lie in the project's data; the tracker is given their place and a secret in an address; MLflow is on."""
    canaries = [b"CANARY-00123", b"canary@customer.example", b"s3cr3t-canary"]
    (project / "data").mkdir()
    (project / "data/outreach.csv").write_bytes(b"customer_id,email\n" + b",".join(canaries[:2]))
    source = "postgresql://ann:s3cr3t-canary@db.example.com/x"

    def with_secret(run_id: str) -> RunResult:
        made = make_result(run_id)
        data = replace(made.data, inputs=((source, "ab" * 32),))
        return replace(made, data=data, plan={**made.plan, "data": {"source": source}})

    with pytest.raises(ValueError, match="CANARY"), Tracker(project).open("outreach") as store:
        raise ValueError("customer CANARY-00123 appears twice")
    tracker = Tracker(project, actor="ann@example.com")
    with tracker.open("outreach") as store:
        recorded = tracker.record(store, with_secret(store.run_id), PAGE)
    assert recorded.mlflow_run_id is not None
    written = [path for folder in (".cxcausal", "audit") for path in (project / folder).rglob("*") if path.is_file()]
    assert {"mlflow.db", "ledger.jsonl", "status.json", "results.json"} <= {path.name for path in written}
    hits = [(path.name, canary) for path in written for canary in canaries if canary in path.read_bytes()]
    assert hits == []


def test_metric_names_in_mlflows_alphabet(make_estimate: Callable[..., object]) -> None:
    rows = [
        vars(make_estimate(metric="spend (€)", arm="a=b")),
        vars(make_estimate(metric="spend [€]", arm="a=b")),
        vars(make_estimate(arm="gig", control="agent", point=0.5, low=None, high=float("inf"))),
    ]
    found = effect_metrics(rows, "none")
    assert len(found) == 7
    assert found["effect/churn/gig vs agent/point"] == 0.5
    assert not set("".join(found)) & set("=()%+,'[]€")


def test_git_commit_and_dirt_are_told_but_for_our_own_output(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)  # noqa: S607

    git("init", "-q")
    assert (code_state(tmp_path).git_commit, code_state(tmp_path).git_dirty) == (None, False)
    (tmp_path / "plan.yaml").write_text("id: outreach\n", encoding="utf-8")
    git("add", "plan.yaml")
    git("commit", "-q", "-m", "plan")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit/ledger.jsonl").write_bytes(b"{}\n")
    (tmp_path / ".cxcausal").mkdir()
    (tmp_path / ".cxcausal/x").write_bytes(b"x")
    clean = code_state(tmp_path)
    assert len(clean.git_commit or "") == 40
    assert clean.git_dirty is False
    (tmp_path / "plan.yaml").write_text("id: changed\n", encoding="utf-8")
    assert code_state(tmp_path).git_dirty is True
    assert len(clean.package_sha256) == 64


def test_runs_lie_under_the_root_only(tmp_path: Path, make_result: MakeResult) -> None:
    recorded = record(tmp_path, make_result)
    assert run_folders(tmp_path) == (recorded.directory,)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cxcausal", "audit", "reports"]
