"""Which of several failed checks is told first: what causes the others, and not what follows from it."""

from collections.abc import Sequence

from cxcausal.core.results import CheckResult

_CAUSES = ("identification", "time_zero", "duplicates", "leakage", "overlap", "balance")
"""Where nobody tossed a coin, each may make all that come after it fail; every other check is evidence of something."""


def failed_by_cause(checks: Sequence[CheckResult]) -> tuple[int, ...]:
    """Return the places of the checks that failed, causes first; those of a trial in the order of the run.

    Args:
        checks: of one run; one of identification tells that nobody tossed a coin.

    Example:
        >>> names = ["identification", "overlap", "balance", "leakage"]
        >>> run = [CheckResult(name=name, verdict="fail", on_breach="fail", text="") for name in names[1:]]
        >>> failed_by_cause(run)
        (0, 1, 2)
        >>> failed_by_cause([CheckResult(name=names[0], verdict="pass", on_breach="fail", text=""), *run])
        (3, 1, 2)
    """
    failed = [place for place, check in enumerate(checks) if check.verdict == "fail"]
    if not any(check.name == "identification" for check in checks):
        return tuple(failed)
    return tuple(sorted(failed, key=lambda place: _rank(checks[place].name)))


def _rank(name: str) -> int:
    return _CAUSES.index(name) if name in _CAUSES else len(_CAUSES)
