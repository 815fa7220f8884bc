"""Graphs of the textbooks, with what is said about each of them, word for word."""

import pytest

from cxcausal.core.dot import read_dot
from cxcausal.identify.identified import BadControl, Identified, identify
from cxcausal.identify.sentences import plainly, precisely

EFFECT = "route -> churn;"


def found(dot: str, *confounders: str, never: tuple[str, ...] = ()) -> Identified:
    (one,) = identify(read_dot(f"digraph {{ {dot} }}"), "route", ["churn"], confounders, never)
    return one


def test_a_confounder_that_is_adjusted_for() -> None:
    one = found(EFFECT + "tier -> {route churn}", "tier")
    assert (one.valid, one.adjustment, one.open_path, one.bad_controls) == (True, ("tier",), None, ())
    assert plainly(one) == (
        "Among customers alike in 'tier', nothing else that the plan knows of moves both 'route' and 'churn'."
    )
    assert precisely(one) == "By the graph, {tier} closes every path into 'route'."


def test_the_graph_chooses_where_the_plan_names_nothing() -> None:
    one = found(EFFECT + "tier -> {route churn}; mood -> route; mood -> talk -> churn")
    assert (one.valid, one.adjustment) == (True, ("mood", "tier"))
    assert one.alternatives == (("talk", "tier"),)


def test_a_confounder_that_is_missing() -> None:
    one = found(EFFECT + "tier -> {route churn}; mood -> {route churn}", "tier")
    assert (one.valid, one.open_path) == (False, "route ← mood → churn")
    assert plainly(one) == (
        "What 'route' does to 'churn' can't be told from this plan: 'mood' moves both, and is not adjusted for."
    )
    assert precisely(one) == ("With {tier}, this path stays open: route ← mood → churn. Enough would be: {mood, tier}.")


def test_a_hidden_confounder_with_an_instrument() -> None:
    mood = "frustration [latent]; frustration -> {route churn};"
    one = found(EFFECT + mood + "tier -> {route churn}; shift -> route", "tier")
    assert (one.valid, one.alternatives, one.instruments) == (False, (), ("shift",))
    assert plainly(one) == (
        "What 'route' does to 'churn' can't be told from this plan: 'frustration' moves both, and was never recorded."
    )
    assert precisely(one) == (
        "With {tier}, this path stays open: route ← frustration → churn. No set of recorded names closes every path. "
        "An instrument could help, in an encouragement design: shift."
    )


def test_the_reason_is_what_no_set_can_close() -> None:
    one = found(EFFECT + "age -> {route churn}; mood [latent]; mood -> {route churn}")
    assert (one.valid, one.adjustment, one.open_path) == (False, ("age",), "route ← mood → churn")
    assert "'mood' moves both, and was never recorded" in plainly(one)
    assert precisely(one).startswith("With {age}, this path stays open: route ← mood → churn.")


def test_a_common_cause_that_nobody_named() -> None:
    one = found(EFFECT + "route -> churn [dir=both]", "tier")
    assert (one.valid, one.open_path, one.undrawn) == (False, "route ← a hidden cause → churn", ("tier",))
    assert plainly(one) == (
        "What 'route' does to 'churn' can't be told from this plan: something that nobody recorded may move both."
    )
    assert precisely(one).endswith("Not in the graph, and taken for harmless: tier.")


def test_a_mediator_is_not_adjusted_for() -> None:
    one = found("route -> minutes -> churn; tier -> {route churn}", "tier", "minutes")
    assert (one.valid, one.open_path, one.alternatives) == (False, None, (("tier",),))
    assert one.bad_controls == (BadControl(name="minutes", why="after_treatment", path="route → minutes"),)
    assert plainly(one) == (
        "What 'route' does to 'churn' can't be told from this plan: it adjusts for 'minutes', which 'route' itself may "
        "have changed."
    )
    assert precisely(one) == "'minutes' comes after the treatment: route → minutes. Enough would be: {tier}."


