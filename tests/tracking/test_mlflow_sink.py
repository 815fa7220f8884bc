"""One analysis, one MLflow run: read back from SQLite, from a server, and after a server that did not answer."""

import contextlib
import csv
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.canonical import sha256_of
from cxcausal.core.results import RunResult
from cxcausal.tracking.audit import audit
from cxcausal.tracking.mlflow_sink import open_store
from cxcausal.tracking.sync import sync
from cxcausal.tracking.tracker import Recorded, Tracker
from cxcausal.tracking.tracking_uri import DEFAULT_URI, resolve_uri

MakeResult = Callable[..., RunResult]
PAGE = b"<!doctype html><title>outreach</title>"


def record(root: Path, make_result: MakeResult, *, uri: str = DEFAULT_URI, **changes: Any) -> Recorded:
    tracker = Tracker(root, uri, actor="ann@example.com")
    with tracker.open(changes.get("experiment", "outreach")) as store:
        return tracker.record(store, make_result(store.run_id, **changes), PAGE)


def runs_in(root: Path, experiment: str = "cx/outreach") -> list[Any]:
    client = open_store(resolve_uri(root, DEFAULT_URI))
    found = client.get_experiment_by_name(experiment)
    return [] if found is None else list(client.search_runs([found.experiment_id]))


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_round_trip_through_sqlite(project: Path, make_result: MakeResult) -> None:
    recorded = record(project, make_result)
    (run,) = runs_in(project)
    assert recorded.warnings == ()
    assert run.info.run_id == recorded.mlflow_run_id
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {
        "effect/churn/agent/point": -0.02,
        "effect/churn/agent/low": -0.03,
        "effect/churn/agent/high": -0.01,
        "effect/spend/agent/point": 2.5,
    }
    assert run.data.params["verdict"] == "ship"
    assert run.data.params["seed"] == "7"
    assert run.data.tags["cx.run_id"] == recorded.run_id
    assert run.data.tags["cx.plan_hash"] == make_result("x").plan_hash
    assert run.data.tags["cx.ledger_head"] == recorded.ledger_head
    assert run.data.tags["cx.manifest_hash"] == recorded.manifest_hash
    assert run.data.tags["cx.registered"] == "false"
    (dataset,) = run.inputs.dataset_inputs
    assert {tag.key: tag.value for tag in dataset.tags}["cx.sha256"] == "ab" * 32
    assert dataset.dataset.digest == "ab" * 16


def test_artifacts_are_the_files_of_the_run(project: Path, make_result: MakeResult, plan: dict[str, Any]) -> None:
    recorded = record(project, make_result)
    client = open_store(resolve_uri(project, DEFAULT_URI))
    folder = Path(client.download_artifacts(str(recorded.mlflow_run_id), ""))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert names == [
        "manifest.json",
        "plan/resolved.json",
        "report/index.html",
        "results/effects.csv",
        "results/results.json",
    ]
    assert folder.is_relative_to(project / ".cxcausal/artifacts")
    assert (folder / "report/index.html").read_bytes() == PAGE
    assert sha256_of(json.loads((folder / "plan/resolved.json").read_bytes())) == sha256_of(plan)
    rows = list(csv.DictReader(io.StringIO((folder / "results/effects.csv").read_text(encoding="utf-8"))))
    assert [(row["metric"], row["point"]) for row in rows][:2] == [("churn", "-0.02"), ("churn", "-0.2")]


