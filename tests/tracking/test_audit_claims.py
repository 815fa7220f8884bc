"""What a run claims, though every hash fits: whoever records a lie is found by what can be derived again."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cxcausal.core.results import ArmVerdict, RunResult
from cxcausal.core.stored import record_from
from cxcausal.tracking.audit import Audit, audit
from cxcausal.tracking.audit_verdicts import decision_of
from cxcausal.tracking.mlflow_listing import listed
from cxcausal.tracking.mlflow_runs import runs_in_sqlite
from cxcausal.tracking.mlflow_sink import open_store
from cxcausal.tracking.store_mark import mark_of
from cxcausal.tracking.tracker import Recorded, Tracker
from tests.tampering.projects import ANN, drawn, filled

NOWHERE = "http://127.0.0.1:9"
Lie = Callable[[RunResult], RunResult]


def told(root: Path, lie: Lie, uri: str = NOWHERE) -> Recorded:
    tracker = Tracker(root, uri, actor=ANN.name)
    with tracker.open("callback") as store:
        result = drawn(root, store.run_id, "callback", random.Random(1))  # noqa: S311 - no secret
        return tracker.record(store, lie(result), b"<title>x</title>")


def found(root: Path) -> Audit:
    return audit(root, tracking_uri="sqlite:///.cxcausal/none.db")


def _shipped(result: RunResult) -> RunResult:
    arms = {name: replace(arm, verdict="ship") for name, arm in result.arms.items()}
    return replace(result, verdict="ship", arms=arms, capped_by=None)


def _other_arm(result: RunResult) -> RunResult:
    return replace(result, arms={**result.arms, "call": ArmVerdict(verdict="stop", reason="It harms.", rule=2)})


@pytest.mark.parametrize(
    ("lie", "codes"),
    [
        (lambda result: result, set()),
        (_shipped, {"I716"}),
        (_other_arm, {"I716"}),
        (lambda result: replace(result, grade="B"), {"I716"}),
        (lambda result: replace(result, versions={"cxcausal": "0.0.1"}, grade="B"), set()),
        (lambda result: replace(result, registered=True), {"I715", "I716"}),
        (lambda result: replace(result, plan_hash="e" * 64), {"I710"}),
        (lambda result: replace(result, plan={**result.plan, "question": "Why?"}), {"I710"}),
    ],
)
def test_a_lie_that_was_recorded_with_all_its_hashes_is_found(tmp_path: Path, lie: Lie, codes: set[str]) -> None:
    recorded = told(tmp_path, lie)
    audited = found(tmp_path)
    assert {one.code for one in audited.problems} == codes
    assert all(one.where.startswith(f"callback/{recorded.run_id} ") for one in audited.problems)


def test_a_plan_without_its_secrets_is_no_contradiction(tmp_path: Path) -> None:
    def with_secret(result: RunResult) -> RunResult:
        data = {**result.plan["data"], "source": "postgresql://ann:pw@db/x"}
        return replace(result, plan={**result.plan, "data": data}, plan_hash="e" * 64)

    told(tmp_path, with_secret)
    assert found(tmp_path).problems == ()


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    kept: list[RunResult] = []

    def keep(result: RunResult) -> RunResult:
        kept.append(result)
        return result

    recorded = told(tmp_path, keep)
    again = record_from(RunResult, json.loads(recorded.results.read_bytes()))
    assert again == kept[0]
    decision = decision_of(again.to_dict())
    assert decision is not None
    assert (decision.verdict, decision.arms) == (again.verdict, again.arms)


def test_a_run_of_another_machine_is_absent_and_one_of_this_store_was_deleted(tmp_path: Path) -> None:
    recorded = told(tmp_path, lambda result: result)
    recorded.directory.rename(tmp_path / "gone")
    audited = found(tmp_path)
    assert [(one.where, one.code) for one in audited.problems] == [(f"callback/{recorded.run_id}", "I706")]
    assert audited.absent == (recorded.run_id,)
    assert mark_of(tmp_path) is not None
    (tmp_path / ".cxcausal/store").unlink()
    audited = found(tmp_path)
    assert (audited.problems, audited.absent) == ((), (recorded.run_id,))


def test_a_server_that_does_not_answer_is_told_and_no_problem(tmp_path: Path) -> None:
    told(tmp_path, lambda result: result)
    audited = audit(tmp_path, tracking_uri=NOWHERE)
    assert (audited.problems, audited.in_mlflow) == ((), 0)
    assert audited.notes == (f"MLflow at {NOWHERE} was not compared with the record: it refuses the connection",)


@pytest.mark.parametrize(("content", "problem"), [(b"SQLite format 3\x00 and then nothing", True), (b"", False)])
def test_a_damaged_store_is_a_problem_and_a_strange_one_is_told(
    tmp_path: Path, content: bytes, *, problem: bool
) -> None:
    told(tmp_path, lambda result: result)
    (tmp_path / ".cxcausal/mlflow.db").write_bytes(content.ljust(4096, b"x") if problem else content)
    audited = audit(tmp_path)
    assert [one.code for one in audited.problems] == (["I748"] if problem else [])
    assert len(audited.notes) == (0 if problem else 1)


def test_both_roads_into_mlflow_tell_the_same(project: Path) -> None:
    filled(project, 3)
    path = project / ".cxcausal/mlflow.db"
    by_tables = sorted(runs_in_sqlite(path), key=lambda run: run.mlflow_id)
    by_client = sorted(listed(open_store(f"sqlite:///{path}")), key=lambda run: run.mlflow_id)
    assert len(by_tables) == 3
    assert by_tables == by_client
