"""Registered before the first analysis, or one of the three ways of not being so."""

from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.canonical import sha256_of
from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.ledger_chain import LedgerLine
from cxcausal.tracking.registration import Registration, register, registration_of

ANN = Actor(name="ann@example.com", source="argument")


def enter(root: Path, plan: dict[str, Any], experiment: str = "outreach") -> LedgerLine:
    return register(root, experiment, sha256_of(plan), plan, actor=ANN)


def analyse(root: Path, experiment: str = "outreach") -> None:
    payload = {"run_id": f"run {len(ledger.read(root))}"}
    ledger.append(root, ledger.Entry(kind="analyse", experiment=experiment, actor=ANN, payload=payload))


def status(root: Path, plan: dict[str, Any], experiment: str = "outreach") -> Registration:
    return registration_of(root, experiment, sha256_of(plan), plan)


def test_registered(tmp_path: Path, plan: dict[str, Any]) -> None:
    line = enter(tmp_path, plan)
    analyse(tmp_path)
    found = status(tmp_path, plan)
    assert (found.status, found.registered) == ("registered", True)
    assert (found.at, found.actor, found.ledger_hash) == (line.at, "ann@example.com", line.hash)
    assert found.sentence == f"Registered on {line.at[:10]} by ann@example.com, before the first analysis."


def test_not_registered(tmp_path: Path, plan: dict[str, Any]) -> None:
    enter(tmp_path, plan, "another")
    found = status(tmp_path, plan)
    assert (found.status, found.registered, found.at) == ("not_registered", False, None)
    assert found.sentence == "Not registered before the data were analysed."


def test_plan_changed_names_the_keys(tmp_path: Path, plan: dict[str, Any]) -> None:
    enter(tmp_path, plan)
    found = status(tmp_path, {**plan, "analysis": {"alpha": 0.1, "seed": 7}, "segments": ["tier"]})
    assert (found.status, found.registered) == ("plan_changed", False)
    assert found.changed == ("analysis", "segments")
    assert found.sentence.endswith("it differs in: analysis, segments.")


@pytest.mark.parametrize("registers", [True, False])
def test_a_plan_that_says_so_is_retrospective(tmp_path: Path, plan: dict[str, Any], *, registers: bool) -> None:
    late = {**plan, "retrospective": True}
    if registers:
        enter(tmp_path, late)
    assert status(tmp_path, late).status == "retrospective"


def test_registration_after_an_analysis_comes_too_late(tmp_path: Path, plan: dict[str, Any]) -> None:
    analyse(tmp_path, "another")
    enter(tmp_path, plan)
    assert status(tmp_path, plan).status == "registered"
    analyse(tmp_path)
    assert status(tmp_path, plan).status == "registered"
    changed = {**plan, "segments": ["tier"]}
    assert enter(tmp_path, changed).kind == "amend"
    found = status(tmp_path, changed)
    assert (found.status, found.registered) == ("retrospective", False)
    assert "after the results had first been analysed" in found.sentence


def test_the_amended_plan_counts_and_not_the_first(tmp_path: Path, plan: dict[str, Any]) -> None:
    enter(tmp_path, plan)
    changed = {**plan, "segments": ["tier"]}
    enter(tmp_path, changed)
    assert status(tmp_path, changed).status == "registered"
    assert (status(tmp_path, plan).status, status(tmp_path, plan).changed) == ("plan_changed", ("segments",))


def test_registering_the_same_plan_again_adds_no_line(tmp_path: Path, plan: dict[str, Any]) -> None:
    first = enter(tmp_path, plan)
    assert enter(tmp_path, dict(reversed(plan.items()))) == first
    assert len(ledger.read(tmp_path)) == 1
