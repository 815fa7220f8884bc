"""Hostile plans: nothing is executed, written or read outside the project, or fetched; and nothing crashes."""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.corpus.hostile_runner import Watch

HOSTILE = Path(__file__).parent / "hostile"
PLANS = sorted(HOSTILE.glob("*.yaml"))
CANARY = "canary-of-what-is-hidden"
BENIGN = """schema_version: 1
id: warm-up
question: Does a call keep customers?
owner: team@example.com
retrospective: true
data: {source: data/good.csv, unit: id}
design: {type: randomized, treatment: {column: arm, control: none, arms: {none: {}, call: {}}}}
metrics: {success: [{name: churn, type: proportion, column: churned, desired_direction: decrease}]}
"""
SLOWEST = 20
"""Seconds for one plan on a machine that is busy with others; an attack on time takes minutes."""
Steps = list[dict[str, Any]]


def expected(plan: Path) -> int:
    """Return the exit code that the plan's first line says."""
    found = re.match(r"# exit: (\d)", plan.read_text(encoding="utf-8", errors="replace"))
    assert found is not None, plan.name
    return int(found[1])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Path:
    """A project with data, links that leave it, and something outside that must not be read."""
    folder = tmp_path_factory.mktemp("hostile")
    outside, project = folder / "outside", folder / "project"
    for made in (outside, project / "data", project / "experiments", project / "configs", project / ".cxcausal"):
        made.mkdir(parents=True)
    rows = "".join(f"c{at},{('none', 'call')[at % 2]},{int(at % 5 == 0)}\n" for at in range(400))
    (project / "data" / "good.csv").write_text("id,arm,churned\n" + rows)
    with duckdb.connect(str(project / "data" / "good.duckdb")) as database:
        database.execute("create table customers (id varchar, arm varchar, churned integer)")
    (outside / "secret.csv").write_text(f"id,arm,churned\n{CANARY},none,0\n{CANARY}2,call,1\n")
    (outside / "secret.yaml").write_text(f"owner: {CANARY}\n")
    (project / "data" / "link.csv").symlink_to(outside / "secret.csv")
    (project / "data" / "linked").symlink_to(outside)
    (project / "configs" / "project.yaml").write_text("schema_version: 1\norganisation: Test Mobile\n")
    (project / "experiments" / "warm_up.yaml").write_text(BENIGN)
    shutil.copyfile(mlflow_template, project / ".cxcausal" / "mlflow.db")
    for plan in PLANS:
        shutil.copy(plan, project / "experiments" / plan.name)
    return project


@pytest.fixture(scope="module")
def done(root: Path) -> dict[str, Steps]:
    """What every plan did, in one process that was watched."""
    temporary = root / "tmp"
    temporary.mkdir()
    hidden = {"HOSTILE_SECRET": CANARY, "HOSTILE_PATH": "../outside/secret.csv", "TMPDIR": str(temporary)}
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": str(temporary), "CXCAUSAL_ACTOR": "analyst@example.com"}
    paths = os.pathsep.join([str(Path(__file__).resolve().parents[2]), *sys.path])
    command = [sys.executable, "-m", "tests.corpus.hostile_runner", str(root), *(plan.name for plan in PLANS)]
    ran = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, **hidden, **quiet, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, Steps] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("plan", PLANS, ids=[plan.stem for plan in PLANS])
def test_nothing_but_the_documented_exit_comes_of_it(plan: Path, done: dict[str, Steps]) -> None:
    steps = done[plan.name]
    assert [step["crash"] for step in steps] == [""] * len(steps)
    assert [step["seen"] for step in steps] == [[]] * len(steps)
    assert steps[-1]["code"] == expected(plan), steps[-1]["text"]
    assert max(step["seconds"] for step in steps) < SLOWEST
    for step in steps:
        assert CANARY not in step["text"]
        assert "Traceback" not in step["text"]
        assert all(sign.isprintable() or sign == "\n" for sign in step["text"])


@pytest.mark.parametrize(
    ("event", "arguments", "breach"),
    [
        ("os.system", (b"touch pwned",), True),
        ("subprocess.Popen", ("sh", ["sh", "-c", "touch pwned"], None, None), True),
        ("subprocess.Popen", ("git", ["git", "status"], None, None), False),
        ("socket.connect", (None, ("127.0.0.1", 9)), True),
        ("open", ("/etc/passwd", "w", os.O_WRONLY | os.O_CREAT), True),
        ("open", ("/elsewhere/outside/secret.csv", "r", os.O_RDONLY), True),
        ("compile", (b"open('pwned', 'w')", "<string>"), True),
        ("exec", (compile("x = 'pwned'", "<string>", "exec"),), True),
        ("compile", (b"x = 1", "<string>"), False),
        ("os.remove", ("/etc/passwd", -1), True),
        ("pickle.find_class", ("os", "system"), True),
    ],
)
def test_the_watch_sees_what_it_should(event: str, arguments: tuple[Any, ...], *, breach: bool, tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch(event, arguments)
    assert watch.seen == []
    watch.on = True
    watch(event, arguments)
    assert bool(watch.seen) == breach


def test_there_are_enough_of_them() -> None:
    assert len(PLANS) >= 40


def test_nothing_was_left_outside_and_no_secret_inside(root: Path, done: dict[str, Steps]) -> None:
    assert done
    assert sorted(path.name for path in (root.parent / "outside").iterdir()) == ["secret.csv", "secret.yaml"]
    assert sorted(path.name for path in root.parent.iterdir()) == ["outside", "project"]
    assert not [path for path in root.rglob("*pwned*") if path.is_file()]
    kept = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and "linked" not in path.parts]
    assert not [path for path in kept if CANARY.encode() in path.read_bytes()]


class _Tags(HTMLParser):
    """The tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.handlers, self.addresses = 0, list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag in {"script", "iframe", "object", "embed", "img"}
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [str(value) for name, value in attrs if name in {"href", "src"} and value]


def test_the_pages_hold_words_and_nothing_that_runs(root: Path, done: dict[str, Steps]) -> None:
    assert done
    pages = sorted((root / "reports").rglob("index.html"))
    assert len(pages) >= 8
    for page in pages:
        tags = _Tags()
        tags.feed(page.read_text(encoding="utf-8"))
        assert tags.scripts == 0
        assert tags.handlers == []
        assert all(address.startswith("#") for address in tags.addresses), tags.addresses
