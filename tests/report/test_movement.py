"""The page of a rerun: one sentence on page one, steps as a picture and a table, every numeral from its key."""

import math
import re
from dataclasses import replace

import pytest

from cxcausal.core.movement import Drift, EffectMovement, Movement, Step
from cxcausal.core.results import RunResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.pipeline.movement_sentences import with_sentences
from cxcausal.report import render_report
from cxcausal.report.text import FIXED_PHRASES
from tests.report import worlds
from tests.report.reader import Page, read
from tests.report.test_numbers import agrees, quoted, recomputed


def _rerun(*, flipped: bool = False) -> RunResult:
    result = worlds.outreach()
    row = next(one for one in result.effects if one.headline and one.metric == "churn_90d" and one.scale == "absolute")
    now = float(row.point or 0.0)
    changes = {
        "unexplained": 0.0,
        "erased": 0.0004,
        "restated": -0.0001,
        "late": 0.0012,
        "matured": -0.0021,
        "new": 0.0,
    }
    steps, at = [], now - sum(changes.values())
    before, whole = at, sum(changes.values())
    for cause, change in changes.items():
        units = None if cause == "erased" else 1234
        step = Step(cause=cause, units=units, before=at, after=at + change, change=change, share=change / whole)  # type: ignore[arg-type]
        steps.append(step)
        at += change
    moved = EffectMovement(
        metric=row.metric,
        arm=row.arm,
        control=row.control,
        unit=row.unit,
        before=before,
        now=now,
        change=whole,
        steps=tuple(steps),
        drift=Drift(known=-0.02, new=-0.01, difference=0.01, se=0.002, z=5.0, p=6e-7, trend="fading"),
    )
    movement = Movement(
        parent="01J00000000000000000000000",
        parent_created_at="2026-11-01T08:00:00+00:00",
        verdict_before="hold",
        arm_before=None,
        flipped=flipped,
        effects=(moved,),
    )
    return replace(result, movement=with_sentences(_spec(result), result, movement))


def _spec(result: RunResult) -> ExperimentSpec:
    return ExperimentSpec.model_validate(dict(result.plan))


def _page(result: RunResult) -> Page:
    return read(render_report(result, ledger_head=worlds.HASH))


def test_page_one_says_in_one_sentence_what_moved() -> None:
    result = _rerun()
    assert result.movement is not None
    page = " ".join(" ".join(_page(result).page_one).split())
    assert " ".join(result.movement.sentence.split()) in page
    assert "window ended since" in result.movement.sentence
    assert "The decision is another one" not in page


def test_page_one_counts_what_moved_in_customers_as_it_does_everywhere() -> None:
    movement = _rerun().movement
    assert movement is not None
    assert "(per 1,000 customers): " in movement.sentence
    assert "\N{MINUS SIGN}2.1 by units whose window ended since" in movement.sentence
    assert movement.notes[0].startswith("The effect is fading: \N{MINUS SIGN}10 among newly analysed units")
    assert "share of customers" not in " ".join((movement.sentence, *movement.notes))


def test_a_flip_stands_on_page_one() -> None:
    page = " ".join(_page(_rerun(flipped=True)).page_one)
    assert "The decision is another one: HOLD before, SHIP" in page


def test_every_number_and_quote_comes_from_its_key() -> None:
    result = _rerun()
    page, tree = _page(result), {**result.to_dict(), "ledger_head": worlds.HASH}
    own = [mark for mark in page.numbers if "movement" in mark.attributes["data-key"]]
    assert len(own) > 15
    for mark in own:
        value = recomputed(tree, mark.attributes["data-key"])
        exact = float(mark.attributes.get("value") or mark.attributes.get("data-value") or value)
        assert math.isclose(value, exact, rel_tol=1e-12, abs_tol=1e-15)
        assert agrees(mark, value), mark
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r".*\d.*", rest) == []


def test_a_run_that_is_no_rerun_has_no_such_section() -> None:
    assert "What moved" not in render_report(worlds.outreach(), ledger_head=None)


@pytest.mark.parametrize("flipped", [False, True])
def test_the_notes_tell_of_a_fading_effect(flipped: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    movement = _rerun(flipped=flipped).movement
    assert movement is not None
    assert any(note.startswith("The effect is fading:") for note in movement.notes)