def test_nothing_on_stdout_and_no_stray_store(tmp_path: Path, mlflow_template: Path) -> None:
    """In a process of its own, with another current folder than the root, and with the template's store absent."""
    here = Path(__file__).resolve().parent
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "root/.cxcausal").mkdir(parents=True)
    (tmp_path / "root/.cxcausal/mlflow.db").write_bytes(mlflow_template.read_bytes())
    script = (
        "import sys, runpy; from pathlib import Path; from cxcausal.tracking.tracker import Tracker\n"
        f"make = runpy.run_path({str(here / 'conftest.py')!r})['result']\n"
        f"tracker = Tracker(Path({str(tmp_path / 'root')!r}))\n"
        "with tracker.open('outreach') as store:\n"
        "    print(tracker.record(store, make(store.run_id), b'x').warnings, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(here.parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == ""
    assert done.stderr.strip() == "()"
    assert list(elsewhere.iterdir()) == []


def test_refused_server_leaves_the_run_pending(project: Path, make_result: MakeResult, free_port: int) -> None:
    before = time.monotonic()
    recorded = record(project, make_result, uri=f"http://ann:pa55w0rd@127.0.0.1:{free_port}")
    assert time.monotonic() - before < 5
    (warning,) = recorded.warnings
    assert "refuses the connection" in warning
    assert "cxcausal sync" in warning
    assert "pa55w0rd" not in warning
    assert recorded.mlflow_run_id is None
    noted = (recorded.directory / "mlflow.json").read_text(encoding="utf-8")
    assert json.loads(noted)["state"] == "pending"
    assert "pa55w0rd" not in noted
    assert json.loads((recorded.directory / "status.json").read_bytes())["status"] == "FINISHED"


def test_three_syncs_make_one_run(project: Path, make_result: MakeResult, free_port: int) -> None:
    recorded = record(project, make_result, uri=f"http://127.0.0.1:{free_port}")
    synced = [sync(project, DEFAULT_URI) for _ in range(3)]
    assert [len(one.sent) for one in synced] == [1, 0, 0]
    (recorded.directory / "mlflow.json").unlink()
    assert sync(project, DEFAULT_URI).sent == (recorded.run_id,)
    (run,) = runs_in(project)
    assert run.data.tags["cx.ledger_head"] == recorded.ledger_head


def test_sync_completes_a_run_that_was_cut_off(project: Path, make_result: MakeResult, free_port: int) -> None:
    recorded = record(project, make_result, uri=f"http://127.0.0.1:{free_port}")
    client = open_store(resolve_uri(project, DEFAULT_URI))
    place = (project / ".cxcausal/artifacts/outreach").as_uri()
    experiment = client.create_experiment("cx/outreach", artifact_location=place)
    half = client.create_run(experiment, tags={"cx.run_id": recorded.run_id})
    assert sync(project, DEFAULT_URI).sent == (recorded.run_id,)
    (run,) = runs_in(project)
    assert run.info.run_id == half.info.run_id
    assert run.info.status == "FINISHED"
    assert run.data.metrics["effect/churn/agent/low"] == -0.03


def test_sync_refuses_results_that_were_edited(project: Path, make_result: MakeResult, free_port: int) -> None:
    recorded = record(project, make_result, uri=f"http://127.0.0.1:{free_port}")
    recorded.results.write_bytes(recorded.results.read_bytes().replace(b"ship", b"stop"))
    synced = sync(project, DEFAULT_URI)
    assert synced.sent == ()
    assert synced.pending == (recorded.run_id,)
    assert "results/results.json" in synced.warnings[0]
    assert runs_in(project) == []


def test_hung_server_is_noticed_within_five_seconds(project: Path, make_result: MakeResult) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        before = time.monotonic()
        recorded = record(project, make_result, uri=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert time.monotonic() - before < 5
    assert recorded.mlflow_run_id is None
    assert "no answer" in recorded.warnings[0]


class Ill(BaseHTTPRequestHandler):
    """A server that says it is well, and then fails or falls silent."""

    def do_GET(self) -> None:
        self.answer(200 if self.path.endswith("/health") else 500)

    def do_POST(self) -> None:
        self.answer(500)

    def answer(self, status: int) -> None:
        if status == 500 and self.path.startswith("/hangs"):
            time.sleep(6)
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("name", ["fails", "hangs"])
def test_ill_server_is_noticed_too(project: Path, make_result: MakeResult, name: str) -> None:
    import_mlflow_first = open_store(resolve_uri(project, DEFAULT_URI))
    assert import_mlflow_first.tracking_uri.startswith("sqlite:")
    with ThreadingHTTPServer(("127.0.0.1", 0), Ill) as ill:
        thread = threading.Thread(target=ill.serve_forever, daemon=True)
        thread.start()
        before = time.monotonic()
        recorded = record(project, make_result, uri=f"http://127.0.0.1:{ill.server_port}/{name}")
        took = time.monotonic() - before
        ill.shutdown()
    assert took < 5
    assert recorded.mlflow_run_id is None
    assert "MLflow did not take this run" in recorded.warnings[0]


def test_corrupt_store_is_a_warning(project: Path, make_result: MakeResult) -> None:
    (project / ".cxcausal/mlflow.db").write_bytes(b"not a database, but long enough to be taken for one")
    recorded = record(project, make_result)
    assert "not a SQLite database" in recorded.warnings[0]
    damaged = b"SQLite format 3\x00" + b"\xff" * 4096
    (project / ".cxcausal/mlflow.db").write_bytes(damaged)
    assert "the database is damaged" in record(project, make_result).warnings[0]
    assert (project / ".cxcausal/mlflow.db").read_bytes() == damaged


@contextmanager
def server(root: Path, port: int) -> Iterator[str]:
    """An `mlflow server` on the project's own store, started for the test and ended with it."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = ["--backend-store-uri", resolve_uri(root, DEFAULT_URI), "--artifacts-destination", str(root / "served")]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *store], stdout=log, stderr=log, env=environment, cwd=root, start_new_session=True
        )
        try:
            yield wait_for(f"http://127.0.0.1:{port}", process, root / "server.log")
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=20)


def wait_for(uri: str, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=2):  # noqa: S310 - loopback
                return uri
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def asked(uri: str, question: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(question).encode()
    request = urllib.request.Request(uri, data=body, headers=headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def test_a_server_shows_what_was_recorded(project: Path, make_result: MakeResult, free_port: int) -> None:
    """Through the REST API: a run written to the file before, and one sent to the server itself."""
    local = record(project, make_result)
    with server(project, free_port) as uri:
        remote = record(project, make_result, uri=uri, experiment="winback")
        api = f"{uri}/api/2.0/mlflow"
        experiments = asked(f"{api}/experiments/search", {"max_results": 10})["experiments"]
        ids = {item["name"]: item["experiment_id"] for item in experiments}
        assert {"cx/outreach", "cx/winback"} <= set(ids)
        for name, recorded in (("cx/outreach", local), ("cx/winback", remote)):
            (run,) = asked(f"{api}/runs/search", {"experiment_ids": [ids[name]]})["runs"]
            tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
            metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
            assert run["info"]["status"] == "FINISHED"
            assert tags["cx.run_id"] == recorded.run_id
            assert tags["cx.ledger_head"] == recorded.ledger_head
            assert metrics["effect/churn/agent/point"] == -0.02
        listing = f"{api}/artifacts/list?run_id={remote.mlflow_run_id}&path=report"
        with urllib.request.urlopen(listing, timeout=10) as answer:  # noqa: S310 - loopback
            assert [item["path"] for item in json.load(answer)["files"]] == ["report/index.html"]
        sound = audit(project, tracking_uri=uri)
        assert (sound.in_mlflow, sound.problems, len(sound.notes)) == (2, (), 1)
        open_store(uri).set_tag(remote.mlflow_run_id, "cx.verdict", "stop")
        (found,) = audit(project, tracking_uri=uri).problems
        assert (found.code, found.where) == ("I743", f"mlflow winback/{remote.run_id} tag cx.verdict")
    assert remote.warnings == ()
