"""Draws that every mutator shares; a case's number gives the same draws on every machine."""

from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

import numpy as np

Rng = np.random.Generator
T = TypeVar("T")


def rng_of(kind: str, seed: int, number: int) -> Rng:
    """Return the generator of one case."""
    return np.random.default_rng([crc32(kind.encode()), seed, number])


def pick(rng: Rng, items: Sequence[T]) -> T:
    """Return one of the items."""
    return items[int(rng.integers(len(items)))]


def chance(rng: Rng, share: float) -> bool:
    """Return true in that share of all draws."""
    return bool(rng.random() < share)


def between(rng: Rng, low: int, high: int) -> int:
    """Return a whole number from low to high, both included."""
    return int(rng.integers(low, high + 1))


def some(rng: Rng, items: Sequence[T], most: int) -> list[T]:
    """Return up to so many different items, in a random order."""
    places = rng.permutation(len(items))[: between(rng, 0, min(most, len(items)))]
    return [items[int(place)] for place in places]
