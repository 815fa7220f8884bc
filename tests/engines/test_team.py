"""A team's set-up on this machine: an MLflow server on a real PostgreSQL, two clients, and a server that dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cxcausal.tracking import mlflow_sink, tracker
from cxcausal.tracking.mlflow_sink import CALM
from cxcausal.tracking.sync import send_run
from tests.e2e.project import ROOT, Finished, Project, customers, new_project
from tests.engines.postgres import Server

PASSWORD = "Wq8-kanari-team"  # noqa: S105 - of nobody
SERVE = ROOT / "docs/team/serve.sh"


class Team:
    """The server of a team, which can be killed and started again on the same database and artifacts."""

    def __init__(self, store: str, folder: Path, port: int) -> None:
        self.store, self.folder, self.port = store, folder, port
        self.uri = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        mlflow = Path(sys.executable).with_name("mlflow")
        told = {"TEAM_STORE": self.store, "TEAM_ARTIFACTS": str(self.folder / "artifacts"), "TEAM_PORT": str(self.port)}
        surroundings = {**os.environ, **told, "TEAM_WORKERS": "1", "TEAM_MLFLOW": str(mlflow)}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", str(SERVE)],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=surroundings,
                start_new_session=True,
            )
        until = time.monotonic() + 90
        while not self._answers():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.2)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, how)
            self.process.wait(timeout=30)
            self.process = None

    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def asked(self, path: str, question: dict[str, Any] | None = None) -> Any:
        body = None if question is None else json.dumps(question).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.uri}/api/2.0/{path}", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            raw = answer.read()
        return json.loads(raw) if raw.startswith((b"{", b"[")) else raw

    def runs(self, experiment: str) -> list[Any]:
        found = self.asked("mlflow/experiments/search", {"max_results": 50})["experiments"]
        ids = [item["experiment_id"] for item in found if item["name"] == experiment]
        return list(self.asked("mlflow/runs/search", {"experiment_ids": ids}).get("runs", [])) if ids else []

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2):  # noqa: S310 - loopback
                return True
        except OSError:
            return False


@contextmanager
def _database(postgres: Server) -> Iterator[str]:
    """A database of its own, of a user with a password."""
    if postgres.admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'guarded'").fetchall():
        postgres.admin.execute("DROP OWNED BY guarded")  # another test's
        postgres.admin.execute("DROP ROLE guarded")
    postgres.admin.execute(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
    postgres.admin.execute("CREATE DATABASE team OWNER guarded")
    yield postgres.url(user="guarded", password=PASSWORD, database="team")
    postgres.admin.execute("DROP DATABASE team WITH (FORCE)")
    postgres.admin.execute("DROP OWNED BY guarded")
    postgres.admin.execute("DROP ROLE guarded")


@pytest.fixture(scope="module")
def team(postgres: Server, tmp_path_factory: pytest.TempPathFactory, free_port_of_module: int) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    with _database(postgres) as store:
        made = Team(store, folder, free_port_of_module)
        made.start()
        try:
            yield made
        finally:
            made.kill()


@pytest.fixture(scope="module")
def free_port_of_module() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.fixture
def clients(tmp_path: Path, mlflow_template: Path, team: Team, monkeypatch: pytest.MonkeyPatch) -> list[Project]:
    """Two people's checkouts, told of the server by the project's file."""
    monkeypatch.setenv("CXCAUSAL_ACTOR", "analyst@example.com")
    monkeypatch.setattr(tracker, "send_run", partial(send_run, patience=CALM))  # a busy machine is no dead server
    return [_client(tmp_path / name, mlflow_template, team.uri) for name in ("ann", "ben")]


def _client(root: Path, mlflow_template: Path, uri: str) -> Project:
    made = new_project(root, mlflow_template)
    told = (root / "configs/project.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in told if not line.startswith("tracking_uri")]
    made.write("configs/project.yaml", "\n".join([*kept, f"tracking_uri: {uri}", ""]))
    made.data(customers(400))
    return made


def _run(client: Project, name: str) -> Finished:
    return client.cx("run", client.plan(name=name, id=name), "--json")


def test_two_clients_runs_are_on_the_server(team: Team, clients: list[Project]) -> None:
    ran = [_run(client, "together") for client in clients]
    assert [done.code for done in ran] == [0, 0], [done.err for done in ran]
    assert not any("warning" in done.err for done in ran), [done.err for done in ran]
    found = {_named(run["data"]["tags"])["cx.run_id"]: run for run in team.runs("cx/together")}
    assert set(found) == {done.json["run_id"] for done in ran}
    for done in ran:
        run = found[done.json["run_id"]]
        (effect,) = [e for e in done.json["effects"] if e["headline"] and e["scale"] == "absolute"]
        assert run["info"]["status"] == "FINISHED"
        assert _named(run["data"]["params"])["verdict"] == done.json["verdict"]
        assert _named(run["data"]["metrics"])["effect/churn/call/point"] == effect["point"]
        page = team.asked(
            f"mlflow-artifacts/artifacts/{run['info']['artifact_uri'].partition(':/')[2]}/report/index.html"
        )
        assert page.startswith(b"<!doctype html>")
    assert [json.loads(client.cx("sync", "--json").out)["sent"] for client in clients] == [[], []]


def test_a_server_that_dies_in_the_middle(team: Team, clients: list[Project], monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben = clients
    told = mlflow_sink._log_numbers

    def then_it_dies(*asked: Any) -> None:
        told(*asked)
        team.kill()

    with monkeypatch.context() as dying:
        dying.setattr(mlflow_sink, "_log_numbers", then_it_dies)
        half = _run(ann, "halved")
    waits = _run(ben, "halved")
    for done in (half, waits):
        assert done.code == 0, done.err
        assert "E610" in done.err
    assert [client.cx("audit", "verify").code for client in clients] == [0, 0]
    team.start()
    assert [run["info"]["status"] for run in team.runs("cx/halved")] == ["RUNNING"]
    for client, done in zip(clients, (half, waits), strict=True):
        for sent in ([done.json["run_id"]], [], []):
            assert json.loads(client.cx("sync", "--json").out)["sent"] == sent
    assert sorted(run["info"]["status"] for run in team.runs("cx/halved")) == ["FINISHED", "FINISHED"]


def test_a_wrong_password_is_not_told(team: Team, clients: list[Project], monkeypatch: pytest.MonkeyPatch) -> None:
    client = clients[0]
    wrong = team.store.replace(PASSWORD, "${env:CX_TEAM_PASSWORD}").replace("postgresql:", "postgresql+psycopg:")
    config = (client.root / "configs/project.yaml").read_text(encoding="utf-8")
    client.write("configs/project.yaml", config.replace(team.uri, f'"{wrong}"'))
    unset = _run(client, "guarded")
    assert (unset.code, "E640" in unset.err) == (0, True), unset.err
    monkeypatch.setenv("CX_TEAM_PASSWORD", f"not-{PASSWORD}")
    done = _run(client, "guarded")
    assert (done.code, "E610" in done.err) == (0, True), done.err
    assert not client.root.joinpath("mlruns").exists()
    sent = client.cx("sync", "--verbose")
    record = b"".join(path.read_bytes() for path in client.root.rglob("*") if path.is_file())
    assert PASSWORD not in done.err + done.out + sent.err + sent.out
    assert PASSWORD.encode() not in record
    assert PASSWORD not in team.log()


def _named(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["key"]: item["value"] for item in items}
