"""Which tests run in one process: a module's together, so that what they share is made once, and long ones first."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/engines/", "tests/faults/")
"""Folders whose session fixtures are dearer than most of their tests: servers, and a zygote with a project."""
APART = ("tests/validation/test_quick.py", "tests/validation/test_planted_bugs.py")
"""Modules of long tests that share nothing: each test goes wherever there is room."""
FIRST = (
    *TOGETHER,
    "tests/validation/",
    "tests/corpus/",
    "tests/experiments/",
    "tests/e2e/test_aa.py",
    "tests/cli/test_stops.py",
    "tests/chaos/",
    "tests/test_tutorial.py",
    "tests/fuzz/",
    "tests/heterogeneity/",
    "tests/e2e/",
)
"""What takes longest, so that no process is left alone with it at the end."""


def scope_of(nodeid: str) -> str:
    """Return the name of what a test is kept together with.

    Example:
        >>> scope_of("tests/engines/test_spark.py::test_a[1]"), scope_of("tests/data/test_kept.py::test_b")
        ('tests/engines/', 'tests/data/test_kept.py')
        >>> scope_of("tests/validation/test_quick.py::test_the_bar_holds[V5]")
        'tests/validation/test_quick.py::test_the_bar_holds[V5]'
    """
    folder = next((folder for folder in TOGETHER if nodeid.startswith(folder)), None)
    module = nodeid.partition("::")[0]
    return folder or (nodeid if module in APART else module)


def rank(nodeid: str) -> int:
    """Return the place of a test's scope in the queue; what is not named there comes last, in its own order.

    Example:
        >>> rank("tests/engines/test_spark.py::test_a") < rank("tests/e2e/test_aa.py::test_b") < rank("tests/e2e/c.py")
        True
    """
    return next((place for place, start in enumerate(FIRST) if nodeid.startswith(start)), len(FIRST))


class ByModule(LoadScopeScheduling):  # type: ignore[misc] # untyped
    """Hand out whole modules, the longest first.

    pytest-xdist 3.8 writes its own groups into names that pytest 9.2 no longer reads, so that they hold nothing
    together; this one needs no marks.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=rank), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule | None:
    """Spread this way where modules are asked for (`--dist loadfile`), and as xdist does elsewhere."""
    return ByModule(config, log) if config.getoption("dist") == "loadfile" else None
