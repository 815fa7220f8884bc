"""Hostile words in plans and results stay words: escaped, isolated, clipped on page one."""

from dataclasses import replace
from typing import Any

import pytest

from cxcausal.core.results import ArmVerdict, RunResult
from cxcausal.report import render_report, summary_text
from tests.report import worlds
from tests.report.reader import read
from tests.report.test_numbers import agrees, quoted, recomputed
from tests.report.worlds_plan import ARMS
from tests.report.worlds_plan import plan as plan_of_outreach

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "closing": "</title></style></svg><h1>owned",
    "template": "{{ 7 * 7 }}{% raw %}",
    "right_to_left": "\u202eevil\u202c مكالمة",
    "emoji": "📞🧑‍💼 call",
    "control": "null\x00byte\x1b[31m",
    "long": "W" * 500,
    "long_words": "very " * 100,
    "path": "a.b(c),d%20e~1",
}


def hostile(text: str) -> RunResult:
    """Return the outreach trial with the same hostile text in every place that a plan or a column can fill."""
    plan: dict[str, Any] = plan_of_outreach()
    plan |= {"question": text, "title": text, "owner": text, "approvers": [text], "hypothesis": text}
    plan["decision"] = {**plan["decision"], "actions": {"ship": text}}
    for group in plan["metrics"].values():
        for metric in group:
            metric["label"] = text
    treatment = plan["design"]["treatment"]
    arms = {
        f"{text}{arm}" if arm != "none" else arm: {**item, "label": text} for arm, item in treatment["arms"].items()
    }
    plan["design"] = {"type": "randomized", "treatment": {**treatment, "arms": arms}}
    result = worlds.outreach(plan=plan)
    assert result.value is not None
    parts = tuple(replace(part, label=text) for part in result.value.arms[1].parts)
    money = tuple(replace(arm, arm=f"{text}{arm.arm}", parts=parts) for arm in result.value.arms)
    effects = tuple(
        replace(
            row,
            arm=f"{text}{row.arm}",
            population=row.population if row.population == "all" else f"{text}={row.population}",
        )
        for row in result.effects
    )
    return replace(
        result,
        effects=effects,
        arms={f"{text}{arm}": ArmVerdict(verdict="stop", reason=text, rule=2) for arm in ARMS},
        recommended_arm=f"{text}gig",
        capped_by=text,
        registered=False,
        registration=text,
        value=replace(result.value, arms=money, approved_by=text, currency=f"E{text[:3]}"),
        checks=tuple(replace(check, text=text) for check in result.checks),
        notes=(text,),
        experiment=text,
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_add_no_element_and_no_attribute(name: str) -> None:
    tame = read(render_report(hostile("tame"), ledger_head=None))
    page = read(render_report(hostile(HOSTILE[name]), ledger_head=None))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in tame.tags]
    names = {name for _, attributes in page.tags for name in attributes}
    assert names <= {name for _, attributes in tame.tags for name in attributes} | {"textlength", "lengthadjust"}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_arrive_unchanged_but_for_control_characters(name: str) -> None:
    result = hostile(HOSTILE[name])
    page, tree = read(render_report(result, ledger_head=None)), {**result.to_dict(), "ledger_head": None}
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []
    assert all(agrees(mark, recomputed(tree, mark.attributes["data-key"])) for mark in page.numbers)


@pytest.mark.parametrize("name", ["long", "long_words"])
def test_long_words_are_clipped_in_the_answer_and_whole_in_the_appendix(name: str) -> None:
    html = render_report(hostile(HOSTILE[name]), ledger_head=None)
    page = read(html)
    labels = [m for m in page.marks if m.attributes.get("data-plan", "").endswith("success.0.label")]
    assert min(len(mark.text) for mark in labels) <= 72
    assert max(len(mark.text) for mark in labels) == len(HOSTILE[name])


def test_words_for_the_terminal_steer_nothing_and_stay_on_their_line() -> None:
    said = summary_text(hostile("a\x1b[31mred\r\nline\u202eturned 🧑\u200d💼"))
    assert len(said.splitlines()) == 3
    assert said.splitlines()[0] == "a[31mred lineturned 🧑\u200d💼"
    assert not {"\x1b", "\r", "\u202e"} & set(said)
