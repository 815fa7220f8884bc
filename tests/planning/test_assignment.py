"""Arms by a salted hash: repeatable with the salt, in the planned shares, independent between experiments."""

from collections import Counter
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, kstest

from cxcausal.planning.assignment import Coin, assign, draw, mismatches
from cxcausal.stats.proportions import srm_p

SHARES = {"none": Fraction(1, 2), "gig": Fraction(1, 3), "agent": Fraction(1, 6)}
UNITS = {f"C{number:06d}": () for number in range(12_000)}


def _coin(experiment: str = "callback", salt: str = "pepper", shares: dict[str, Fraction] | None = None) -> Coin:
    return Coin(experiment=experiment, salt=salt, shares=shares or SHARES)


def test_a_known_unit_stays_where_it_was_put() -> None:
    """Frozen: a change of the hash would move customers of running experiments."""
    assert hex(draw(_coin(), "C000001"))[:18] == "0x1d70249c7bf2458e"
    assert [assign(_coin(), UNITS)[f"C00000{i}"] for i in range(6)] == ["gig", "agent", "none", "gig", "agent", "none"]


def test_the_split_is_as_planned() -> None:
    arms = Counter(assign(_coin(), UNITS).values())
    assert srm_p([arms[name] for name in SHARES], [float(share) for share in SHARES.values()]) > 0.001


def test_sample_ratio_tests_are_uniform_over_experiments() -> None:
    units = dict.fromkeys(list(UNITS)[:1_500], ())
    ps = []
    for number in range(300):
        arms = Counter(assign(_coin(f"e{number}"), units).values())
        ps.append(srm_p([arms[name] for name in SHARES], [float(share) for share in SHARES.values()]))
    assert kstest(ps, "uniform").pvalue > 0.001
    assert np.mean(np.array(ps) < 0.05) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)


def test_experiments_and_salts_are_independent() -> None:
    one = assign(_coin(), UNITS)
    for other in (_coin("winback"), _coin(salt="salt")):
        two = assign(other, UNITS)
        table = [[sum(one[u] == a and two[u] == b for u in UNITS) for b in SHARES] for a in SHARES]
        assert chi2_contingency(table).pvalue > 0.001


def test_without_strata_a_unit_does_not_depend_on_the_others_or_on_the_arms_order() -> None:
    whole = assign(_coin(), UNITS)
    few = dict.fromkeys(reversed(list(UNITS)[::7]), ())
    turned = _coin(shares=dict(reversed(SHARES.items())))
    assert assign(turned, few) == {unit: whole[unit] for unit in few}


def test_strata_get_their_shares_to_within_one() -> None:
    strata = {unit: (f"s{number % 7}",) for number, unit in enumerate(UNITS)}
    arms = assign(_coin(), strata)
    for stratum in {*strata.values()}:
        members = [unit for unit, mine in strata.items() if mine == stratum]
        for arm, share in SHARES.items():
            assert abs(sum(arms[unit] == arm for unit in members) - len(members) * share) < 1


def test_small_strata_do_not_favour_an_arm() -> None:
    """Each unit alone in its stratum: the start of the dealing decides."""
    arms = Counter(assign(_coin(), {unit: (unit,) for unit in UNITS}).values())
    assert srm_p([arms[name] for name in SHARES], [float(share) for share in SHARES.values()]) > 0.001


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=5), st.sampled_from("ab")), min_size=1, unique_by=lambda pair: pair[0]))
def test_the_order_of_the_units_is_nothing(pairs: list[tuple[str, str]]) -> None:
    forward = {unit: (stratum,) for unit, stratum in pairs}
    backward = dict(reversed(forward.items()))
    assert assign(_coin(), forward) == assign(_coin(), backward)


def test_shares_that_do_not_quite_sum_to_one_leave_nobody_out() -> None:
    thirds = {"a": Fraction("0.3333333"), "b": Fraction("0.3333333"), "c": Fraction("0.3333333")}
    assert len(assign(_coin(shares=thirds), UNITS)) == len(UNITS)


def test_moved_units_are_counted() -> None:
    logged = list(assign(_coin(), UNITS).items())
    assert mismatches(_coin(), UNITS, logged) == 0
    moved = [(unit, "none" if arm != "none" else "gig") for unit, arm in logged[:5]]
    assert mismatches(_coin(), UNITS, [*moved, *logged[5:]]) == 5
