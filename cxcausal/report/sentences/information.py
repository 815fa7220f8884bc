"""What a perfect answer and more data would be worth, and whether to wait for them."""

from cxcausal.core.results import ArmValue, Information
from cxcausal.report.facts import Facts
from cxcausal.report.rounding import cents, place_for
from cxcausal.report.sentences.money import amount
from cxcausal.report.sentences.whom import ALL
from cxcausal.report.text import Number, Sentence

_WORTH_A_WORD = 1.0
_NOT_FOR_MONEY = "for money's sake it does not pay to wait."
_FOUR_WEEKS, _AGAIN = "four_weeks", "doubled"


def information_sentence(facts: Facts, arm: str) -> Sentence | None:
    """Return what a perfect answer about an arm is worth at most, and how much of that more data give; None without."""
    found = _found(facts, arm)
    if found is None:
        return None
    key, told = found
    whom = _whom(facts, arm, key)
    if told.perfect < _WORTH_A_WORD:
        opening = (
            "As far as money goes, more data would hardly change the choice about “",
            facts.arm(arm),
            "”: even a perfect answer would ",
        )
        return (*opening, f"be worth less than one {facts.currency or 'unit of money'} ", *whom, ".", *_given(facts))
    name = _FOUR_WEEKS if told.four_weeks is not None else _AGAIN
    more = "four more weeks of enrolment" if name == _FOUR_WEEKS else f"as many {_again(facts)}"
    return (
        *("A perfect answer about “", facts.arm(arm), "” would be worth at most ", _amount(facts, key, "perfect")),
        *(" ", *whom, f"; {more} ", *_about(facts, key, name), " of that."),
        *_given(facts),
    )


def waiting_sentence(facts: Facts) -> Sentence | None:
    """Return for a verdict to hold what waiting is worth, to be set against what it costs; None without money."""
    found = _found(facts, facts.lead)
    if facts.result.verdict != "hold" or found is None:
        return None
    key, told = found
    if told.perfect < _WORTH_A_WORD:
        return ("More data are worth next to nothing here: waiting for them does not pay.",)
    if told.four_weeks is None:
        again = _about(facts, key, _AGAIN)
        opening = (f"As many {_again(facts)} are worth ", *again, " in a better choice: ")
        return (*opening, "if they cost less, wait for them." if told.doubled >= _WORTH_A_WORD else _NOT_FOR_MONEY)
    weeks = _about(facts, key, _FOUR_WEEKS)
    opening = ("Waiting four more weeks, with enrolment at its pace, is worth ", *weeks, " in a better choice: ")
    return (*opening, "if it costs less, wait." if told.four_weeks >= _WORTH_A_WORD else _NOT_FOR_MONEY)


def _again(facts: Facts) -> str:
    return f"{facts.people.many} again" if facts.observational else f"{facts.people.many} again in the test"


def _about(facts: Facts, key: str, name: str) -> Sentence:
    """Return an amount; one below a single unit of money is not told to its last digit."""
    if facts.number(f"{key}.{name}").value < _WORTH_A_WORD:
        return (f"less than one {facts.currency or 'unit of money'}",)
    return ("about ", _amount(facts, key, name))


def _given(facts: Facts) -> Sentence:
    """Return what the worth of knowing more takes as given."""
    return (
        " This weighs it against “",
        facts.arm(facts.control),
        "” alone, at central assumptions, from these data only.",
    )


def _found(facts: Facts, arm: str) -> tuple[str, Information] | None:
    money = facts.money_of(arm)
    if facts.withheld or money is None or money[1].information is None:
        return None
    return f"{money[0]}.information", money[1].information


def _whom(facts: Facts, arm: str, key: str) -> Sentence:
    money = facts.money_of(arm)
    rolled = money is not None and money[1].rollout is not None
    where = " of the roll-out" if rolled else _where(facts, money)
    return ("for the ", facts.number(f"{key}.customers"), f" {facts.people.many}{where}")


def _where(facts: Facts, money: tuple[str, ArmValue] | None) -> str:
    if not facts.observational:
        return " of this arm in the test"
    return " analysed" if money is not None and money[1].estimand == ALL else " of this arm"


def _amount(facts: Facts, key: str, name: str) -> Number:
    value = facts.number(f"{key}.{name}").value
    return amount(facts, f"{key}.{name}", cents(place_for(value)) if value else 0)
