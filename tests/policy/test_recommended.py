"""Which rule is followed, by what was told of all of them."""

from dataclasses import replace

import pytest

from cxcausal.core.whom import PolicyWorth, Told
from cxcausal.policy.valuing import recommended


def _worth(
    name: str, gain: float, low: float, beyond: float = 0.0, p: float = 1.0, against: float = 1.0
) -> PolicyWorth:
    told = Told(point=gain, se=1.0, low=low, high=gain + 1, p=against)
    return PolicyWorth(name=name, label=name, gain=told, beyond=Told(point=beyond, se=1.0, p=p))


NOBODY = _worth("nobody", 0.0, 0.0, -1.0, 0.001)
BEST = _worth("best_arm", 1.0, 0.5)
WEAK = _worth("best_arm", 0.2, -0.5)


@pytest.mark.parametrize(
    ("worths", "expected"),
    [
        ((NOBODY, BEST, _worth("value", 3, 2, 2, 0.001), _worth("tree", 4, 3, 3, 0.001)), ("value", True)),
        ((NOBODY, BEST, _worth("value", 3, 2, 2, 0.2), _worth("tree", 4, 3, 3, 0.001)), ("tree", True)),
        # Each alone would pass at 5 %; two rules were compared.
        ((NOBODY, BEST, _worth("value", 3, 2, 2, 0.04), _worth("tree", 2, 1, 1, 0.4)), ("best_arm", False)),
        ((NOBODY, BEST, _worth("value", 3, 2, 2, 0.04)), ("value", True)),
        # Reliably worse than the best single arm is no reason.
        ((NOBODY, BEST, _worth("value", 0.1, 0.05, -0.9, 0.001)), ("best_arm", False)),
        ((NOBODY, WEAK, _worth("value", 0.3, 0.1, 0.1, 0.4)), ("nobody", False)),
        # Better than what turns chose, but all losing.
        ((NOBODY, _worth("best_arm", -3, -4), _worth("value", -1, -2, 2, 0.001)), ("nobody", False)),
        # Better than what turns chose, but one arm for everybody gained more.
        ((NOBODY, WEAK, _worth("everybody:a", 3.5, 3), _worth("value", 3, 2, 2.8, 0.001)), ("nobody", False)),
        # With limits not everybody can have that arm, and rules without limits are out of question.
        (
            (
                NOBODY,
                BEST,
                _worth("everybody:a", 3.5, 3),
                _worth("value", 9, 8, 8, 0.001),
                _worth("limited", 2, 1, 1, 0.01),
            ),
            ("limited", True),
        ),
        ((NOBODY, BEST, _worth("value", 9, 8, 8, 0.001), _worth("limited", 2, 1, 1, 0.2)), ("best_arm", False)),
        # By lot nothing is shown, by prediction a gain over nobody is: it is followed, and no more is claimed.
        ((NOBODY, WEAK, _worth("value", 2, 1, 1, 0.2), _worth("limited", 2, 1, 1, 0.2, 0.001)), ("limited", False)),
        ((NOBODY, WEAK, _worth("limited", 2, 1, 1, 0.2, 0.06)), ("nobody", False)),
        ((NOBODY, WEAK, _worth("limited", -2, -3, 1, 0.2, 0.001)), ("nobody", False)),
        # Two rules were compared with nobody as well, and the better shown single arm comes first.
        (
            (NOBODY, WEAK, _worth("value", 2, 0.1, 1, 0.2, 0.04), _worth("tree", 1, -1, 1, 0.5, 0.4)),
            ("nobody", False),
        ),
        ((NOBODY, BEST, _worth("limited", 2, 1, 1, 0.2, 0.001)), ("best_arm", False)),
        # One arm for everybody gained as much, though turns chose another.
        ((NOBODY, WEAK, _worth("everybody:a", 3, -1), _worth("value", 2, 1, 1, 0.2, 0.001)), ("nobody", False)),
    ],
)
def test_the_rule_that_is_shown_to_gain_is_followed(
    worths: tuple[PolicyWorth, ...], expected: tuple[str, bool]
) -> None:
    assert recommended(worths, 0.05) == expected


def test_an_arm_that_nobody_may_be_given_is_no_rival_and_no_rule_with_it_is_followed() -> None:
    single = replace(_worth("everybody:a", 3.5, 3), share={"a": 1.0})
    rule = replace(_worth("value", 3, 2, 2, 0.001), share={"b": 0.4})
    worths = (NOBODY, BEST, single, rule)
    assert recommended(worths, 0.05) == ("best_arm", False)
    assert recommended(worths, 0.05, {"a"}) == ("value", True)
    assert recommended((NOBODY, BEST, rule), 0.05, {"b"}) == ("best_arm", False)
