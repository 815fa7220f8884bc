"""Learned nuisances as named arrays, under a hash of the bits that they were learned from and of what learned them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cxcausal.core.protocols import ArrayStore
from cxcausal.core.score_answers import LearnerFacts

Arrays = Mapping[str, npt.NDArray[Any]]
_LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "scipy")
_FACTS = "facts"


def key_of(words: Iterable[object], arrays: Iterable[npt.NDArray[Any] | None]) -> str:
    """Return the hash of words and arrays' bits, with that of the code and the versions of what learns.

    Example:
        >>> one, two = np.zeros(2), np.zeros(3)
        >>> key_of(["a"], [one]) == key_of(["a"], [one]), key_of(["a"], [one]) == key_of(["a"], [two])
        (True, False)
    """
    digest = sha256(json.dumps([_makers(), [str(word) for word in words]]).encode())
    for array in arrays:
        digest.update(repr(None if array is None else (array.dtype.str, array.shape)).encode())
        if array is not None:
            digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()


@cache
def _makers() -> tuple[str, ...]:
    """Return what another result may come from: our code that learns, and the libraries' versions."""
    folder = Path(__file__).parent
    code = sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.py")))).hexdigest()
    return (code, *(f"{name} {version(name)}" for name in _LIBRARIES))


def with_facts(arrays: Arrays, facts: tuple[LearnerFacts, ...]) -> Arrays:
    """Return arrays with one more that holds the facts."""
    text = json.dumps([asdict(fact) for fact in facts]).encode()
    return {**arrays, _FACTS: np.frombuffer(text, dtype=np.uint8)}


def facts_in(arrays: Arrays) -> tuple[LearnerFacts, ...]:
    """Return the facts that `with_facts` added.

    Example:
        >>> fact = LearnerFacts(role="propensity", arm="", learner="linear", loss=0.5, baseline=0.7)
        >>> facts_in(with_facts({}, (fact,))) == (fact,)
        True
    """
    return tuple(LearnerFacts(**fact) for fact in json.loads(arrays[_FACTS].tobytes()))


def fits(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Tell whether arrays are what they ought to be: these, as numbers, of these shapes."""
    if set(arrays) != {*shapes, _FACTS} or arrays[_FACTS].dtype != np.uint8:
        return False
    return all(arrays[name].shape == shape and arrays[name].dtype == np.float64 for name, shape in shapes.items())


class NoStore:
    """Keeps nothing."""

    def load(self, key: str) -> Arrays | None:
        """Return nothing."""
        del key  # nothing is known under any
        return None

    def save(self, key: str, arrays: Arrays) -> None:
        """Keep nothing."""


Made = tuple[dict[str, npt.NDArray[np.float64]], tuple[LearnerFacts, ...]]


def known_or_made(
    store: ArrayStore,
    key: str,
    shapes: Mapping[str, tuple[int, ...]],
    make: Callable[[], Made],
) -> Made:
    """Return the arrays and facts that are kept under a key, else make and keep them."""
    kept = store.load(key)
    if kept is not None and fits(kept, shapes):
        return {name: np.asarray(kept[name]) for name in shapes}, facts_in(kept)
    arrays, facts = make()
    store.save(key, with_facts(arrays, facts))
    return arrays, facts
