"""How many threads learners use: one level of parallel work, capped, and no thread where it would cost more."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

VARIABLE = "CXCAUSAL_THREADS"
_WAITING = "OMP_WAIT_POLICY"
_FEWEST_ROWS, _FEWEST_TO_BOOST = 20_000, 200_000
_MOST = 8
_HERE = local()
"""Of each thread: whether it works beside others, and so alone."""


def threads() -> int:
    """Return the threads of the one parallel level: `CXCAUSAL_THREADS`, else the cores that this process may use.

    It is one for work that is done side by side with other work.
    """
    if getattr(_HERE, "beside", False):
        return 1
    asked = os.environ.get(VARIABLE, "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST)


def threads_for(rows: int) -> int:
    """Return the threads for a task over so many rows."""
    return threads() if rows >= _FEWEST_ROWS else 1


def threads_to_boost(rows: int) -> int:
    """Return the threads for small trees that learn from so many rows; of fewer, threads wait more than they work."""
    return threads() if rows >= _FEWEST_TO_BOOST else 1


def wait_without_spinning() -> None:
    """Let idle threads sleep, unless the user says how they wait: on busy cores, spinning takes many times as long.

    OpenMP reads this once, when the first library that uses it is loaded; call it before that.
    """
    os.environ.setdefault(_WAITING, "PASSIVE")


@contextmanager
def one_level() -> Iterator[None]:
    """Keep linear algebra to one thread, whose sums then don't depend on the machine, while learners use theirs."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - scikit-learn brings it

    with threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def boosting_level(rows: int) -> Iterator[None]:
    """Keep libraries that ask OpenMP for all threads to those of a task over so many rows."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - scikit-learn brings it

    with threadpool_limits(limits=threads_for(rows), user_api="openmp"):
        yield


def work_beside() -> None:
    """Let this thread, for good, use no other: it works beside others."""
    _HERE.beside = True
