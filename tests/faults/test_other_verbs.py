"""What the other verbs do where nothing can be written: they say so, leave nothing half-made, or do not care."""

import pytest

from tests.conftest import absent
from tests.faults.conftest import World
from tests.faults.machine import Job, Machine
from tests.faults.zygote import seen

WRITING = {
    "new": ("new", "other", "--out", "experiments/other.yaml"),
    "simulate": ("simulate", "outreach", "--n", "500", "--out", "data/world.parquet"),
    "assign": ("assign", "experiments/callback.yaml", "--units", "data/callback.csv", "--out", "data/arms.csv"),
}
READING = {
    "list": ("list",),
    "explain": ("explain", "experiments/callback.yaml"),
    "audit": ("audit", "verify"),
}


@pytest.mark.parametrize("verb", WRITING)
def test_a_full_disk(verb: str, world: World, machine: Machine, own_mounts: str | None) -> None:
    if own_mounts:
        absent(f"needs {own_mounts}")
    before = seen(world.root)
    ended = machine.run(Job(root=world.root, words=WRITING[verb], world=(("small_disk", str(world.root), 0),)))
    assert ended.code == 6, ended.err
    assert " — " in ended.err
    assert "No space left on device" in ended.err
    assert "Traceback" not in ended.err
    assert ended.seen["files"] == before["files"]


@pytest.mark.parametrize("verb", READING)
def test_a_read_only_project(verb: str, world: World, machine: Machine, own_mounts: str | None) -> None:
    if own_mounts:
        absent(f"needs {own_mounts}")
    ended = machine.run(Job(root=world.root, words=READING[verb], world=(("read_only", str(world.root)),)))
    assert (ended.code, ended.err) == (0, "")
    assert ended.seen == world.before


def test_a_line_of_which_a_part_was_written_is_taken_back(world: World, machine: Machine) -> None:
    third = (world.root / "experiments/callback.yaml").read_text(encoding="utf-8").replace('"callback"', '"third"')
    (world.root / "experiments/third.yaml").write_text(third, encoding="utf-8")
    (world.root / "data/callback.csv").unlink()
    room = (world.root / "audit/ledger.jsonl").stat().st_size + 100
    words = ("register", "experiments/third.yaml")
    ended = machine.run(Job(root=world.root, words=words, ills=(("limit_files", room),)))
    assert ended.code == 6, ended.err
    assert "ledger.jsonl E601 could not append to this file: File too large — check space" in ended.err
    assert ended.seen["ledger"] == world.before["ledger"]
