"""Who goes into which arm: a salted hash that anyone with the salt can repeat, by exact shares, within strata."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import ceil

SPACE = 1 << 256
"""SHA-256 gives one of so many numbers."""

Stratum = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Coin:
    """What decides: the arms with their shares in the order of their names, and the key of the hash.

    Two experiments have different keys, so that their arms are independent of each other even under one salt. The
    hold-out has one key for all experiments: under one salt and share it is always the same units.

    Attributes:
        experiment, salt: the key.
        shares: of every arm among those who are not held out.
        hold_out: the share of units that no experiment touches.
    """

    experiment: str
    salt: str
    shares: Mapping[str, Fraction]
    hold_out: Fraction = Fraction(0)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms by name: their order in the file of the plan means nothing."""
        return tuple(sorted(self.shares))

    @property
    def bounds(self) -> tuple[Fraction, ...]:
        """Where each arm's part of 0 to 1 ends; the last one ends at 1, whatever the shares' rounding."""
        parts = list(accumulate(self.shares[arm] for arm in self.arms))
        return (*parts[:-1], Fraction(1))

    @property
    def salt_hash(self) -> str:
        """The salt's SHA-256, which may be shown; a salt should be too long to be guessed from it."""
        return hashlib.sha256(self.salt.encode()).hexdigest()


def held_out(coin: Coin, units: Iterable[str]) -> frozenset[str]:
    """Return the units that are held out of every experiment with this salt and share, each by its own number.

    Example:
        >>> units = [f"C{i}" for i in range(8)]
        >>> one, other = (Coin(experiment=name, salt="x", shares={}, hold_out=Fraction(1, 4)) for name in ("a", "b"))
        >>> held_out(one, units) == held_out(other, units)
        True
    """
    started, cut = _fed(hashlib.sha256(), coin.salt_hash, "hold-out"), ceil(coin.hold_out * SPACE)
    return frozenset(unit for unit in units if _number(started, unit) < cut) if cut else frozenset()


def draw(coin: Coin, unit: str) -> int:
    """Return a unit's number from 0 to 2²⁵⁶ − 1.

    Example:
        >>> coin = Coin(experiment="callback", salt="x", shares={"call": Fraction(1, 2), "none": Fraction(1, 2)})
        >>> draw(coin, "C1") == draw(coin, "C1"), draw(coin, "C1") == draw(coin, "C2")
        (True, False)
    """
    return _number(_started(coin, "unit"), unit)


def assign(coin: Coin, strata: Mapping[str, Stratum]) -> dict[str, str]:
    """Return the arm of every randomised unit.

    Without strata (all of them the empty tuple) an arm depends on the unit's own number and on nothing else, so that
    units may be assigned one by one as they come. Within strata the units are put in the order of their numbers and
    dealt out at equal steps from a start that the stratum's hash draws: each arm gets its share of every stratum
    to within one unit, and each unit has each arm with exactly its share as probability.

    Args:
        coin: decides.
        strata: by unit.

    Example:
        >>> coin = Coin(experiment="callback", salt="x", shares={"call": Fraction(1, 4), "none": Fraction(3, 4)})
        >>> arms = assign(coin, {f"C{i}": ("gold",) for i in range(8)})
        >>> sorted(arms.values()).count("call")
        2
    """
    if not any(strata.values()):
        started, cuts = _started(coin, "unit"), _cuts(coin, SPACE)
        return {unit: _arm(cuts, _number(started, unit)) for unit in strata}
    members: dict[Stratum, list[str]] = {}
    for unit, stratum in strata.items():
        members.setdefault(stratum, []).append(unit)
    return {unit: arm for stratum, units in members.items() for unit, arm in _dealt(coin, stratum, units)}


def mismatches(coin: Coin, strata: Mapping[str, Stratum], logged: Iterable[tuple[str, str]]) -> int:
    """Return how many logged (unit, arm) are not what the coin says; who is held out has no business in a log.

    Args:
        coin: the one that was tossed.
        strata: of every unit of the log.
        logged: the log's rows.
    """
    out = held_out(coin, strata)
    derived = assign(coin, {unit: stratum for unit, stratum in strata.items() if unit not in out})
    return sum(derived.get(unit) != arm for unit, arm in logged)


def _dealt(coin: Coin, stratum: Stratum, units: Sequence[str]) -> Iterable[tuple[str, str]]:
    begun, start = _started(coin, "unit"), _number(_started(coin, "stratum"), *stratum)
    ordered = sorted(units, key=lambda unit: (_number(begun, unit), unit))
    cuts = _cuts(coin, SPACE * len(ordered))
    return [(unit, _arm(cuts, rank * SPACE + start)) for rank, unit in enumerate(ordered)]


def _cuts(coin: Coin, whole: int) -> tuple[tuple[str, int], ...]:
    """Return each arm with the first whole number that lies beyond its part of 0 to `whole`, exactly."""
    return tuple((arm, ceil(bound * whole)) for arm, bound in zip(coin.arms, coin.bounds, strict=True))


def _arm(cuts: tuple[tuple[str, int], ...], number: int) -> str:
    return next(arm for arm, cut in cuts if number < cut)


def _started(coin: Coin, kind: str) -> "hashlib._Hash":
    """Return the hash after what all units, or all strata, of an experiment share."""
    return _fed(hashlib.sha256(), coin.salt_hash, coin.experiment, kind)


def _number(started: "hashlib._Hash", *parts: str) -> int:
    return int.from_bytes(_fed(started.copy(), *parts).digest(), "big")


def _fed(digest: "hashlib._Hash", *parts: str) -> "hashlib._Hash":
    """Add texts to a hash, each preceded by its length so that no two lists read alike."""
    for part in parts:
        content = part.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest
