"""From ledger lines to states, amendments and signatures; every rule is broken once."""

from collections.abc import Mapping
from typing import Any

import pytest

from cxcausal.core.canonical import sha256_of
from cxcausal.core.record import Change
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.ledger_words import told
from cxcausal.tracking.lifecycle import amendments_of, record_of, state_of
from cxcausal.tracking.plan_changes import plan_changes
from cxcausal.tracking.registration import standing
from cxcausal.tracking.signing import audited_signatures

ANN, BEA, CEM, OWNER = "ann@example.com", "bea@example.com", "cem@example.com", "team@example.com"
PLAN: Mapping[str, Any] = {"id": "outreach", "owner": OWNER, "approvers": [ANN, BEA, OWNER], "alpha": 0.05}
RUN = {"run_id": "R1", "manifest": "m1", "plan_hash": sha256_of(PLAN), "verdict": "ship"}
APPROVAL = {"run_id": "R1", "manifest": "m1"}
DECISION = {"run_id": "R1", "decision": "ship", "verdict": "ship", "reason": None}


def line(kind: str, payload: Mapping[str, Any] | None = None, *, actor: str = ANN, of: str = "outreach") -> LedgerLine:
    content: dict[str, Any] = {"kind": kind, "actor": actor, "experiment": of, "payload": payload or {}}
    return LedgerLine(
        seq=1, at="2026-11-02T09:00:00+00:00", actor_source="argument", previous="", hash=sha256_of(content), **content
    )


def planned(kind: str = "register", plan: Mapping[str, Any] = PLAN, **more: Any) -> LedgerLine:
    return line(kind, {"plan": plan, "plan_hash": sha256_of(plan), **more})


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ("", "draft"),
        ("register", "registered"),
        ("register amend", "registered"),
        ("register assign", "running"),
        ("register analyse", "running"),
        ("analyse", "running"),
        ("register stop", "stopped"),
        ("register stop analyse", "stopped"),
        ("register analyse stop decide", "decided"),
        ("register analyse decide rerun", "decided"),
        ("register approve render merge", "registered"),
    ],
)
def test_states_only_go_forward(kinds: str, state: str) -> None:
    lines = [line(kind) for kind in kinds.split()]
    assert state_of(lines, "outreach") == state
    assert state_of(lines, "another") == "draft"
    assert state_of([line(kind, of="another") for kind in kinds.split()], "outreach") == "draft"


@pytest.mark.parametrize(
    ("before", "payload", "why"),
    [
        ((), {"results_seen": False}, None),
        ((), {"results_seen": True}, "after results had been seen"),
        ((), {"results_seen": False, "outcomes": ["churn"]}, "when outcomes existed already"),
        (("analyse",), {"results_seen": False}, "after the results had first been analysed"),
        (("rerun",), {}, "after the results had first been analysed"),
        (("assign",), {}, None),
    ],
)
def test_whether_results_were_seen_is_a_fact_of_the_ledger(
    before: tuple[str, ...], payload: dict[str, Any], why: str | None
) -> None:
    new = {**PLAN, "alpha": 0.1}
    lines = [planned(), *(line(kind, RUN) for kind in before), planned("amend", new, reason="two tests", **payload)]
    (found,) = amendments_of(lines, "outreach")
    assert (found.seen, found.why_seen, found.reason, found.by) == (why is not None, why, "two tests", ANN)
    assert found.changes == (Change(key="alpha", before="0.05", after="0.1"),)
    now = standing(lines, "outreach", sha256_of(new), new)
    assert (now.registered, why is None or why in now.sentence) == (why is None, True)
    back = standing([*lines, planned("amend", PLAN, results_seen=True)], "outreach", sha256_of(PLAN), PLAN)
    assert back.registered, "the plan is again the one that came first"


def test_the_record_of_a_run_is_its_own() -> None:
    lines = [
        planned(),
        line("analyse", RUN),
        line("approve", APPROVAL, actor=BEA),
        line("approve", {**APPROVAL, "run_id": "R2"}, actor=CEM),
        line("decide", {**DECISION, "decision": "hold", "reason": "no room"}, actor=CEM),
    ]
    found = record_of(lines, "outreach", "R1", data_cut="2026-11-01")
    assert [(one.by, one.on[:10]) for one in found.approvals] == [(BEA, "2026-11-02")]
    assert found.ruling is not None
    assert (found.ruling.decision, found.ruling.against, found.ruling.reason) == ("hold", True, "no room")
    assert (found.registered_on, found.after_cut) == ("2026-11-02", True)
    assert record_of(lines, "outreach", data_cut="2026-11-02").after_cut is False
    assert record_of(lines, "outreach").ruling is None


