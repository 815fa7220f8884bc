"""The tutorial runs from top to bottom, is stored without outputs, and what it says of its numbers is so."""

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs/tutorial.ipynb"
CELLS: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def ran() -> dict[str, Any]:
    """Return what the code cells left behind, run in their order in one namespace."""
    names: dict[str, Any] = {}
    for cell in CODE:
        exec(compile("".join(cell["source"]), f"<tutorial: {cell['id']}>", "exec"), names)  # noqa: S102 - our own lesson
    return names


def test_it_is_stored_without_outputs_and_every_cell_has_a_name() -> None:
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CODE)
    names = [cell["id"] for cell in CELLS]
    assert len(set(names)) == len(names)
    assert CELLS[0]["cell_type"] == "markdown"


def _it_finds_who_gains_and_whom_contact_harms(ran: dict[str, Any]) -> None:
    told = ran["model"].to_frame().set_index("arm")
    assert told["found"].all()
    assert ran["policy"].result.targeting
    named = " ".join(group.name for group in ran["harmed"])
    assert "self_service_share" in named or "tenure_months" in named


def _the_recommended_rule_comes_near_the_oracle_and_beats_the_best_single_arm(ran: dict[str, Any]) -> None:
    truth = ran["truth"]
    assert truth["best single arm"] < truth["recommended"] <= truth["oracle"]
    over_best = (truth["recommended"] - truth["best single arm"]) / (truth["oracle"] - truth["best single arm"])
    assert over_best > 0.4


def _nothing_is_claimed_where_there_is_nothing(ran: dict[str, Any]) -> None:
    assert not ran["null"].to_frame()["found"].any()


def test_what_the_lesson_says_is_so(ran: dict[str, Any]) -> None:
    """One test: each process would run the cells anew."""
    _it_finds_who_gains_and_whom_contact_harms(ran)
    _the_recommended_rule_comes_near_the_oracle_and_beats_the_best_single_arm(ran)
    _nothing_is_claimed_where_there_is_nothing(ran)
