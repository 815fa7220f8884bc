"""The hash of what a plan means."""

from collections.abc import Mapping
from typing import Any

from cxcausal.core.canonical import sha256_of

_NO_MEANING = frozenset({"reruns"})
"""What is kept for reruns changes no number."""


def counting(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a resolved plan that its hash is taken over."""
    return {key: value for key, value in plan.items() if key not in _NO_MEANING}


def hash_of(plan: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a resolved plan's meaning, also where it was stored with a run.

    Example:
        >>> hash_of({"id": "a", "reruns": {"keep_days": 7}}) == hash_of({"id": "a"})
        True
    """
    return sha256_of(counting(plan))
