"""The chain: whole under concurrency, and every tamper located at its line."""

import errno
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from cxcausal.core.errors import IntegrityError, MachineError
from cxcausal.tracking import ledger
from cxcausal.tracking.actor import Actor, resolve_actor
from cxcausal.tracking.anchors import Anchor, anchor_problems
from cxcausal.tracking.ledger import Entry, append, ledger_path, read
from cxcausal.tracking.ledger_chain import GENESIS

ROOT = Path(__file__).resolve().parents[2]
ANN = Actor(name="ann@example.com", source="argument")
WRITER = """
import sys
from pathlib import Path
from cxcausal.tracking.actor import Actor
from cxcausal.tracking.ledger import Entry, append
for number in range(50):
    actor = Actor(name=sys.argv[2], source="argument")
    append(Path(sys.argv[1]), Entry(kind="decide", experiment="outreach", actor=actor, payload={"number": number}))
"""


def add(root: Path, number: int) -> str:
    return append(root, Entry(kind="decide", experiment="outreach", actor=ANN, payload={"number": number})).hash


@pytest.fixture
def five(tmp_path: Path) -> Path:
    for number in range(5):
        add(tmp_path, number)
    return tmp_path


def rows(root: Path) -> list[bytes]:
    return ledger_path(root).read_bytes().splitlines(keepends=True)


def place(root: Path) -> str:
    with pytest.raises(IntegrityError) as caught:
        read(root)
    return caught.value.problems[0].where


def test_an_empty_ledger_has_the_genesis_head(tmp_path: Path) -> None:
    assert read(tmp_path) == ()
    assert ledger.head(tmp_path) == GENESIS == "0" * 64


def test_lines_are_chained(five: Path) -> None:
    lines = read(five)
    assert [line.seq for line in lines] == [1, 2, 3, 4, 5]
    assert [line.previous for line in lines] == [GENESIS, *(line.hash for line in lines[:-1])]
    assert ledger.head(five) == lines[-1].hash
    assert (lines[0].actor, lines[0].actor_source) == ("ann@example.com", "argument")