def test_a_collider_after_the_treatment() -> None:
    one = found(EFFECT + "{route churn} -> complaint -> ticket", "ticket")
    assert not one.valid
    assert one.bad_controls == (BadControl(name="ticket", why="after_treatment", path="route → complaint → ticket"),)


@pytest.mark.parametrize("hidden", ["a [latent]; b [latent];", ""])
def test_m_bias(hidden: str) -> None:
    one = found(EFFECT + hidden + "a -> {route score}; b -> {score churn}", "score")
    path = "route ← a → score ← b → churn"
    assert (one.valid, one.open_path) == (False, path)
    assert one.bad_controls == (BadControl(name="score", why="opens_path", path=path),)
    assert one.alternatives[0] == ()
    assert plainly(one) == (
        "What 'route' does to 'churn' can't be told from this plan: adjusting for 'score' makes the two look related "
        "where they are not."
    )
    assert found(EFFECT + hidden + "a -> {route score}; b -> {score churn}").valid


def test_a_control_after_the_treatment_is_told_once() -> None:
    one = found(EFFECT + "a [latent]; b [latent]; a -> {route score}; b -> {score churn}; route -> score", "score")
    assert one.open_path == "route ← a → score ← b → churn"
    assert [(control.name, control.why) for control in one.bad_controls] == [("score", "after_treatment")]


def test_a_collider_opened_by_what_follows_it() -> None:
    one = found(EFFECT + "a [latent]; b [latent]; a -> {route score}; b -> {score churn}; score -> band", "band")
    assert [(control.name, control.why) for control in one.bad_controls] == [("band", "opens_path")]


def test_the_butterfly_needs_one_wing() -> None:
    wings = EFFECT + "a -> {route score}; b -> {score churn}; score -> {route churn}"
    alone = found(wings, "score")
    assert (alone.valid, alone.bad_controls, alone.alternatives) == (False, (), (("a", "score"), ("b", "score")))
    assert plainly(alone) == (
        "What 'route' does to 'churn' can't be told from this plan: what it adjusts for links 'a' and 'b', of which "
        "one moves each."
    )
    assert found(wings, "score", "b").valid


def test_the_front_door_is_no_back_door() -> None:
    one = found("route -> offer -> churn; route -> churn [dir=both]")
    assert (one.valid, one.adjustment, one.alternatives) == (False, (), ())


def test_a_cause_of_the_outcome_alone_does_no_harm() -> None:
    assert found(EFFECT + "age -> churn", "age").valid
    assert found(EFFECT + "age -> churn").adjustment == ()
    assert plainly(found(EFFECT)) == "Nothing moves both 'route' and 'churn', so nothing needs to be adjusted for."


def test_what_must_never_be_adjusted_for_is_in_no_set() -> None:
    dot = EFFECT + "tier -> route; tier -> plan -> churn"
    assert found(dot, never=("plan",)).adjustment == ("tier",)
    assert not found(dot, never=("plan", "tier")).valid


def test_an_outcome_that_decides_about_the_treatment() -> None:
    one = found("churn -> route")
    assert plainly(one).endswith(": 'churn' itself decides about 'route'.")
    assert precisely(one).endswith("The graph draws no way from 'route' to 'churn': it says there is no effect.")


def test_outcomes_are_judged_one_by_one_and_are_never_adjusted_for() -> None:
    graph = read_dot("digraph { route -> {churn spend}; mood [latent]; mood -> {route spend}; tier -> {route churn} }")
    churn, spend = identify(graph, "route", ["churn", "spend"], observed=["tier", "spend", "mood"])
    assert (churn.valid, churn.adjustment, spend.valid) == (True, ("tier",), False)


def test_two_judges_who_disagree_identify_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxcausal.identify.by_dowhy.closes", lambda *_: False)
    one = found(EFFECT + "tier -> {route churn}", "tier")
    assert not one.valid
    assert plainly(one).endswith(": two ways of reading the graph disagree about it.")
