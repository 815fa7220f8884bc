"""Every fault of the catalogue, done for real: exit code, message, what is left of the run, and of earlier ones."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cxcausal.tracking.audit import audit
from cxcausal.tracking.listing import list_runs
from tests.conftest import absent
from tests.faults.catalog import FAULTS
from tests.faults.cold_start import in_mlflow
from tests.faults.conftest import World
from tests.faults.fault import Fault
from tests.faults.machine import Ended, Ill, Job, Machine
from tests.faults.zygote import seen

MOUNTING = {"own_mounts", "small_disk", "read_only", "without"}
PROGRESS = re.compile(r"\d+ s: ")
"""How a line of progress begins where stderr is no terminal."""
LOCAL = "sqlite:///.cxcausal/mlflow.db"


@pytest.mark.parametrize(
    "fault", [pytest.param(one, id=one.name, marks=[pytest.mark.slow] * one.slow) for one in FAULTS]
)
def test_fault(fault: Fault, world: World, machine: Machine, own_mounts: str | None) -> None:
    if own_mounts and {ill[0] for ill in fault.world} & MOUNTING:
        absent(f"needs {own_mounts}")
    ended = met(fault, world, machine)
    assert ended.code == fault.code, ended.err
    assert_said(ended, fault)
    run = left(fault, world, ended)
    assert_earlier_untouched(fault, world, ended.seen)
    if fault.server is not None:
        assert float((world.root.with_name("seconds")).read_text(encoding="ascii")) < 5
    if fault.name == "server_refuses":
        assert_synced_once(world, machine, run)


def met(fault: Fault, world: World, machine: Machine) -> Ended:
    """Do the fault to a project and run the command in it."""
    with ExitStack() as held:
        if fault.server is not None:
            uri = held.enter_context(fault.server())
            point_to(world.root, LOCAL, uri.replace("://", "://ann:s3cret-canary@") + "?token=s3cret-canary")
        mess = fault.before(world.root) if fault.before is not None else None
        if mess is not None:
            held.enter_context(mess)
        return machine.run(
            Job(
                root=world.root,
                words=fault.words,
                world=placed(fault.world, world.root),
                ills=(("timed", str(world.root.with_name("seconds"))), *placed(fault.ills, world.root)),
                environment=fault.environment,
                stdout=fault.stdout,
            )
        )


def placed(ills: tuple[Ill, ...], root: Path) -> tuple[Ill, ...]:
    return tuple(
        tuple(item.replace("@", str(root), 1) if isinstance(item, str) else item for item in ill) for ill in ills
    )


def point_to(root: Path, old: str, new: str) -> None:
    path = root / "configs/project.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def assert_said(ended: Ended, fault: Fault) -> None:
    """One message that matches, with its mend, and nothing else but progress: no traceback, no bug, no secret."""
    told = [line for line in ended.err.splitlines() if line and not PROGRESS.match(line)]
    assert len(told) == bool(fault.says), ended.err
    assert not fault.says or re.search(fault.says, told[0]), told
    assert all(" — " in line for line in told)
    assert "Traceback" not in ended.err + ended.out
    assert "s3cret-canary" not in ended.err + ended.out
    assert "CUST00" not in ended.err + ended.out


def left(fault: Fault, world: World, ended: Ended) -> str:
    """Check what is left of the new run, and return its name."""
    new = {name: state for name, state in ended.seen["runs"].items() if name not in world.before["runs"]}
    assert not [name for name in ended.seen["files"] if ".partial" in name]
    added = ended.seen["ledger"].removeprefix(world.before["ledger"]).splitlines()
    if fault.left in {"nothing", "gone"}:
        assert new == {}
        return ""
    ((name, state),) = new.items()
    if ended.code == 137:
        assert state["status"]["status"] == "RUNNING"
        assert [run.status for run in list_runs(world.root, "callback")] == ["KILLED"]
        state = seen(world.root)["runs"][name]
    finished = fault.left in {"FINISHED", "waiting"}
    assert state["status"]["status"] == ("FINISHED" if finished else fault.left)
    assert bool(state["status"]["reason"]) is not finished
    assert sum(name.partition("/")[2] in line for line in added) == finished
    mlflow = {"waiting": "pending", "FINISHED": "projected"}.get(fault.left)
    assert (state["mlflow"] or {}).get("state") == mlflow
    return str(name)


def assert_earlier_untouched(fault: Fault, world: World, now: Any) -> None:
    """Every file of earlier runs is what it was, and the ledger begins as it did."""
    if fault.name == "working_folder_removed":
        return
    messed = fault.before is not None and fault.group in {"Ledger", "SQLite store"}
    kept = {name: digest for name, digest in world.before["files"].items() if "/earlier/" in name}
    assert len(kept) > 12
    assert {name: now["files"].get(name) for name in kept} == kept
    if not messed:
        assert now["ledger"].startswith(world.before["ledger"])
        if world.root.is_dir() and fault.world == ():
            assert audit(world.root).problems == ()


def assert_synced_once(world: World, machine: Machine, run: str) -> None:
    """Back on a store that answers, three syncs at once send the run once."""
    path = world.root / "configs/project.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"tracking_uri: .*", f"tracking_uri: {LOCAL}", text), encoding="utf-8")
    synced = machine.run_all([Job(root=world.root, words=("sync", "--json"))] * 3)
    assert [one.code for one in synced] == [0, 0, 0]
    assert in_mlflow(world.root).count(run.partition("/")[2]) == 1
    assert seen(world.root)["runs"][run]["mlflow"]["state"] == "projected"
