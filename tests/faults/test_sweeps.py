"""One kind of fault at every moment of a run: a disk that fills sooner or later, a write that fails here or there."""

from errno import EIO, ENOSPC
from typing import Any

import pytest

from cxcausal.tracking.audit import audit
from tests.conftest import absent
from tests.faults.conftest import World
from tests.faults.fault import RUN
from tests.faults.machine import Ended, Job, Machine

PAGE = 4096


def told_truly(world: World, ended: Ended) -> str:
    """Check that exit code, status and ledger agree, and earlier runs are untouched; return the new run's status."""
    assert "Traceback" not in ended.err
    assert "B100" not in ended.err
    kept = {name: digest for name, digest in world.before["files"].items() if "/earlier/" in name}
    assert {name: ended.seen["files"].get(name) for name in kept} == kept
    assert ended.seen["ledger"].startswith(world.before["ledger"])
    added = ended.seen["ledger"].removeprefix(world.before["ledger"]).splitlines()
    new: dict[str, Any] = {name: at for name, at in ended.seen["runs"].items() if name not in world.before["runs"]}
    assert len(new) == (1 if new else 0)
    status = next(iter(new.values()))["status"]["status"] if new else "none"
    assert (status == "FINISHED") == (len(added) == 1)
    assert status in {"none", "FAILED", "FINISHED"}
    assert ended.code in ({0, 6} if status == "FINISHED" else {6})
    assert (" — " in ended.err) or ended.code == 0
    return status


@pytest.mark.slow
@pytest.mark.parametrize("pages", [0, 1, 2, 4, 8, 12, 20, 36, 40, 44, 48, 52, 56, 60, 64, 80, 100, 140, 200, 300])
def test_a_disk_that_fills(pages: int, world: World, machine: Machine, own_mounts: str | None) -> None:
    if own_mounts:
        absent(f"needs {own_mounts}")
    mounted = (("small_disk", str(world.root), pages * PAGE),)
    told_truly(world, machine.run(Job(root=world.root, words=RUN, world=mounted)))


@pytest.mark.slow
@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("times", [1, 1000])
def test_a_write_that_fails(function: str, times: int, world: World, machine: Machine) -> None:
    """The first, the second …: until the run needs no more of them; once, or from then on."""
    seen = []
    for first in range(1, 60):
        error = EIO if first % 2 else ENOSPC
        ended = machine.run(Job(root=world.root, words=RUN, ills=(("fails", function, error, first, times),)))
        seen.append(told_truly(world, ended))
        assert audit(world.root).problems == ()
        world = World(root=world.root, before=dict(ended.seen))
        if ended.code == 0 and ended.err.count("warning") == 0:
            break
    assert seen[-1] == "FINISHED"
    assert {"none", "FAILED"} <= set(seen)
