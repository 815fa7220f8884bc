"""Problems that name a key of the plan, told at its place in the file, or at the option that took its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cxcausal.core.errors import CxCausalError, Problem
from cxcausal.core.spec.resolve import Resolved


@contextmanager
def placing(resolved: Resolved, on: str | None = None, *, option: str = "--on") -> Iterator[None]:
    """Let problems that name a key of the plan say where in the file it stands.

    Args:
        resolved: the plan.
        on: what replaced `data.source`, if anything.
        option: the command line's option that did.
    """
    try:
        yield
    except CxCausalError as error:
        placed = (_placed(resolved, problem, None if on is None else option) for problem in error.problems)
        raise type(error)(placed) from error


def _placed(resolved: Resolved, problem: Problem, option: str | None) -> Problem:
    if option is not None and problem.where == "data.source":
        return replace(problem, where=option)
    return resolved.placed(problem)
