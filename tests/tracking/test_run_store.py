"""A run's folder is whole or absent, and its status is true however the run ends."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from cxcausal.core.errors import DataError, IntegrityError, MachineError, Problem, UsageError
from cxcausal.tracking.files import write_atomic
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.open_run import OpenRun, Terminated
from cxcausal.tracking.reaper import reap
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.run_store import RunStore

ROOT = Path(__file__).resolve().parents[2]
STAGES = """
import sys, time
from pathlib import Path
from cxcausal.tracking.open_run import OpenRun
with OpenRun(Path(sys.argv[1]), "outreach") as store:
    for number in range(10_000):
        store.save(f"stage-{number}", {"numbers": list(range(3000)), "number": number})
        print(number, flush=True)
"""


def started(root: Path) -> subprocess.Popen[str]:
    """A process that writes stages without end, once it has written three."""
    process = subprocess.Popen(
        [sys.executable, "-c", STAGES, str(root)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    return process


def ended(process: subprocess.Popen[str], number: int) -> int:
    process.send_signal(number)
    process.communicate(timeout=30)
    return process.returncode


def test_stages_are_canonical_json(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path, "outreach")
    store.save("moments", {"all": {("agent", "north"): float("nan")}})
    assert (store.directory / "stages/moments.json").read_bytes() == b'{"all":{"[\\"agent\\",\\"north\\"]":null}}'
    assert store.directory == tmp_path / ".cxcausal/runs/outreach" / store.run_id
    assert (tmp_path / ".cxcausal").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", "a..b", ".hidden", "a\x00b", "x" * 200])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="U210"):
        RunStore.create(tmp_path, name)
    with pytest.raises(UsageError, match="U210"):
        RunStore.create(tmp_path, "outreach").save(name, {})


def test_kill_9_leaves_whole_stages_and_nothing_finished(tmp_path: Path) -> None:
    process = started(tmp_path)
    assert ended(process, signal.SIGKILL) == -signal.SIGKILL
    (folder,) = run_folders(tmp_path)
    stages = sorted((folder / "stages").glob("stage-*.json"))
    assert len(stages) >= 3
    assert all(len(json.loads(path.read_bytes())["numbers"]) == 3000 for path in stages)
    assert read_status(folder).status == "RUNNING"
    assert reap(tmp_path) == (folder.name,)
    assert read_status(folder).status == "KILLED"
    assert reap(tmp_path) == ()


def test_sigterm_is_killed_and_143(tmp_path: Path) -> None:
    assert ended(started(tmp_path), signal.SIGTERM) == 143
    (folder,) = run_folders(tmp_path)
    assert (read_status(folder).status, read_status(folder).reason) == ("KILLED", "SIGTERM")


def test_ctrl_c_is_killed(tmp_path: Path) -> None:
    ended(started(tmp_path), signal.SIGINT)
    (folder,) = run_folders(tmp_path)
    assert (read_status(folder).status, read_status(folder).reason) == ("KILLED", "interrupted")


def test_living_runs_and_other_hosts_are_not_reaped(tmp_path: Path) -> None:
    mine = RunStore.create(tmp_path, "outreach")
    theirs = RunStore.create(tmp_path, "outreach")
    stranger = json.loads((theirs.directory / "status.json").read_bytes())
    stranger.update(host="another-host", process=2**22 - 1)
    (theirs.directory / "status.json").write_text(json.dumps(stranger), encoding="utf-8")
    assert reap(tmp_path) == ()
    assert mine.status().status == "RUNNING"


def test_a_recycled_process_number_is_not_the_owner(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path, "outreach")
    status = json.loads((store.directory / "status.json").read_bytes())
    if status["started_ticks"] == 0:
        pytest.skip("this system does not tell when a process started")
    status["started_ticks"] -= 1
    (store.directory / "status.json").write_text(json.dumps(status), encoding="utf-8")
    assert reap(tmp_path) == (store.run_id,)


def data_error() -> NoReturn:
    raise DataError(Problem(where="file row 4", code="D412", what="customer 00123 twice", mend="remove one"))


def test_an_error_of_ours_is_failed_with_its_code_and_without_its_text(tmp_path: Path) -> None:
    with pytest.raises(DataError), OpenRun(tmp_path, "outreach") as store:
        data_error()
    assert (store.status().status, store.status().reason) == ("FAILED", "DataError: D412")


def test_any_other_exception_is_failed_with_its_type(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), OpenRun(tmp_path, "outreach") as store:
        _ = 1 / 0
    assert (store.status().status, store.status().reason) == ("FAILED", "ZeroDivisionError")


def test_the_old_signal_handler_comes_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), OpenRun(tmp_path, "outreach"):  # noqa: PT012 - the handler is seen from inside
        assert signal.getsignal(signal.SIGTERM) is not before
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_no_handler_is_installed(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with OpenRun(tmp_path, "outreach"):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
    assert read_status(run_folders(tmp_path)[0]).status == "FAILED"


def test_finished_needs_a_manifest(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path, "outreach")
    with pytest.raises(IntegrityError, match=r"manifest\.json I702"):
        store.finish("FINISHED")
    assert store.status().status == "RUNNING"


def test_a_final_status_stays(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path, "outreach")
    store.finish("FAILED", "first")
    store.finish("KILLED", "second")
    assert (store.status().status, store.status().reason) == ("FAILED", "first")


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.json"
    write_atomic(path, b"old")

    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="E601 could not write this file: No space left on device"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