def test_two_processes_keep_one_chain(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("ann", "bob")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    lines = read(tmp_path)
    assert [line.seq for line in lines] == list(range(1, 101))
    for name in ("ann", "bob"):
        assert [line.payload["number"] for line in lines if line.actor == name] == list(range(50))


@pytest.mark.parametrize("at", range(5))
def test_a_changed_value_is_located(five: Path, at: int) -> None:
    changed = rows(five)
    changed[at] = changed[at].replace(b"ann@", b"bob@")
    ledger_path(five).write_bytes(b"".join(changed))
    assert place(five) == f"audit/ledger.jsonl:{at + 1}"


@pytest.mark.parametrize(
    ("order", "line"),
    [([0, 1, 3, 4], 3), ([0, 2, 1, 3, 4], 2), ([1, 2, 3, 4], 1), ([0, 1, 1, 2, 3, 4], 3), ([4, 0, 1, 2, 3], 1)],
    ids=["removed", "swapped", "first removed", "twice", "last first"],
)
def test_removed_moved_and_repeated_lines_are_located(five: Path, order: list[int], line: int) -> None:
    before = rows(five)
    ledger_path(five).write_bytes(b"".join(before[at] for at in order))
    assert place(five) == f"audit/ledger.jsonl:{line}"


def test_any_flipped_byte_is_located(five: Path) -> None:
    content = ledger_path(five).read_bytes()
    dice = random.Random(3)  # noqa: S311 - a seeded die, no secret
    for _ in range(300):
        at = dice.randrange(len(content))
        flipped = bytes([content[at] ^ (1 << dice.randrange(8))])
        ledger_path(five).write_bytes(content[:at] + flipped + content[at + 1 :])
        assert int(place(five).rpartition(":")[2]) in {1 + content[:at].count(b"\n"), 2 + content[:at].count(b"\n")}
    ledger_path(five).write_bytes(content)
    assert len(read(five)) == 5


def test_an_incomplete_last_line_is_told_and_nothing_is_added(five: Path) -> None:
    ledger_path(five).write_bytes(ledger_path(five).read_bytes()[:-10])
    before = ledger_path(five).read_bytes()
    with pytest.raises(IntegrityError, match=r"ledger\.jsonl:5 I711 the last line was cut off"):
        add(five, 6)
    assert ledger_path(five).read_bytes() == before


def test_a_cut_tail_is_found_by_who_kept_a_head(five: Path) -> None:
    kept = ledger.head(five)
    ledger_path(five).write_bytes(b"".join(rows(five)[:3]))
    assert len(read(five)) == 3
    (found,) = anchor_problems(read(five), Anchor(head=kept))
    assert (found.where, found.code) == ("audit/ledger.jsonl:4", "I714")


def test_a_kept_head_that_is_still_there_is_fine(five: Path) -> None:
    kept = ledger.head(five)
    add(five, 6)
    assert anchor_problems(read(five), Anchor(head=kept)) == ()
    assert anchor_problems(read(five), Anchor(head=GENESIS)) == ()


def test_two_branches_are_joined_by_a_merge_line(five: Path) -> None:
    common = ledger_path(five).read_bytes()
    ours = add(five, 10)
    left = ledger_path(five).read_bytes()
    ledger_path(five).write_bytes(common)
    add(five, 20)
    theirs = add(five, 21)
    right = ledger_path(five).read_bytes()
    ledger_path(five).write_bytes(left + right[len(common) :])
    with pytest.raises(IntegrityError, match="I713 the ledger has 2 heads"):
        add(five, 30)
    joined = ledger.merge(five, ANN)
    assert joined is not None
    assert set(joined.payload["heads"]) == {ours, theirs}
    add(five, 30)
    assert [line.seq for line in read(five)] == [1, 2, 3, 4, 5, 6, 6, 7, 8, 9]
    assert ledger.merge(five, ANN) is None
    cut = rows(five)
    del cut[5]
    ledger_path(five).write_bytes(b"".join(cut))
    assert place(five) == "audit/ledger.jsonl:8"


def test_conflict_marks_of_git_are_told(five: Path) -> None:
    ledger_path(five).write_bytes(ledger_path(five).read_bytes() + b"<<<<<<< HEAD\n")
    with pytest.raises(IntegrityError, match="a conflict of git"):
        read(five)


def test_a_full_disk_leaves_the_ledger_as_it_was(five: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ledger_path(five).read_bytes()

    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(MachineError, match="No space left"):
            add(five, 6)
    assert ledger_path(five).read_bytes() == before
    assert len(read(five)) == 5


def test_secrets_of_addresses_are_not_written(tmp_path: Path) -> None:
    plan = {"data": {"source": "postgresql://ann:pa55w0rd@db.example.com/x"}}
    append(tmp_path, Entry(kind="register", experiment="outreach", actor=ANN, payload={"plan": plan}))
    assert b"pa55w0rd" not in ledger_path(tmp_path).read_bytes()


def test_who_acts_and_how_it_was_established(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # noqa: S607 - the developer's own git
    subprocess.run(["git", "-C", str(tmp_path), "config", "user.email", "git@example.com"], check=True)  # noqa: S607
    named = {"CXCAUSAL_ACTOR": "env@example.com"}
    assert resolve_actor(tmp_path, "arg@example.com", environ=named) == Actor(name="arg@example.com", source="argument")
    assert resolve_actor(tmp_path, environ=named) == Actor(name="env@example.com", source="environment")
    assert resolve_actor(tmp_path, " ", environ={}) == Actor(name="git@example.com", source="git")
    subprocess.run(["git", "-C", str(tmp_path), "config", "user.email", ""], check=True)  # noqa: S607
    assert resolve_actor(tmp_path, environ={}).source == "system"
