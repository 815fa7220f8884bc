"""Identifiers rise, whatever the clock does, and spell their time."""

from collections.abc import Iterator

from cxcausal.tracking.ulid import UlidSource, is_ulid, new_ulid


def clock_of(*milliseconds: int) -> Iterator[int]:
    return iter(milliseconds)


def test_known_value() -> None:
    """The example of the specification: 1469918176385 ms is spelled 01ARYZ6S41."""
    source = UlidSource(clock=lambda: 1469918176385, randomness=lambda: 0)
    assert source.new() == "01ARYZ6S410000000000000000"


def test_they_rise_when_the_clock_stands_still_or_runs_back() -> None:
    ticks = clock_of(1000, 1000, 999, 1000, 1001)
    source = UlidSource(clock=lambda: next(ticks), randomness=lambda: (1 << 80) - 1)
    made = [source.new() for _ in range(5)]
    assert made == sorted(set(made))


def test_many_are_distinct_and_valid() -> None:
    made = [new_ulid() for _ in range(2000)]
    assert made == sorted(set(made))
    assert all(is_ulid(one) for one in made)


def test_what_is_not_one() -> None:
    assert not is_ulid("8" + "0" * 25)
    assert not is_ulid("0" * 25)
    assert not is_ulid("0" * 25 + "u")