def test_changes_are_told_by_dotted_key_without_secrets() -> None:
    before = {"a": {"b": 1, "c": []}, "metrics": [{"name": "churn", "mde": 1}, {"name": "nps"}], "list": ["x"]}
    after = {"a": {"b": 1}, "metrics": [{"name": "churn", "mde": 2}], "list": ["y"], "url": "postgresql://u:pw@h/d"}
    assert {one.key: (one.before, one.after) for one in plan_changes(before, after)} == {
        "a.c": ("[]", None),
        "list.[0]": ("x", "y"),
        "metrics.[churn].mde": ("1", "2"),
        "metrics.[nps].name": ("nps", None),
        "url": (None, "postgresql://***@h/d"),
    }


@pytest.mark.parametrize(
    ("kind", "payload", "actor", "says"),
    [
        ("approve", APPROVAL, BEA, None),
        ("approve", APPROVAL, CEM, "not among those who may approve"),
        ("approve", APPROVAL, " Ann@Example.com", "ran the analysis"),
        ("approve", APPROVAL, OWNER, "owns the experiment"),
        ("approve", {**APPROVAL, "manifest": "m2"}, BEA, "other files"),
        ("approve", {**APPROVAL, "run_id": "R9"}, BEA, "no line above it recorded that run"),
        ("decide", DECISION, CEM, None),
        ("decide", DECISION, ANN, "can't decide upon it"),
        ("decide", {**DECISION, "decision": "stop"}, CEM, "without a reason"),
        ("decide", {**DECISION, "decision": "stop", "reason": "it harms"}, CEM, None),
        ("decide", {**DECISION, "decision": "stop", "verdict": "stop"}, CEM, "another verdict"),
    ],
)
def test_a_signature_that_would_have_been_refused_is_found(
    kind: str, payload: dict[str, Any], actor: str, says: str | None
) -> None:
    lines = [planned(), line("analyse", RUN), line(kind, payload, actor=actor)]
    found = [problem for _, problem in audited_signatures(lines, {}, "audit/ledger.jsonl")]
    assert (bool(found), all(one.where == "audit/ledger.jsonl:3" for one in found)) == (says is not None, True)
    assert says is None or any(says in one.what for one in found)


def test_who_registered_may_not_approve_what_another_ran() -> None:
    registered = line("register", {"plan": PLAN, "plan_hash": sha256_of(PLAN)}, actor=BEA)
    lines = [registered, line("analyse", RUN), line("approve", APPROVAL, actor=BEA)]
    ((run_id, problem),) = audited_signatures(lines, {"R1": PLAN}, "ledger")
    assert (run_id, problem.code) == ("R1", "I717")
    assert "registered or amended the plan" in problem.what


def test_every_line_has_words() -> None:
    lines = [
        planned(),
        planned("amend", {**PLAN, "alpha": 0.1}, reason="two tests", results_seen=False, changes=[{"key": "alpha"}]),
        line("assign", {"units": 10, "by_arm": {"none": 5}}),
        line("analyse", {**RUN, "grade": "A"}),
        line("rerun", {**RUN, "grade": "A"}),
        line("stop", {"reason": None}),
        line("approve", APPROVAL),
        line("decide", {**DECISION, "decision": "hold", "reason": "no room"}),
        line("render", {"run_id": "R1", "sha256": "x"}),
        line("erase", {"rows": 3}),
        line("override", {"rule": "srm"}),
        line("merge", {"heads": ["a", "b"]}, of=""),
    ]
    assert [one.words for one in told(lines)] == [
        f"registered the plan {sha256_of(PLAN)[:12]}",
        "amended the plan, changing alpha, results not seen: two tests",
        "assigned customers to arms (units 10)",
        "analysed the data: ship, evidence grade A, run R1",
        "analysed the data anew: ship, evidence grade A, run R1",
        "stopped the experiment",
        "approved run R1",
        "decided hold upon run R1, against the rule's ship: no room",
        "printed the page of run R1 again",
        "erased customers (rows 3)",
        "rule srm",
        "joined 2 branches",
    ]
    assert len(told(lines, "outreach")) == len(lines) - 1
