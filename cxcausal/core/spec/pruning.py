"""A section with errors, without what is wrong in it: so that rules still see the rest, and nothing is told twice."""

import re
from collections.abc import Iterable
from typing import Any

from cxcausal.core.spec.nodes import Finding, Path

_NAMED = re.compile(r"'([^']*)'")


def cut(path: Path) -> Path:
    """Return the path up to its first place in a list: without one element the others would stand elsewhere.

    Example:
        >>> cut(("analysis", "looks", 1))
        ('analysis', 'looks')
    """
    lists = (at for at, step in enumerate(path) if isinstance(step, int))
    return path[: next(lists, len(path))]


def without(section: Any, paths: Iterable[Path]) -> Any:  # noqa: ANN401 - bare content
    """Return a section's bare content without what stands at paths below it; None where nothing would be left.

    Example:
        >>> without({"peeking": "none", "alpha": 0.1, "looks": [1, 2]}, [("peeking",), ("looks", 0)])
        {'alpha': 0.1}
    """
    left = section
    for path in map(cut, paths):
        if not path:
            return None
        left = _without(left, path)
    return left


def _without(value: Any, path: Path) -> Any:  # noqa: ANN401 - bare content
    if not isinstance(value, dict) or path[0] not in value:
        return value
    rest = {key: child for key, child in value.items() if key != path[0]}
    return rest if len(path) == 1 else {**rest, path[0]: _without(value[path[0]], path[1:])}


def may_follow(finding: Finding, unread: Iterable[Finding]) -> bool:
    """Return whether a finding may be there only because something else could not be read.

    It is so where it stands at the other, below it or right above it, or where it speaks of the key that could not be
    read, or of the key that was probably meant.

    Example:
        >>> odd = Finding(path=("policy", "budgett"), code="P201", what="unknown key", mend="did you mean 'budget'?")
        >>> late = Finding(path=("policy",), code="P399", what="there is no budget", mend="add one")
        >>> other = Finding(path=("policy", "eligible"), code="P310", what="'x' is known later", mend="remove it")
        >>> may_follow(late, [odd]), may_follow(other, [odd])
        (True, False)
    """
    words = {str(step) for step in finding.path} | set(re.findall(r"[\w-]+", f"{finding.what} {finding.mend}"))
    for one in unread:
        path = cut(one.path)
        if (
            finding.path == path[:-1]
            or finding.path[: len(path)] == path
            or words & {str(path[-1]), *_NAMED.findall(one.mend)}
        ):
            return True
    return False
