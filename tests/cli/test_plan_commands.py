"""The verbs about plans: what they print where, what they write, and the code they leave with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cxcausal.cli import GROUPS, VERBS, main
from cxcausal.cli.starter import DESIGN_TYPES
from cxcausal.core.spec.load import load_experiment

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"
HEAVY = {"pandas", "sklearn", "dowhy", "econml", "mlflow", "ibis", "duckdb", "pyarrow", "jinja2", "rich"}
START = "from cxcausal.cli import main; main()"


@dataclass(frozen=True, kw_only=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def _run(*words: str) -> Ran:
        with pytest.raises(SystemExit) as left:
            main(words)
        told = capsys.readouterr()
        return Ran(code=int(left.value.code or 0), out=told.out, err=told.err)

    return _run


def _process(*words: str, code: str = START, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False, timeout=60)


@pytest.mark.parametrize("design", DESIGN_TYPES)
def test_a_new_plan_is_valid_as_it_is(run: Run, design: str) -> None:
    assert run("new", "my-call", "--design", design).code == 0
    ran = run("validate", "experiments/my_call.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("ok experiments/my_call.yaml: my-call, sha256 ")
    assert load_experiment("experiments/my_call.yaml").spec.design.type == design


def test_new_never_overwrites(run: Run) -> None:
    run("new", "x")
    Path("experiments/x.yaml").write_text("mine", encoding="utf-8")
    ran = run("new", "x", "--json")
    assert ran.code == 2
    assert ran.json["errors"][0]["code"] == "U202"
    assert Path("experiments/x.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["My Plan", "../x", "", "a/b", "x" * 65])
def test_new_wants_a_plain_id(run: Run, name: str) -> None:
    assert run("new", name).code == 2
    assert not Path("experiments").exists()


def test_new_goes_where_it_is_told(run: Run) -> None:
    assert run("new", "x", "--out", "deep/er/plan.yaml", "--json").json["path"] == "deep/er/plan.yaml"
    assert run("validate", "deep/er/plan.yaml").code == 0


def test_a_folder_that_cannot_be_written_is_the_machines_fault(run: Run) -> None:
    Path("experiments").write_text("a file", encoding="utf-8")
    ran = run("new", "x")
    assert ran.code == 6
    assert "E601" in ran.err


def test_validate_tells_all_problems_of_all_plans(run: Run) -> None:
    run("new", "good")
    bad = [str(CORPUS / "plans" / name) for name in ("octal.yaml", "unknown_key.yaml")]
    ran = run("validate", bad[0], "experiments/good.yaml", bad[1])
    assert ran.code == 3
    assert [line.split()[1] for line in ran.err.splitlines()] == ["P204", "P201"]
    assert "ok experiments/good.yaml" in ran.out


def test_validate_in_json_is_one_object(run: Run) -> None:
    run("new", "good")
    ran = run("validate", "--json", "experiments/good.yaml", str(CORPUS / "plans" / "octal.yaml"))
    assert ran.code == 3
    good, bad = ran.json["plans"]
    assert (good["valid"], good["id"], len(good["plan_hash"])) == (True, "good", 64)
    assert (bad["valid"], bad["errors"]) == (False, ran.json["errors"])
    assert set(ran.json["errors"][0]) == {"where", "code", "what", "mend"}
    assert ran.json["schema_version"] == 1


def test_a_plan_that_is_not_there(run: Run) -> None:
    ran = run("validate", "nowhere.yaml")
    assert (ran.code, ran.err) == (3, "nowhere.yaml:1:1 P100 there is no such file — check the path\n")


def test_explain_can_be_read_back(run: Run) -> None:
    run("new", "x")
    first = load_experiment("experiments/x.yaml")
    ran = run("explain", "experiments/x.yaml")
    assert 'and does it pay?"  # from experiments/x.yaml:4:11\n' in ran.out
    assert "alpha: 0.05  # from packaged configs/defaults.yaml:" in ran.out
    Path("again.yaml").write_text(ran.out, encoding="utf-8")
    assert load_experiment("again.yaml").plan_hash == first.plan_hash


def test_explain_reads_back_every_contract_plan(run: Run, shared_contract: Path) -> None:
    for path in (shared_contract / "experiments").glob("*.yaml"):
        first = load_experiment(path)
        ran = run("explain", str(path))
        Path("again.yaml").write_text(ran.out, encoding="utf-8")
        again = load_experiment("again.yaml", root=shared_contract)
        assert (path.name, again.plan_hash) == (path.name, first.plan_hash)


def test_explain_reads_back_whatever_is_in_a_plan(run: Run) -> None:
    run("new", "x")
    text = Path("experiments/x.yaml").read_text(encoding="utf-8")
    columns = 'columns: {churned: {map: {"yes": 1, NO: 0, "": null}}, "odd: name": {unit: "a # b"}}'
    text = text.replace("  unit: customer_id", f'  unit: customer_id\n  {columns}\n  csv: {{delimiter: "\\t"}}')
    text = text.replace("none", "'010'").replace("Roll it out", "'yes'")
    text = text.replace("column: churned,", "column: churned, window: {end: 12w},")
    Path("experiments/x.yaml").write_text(text, encoding="utf-8")
    first = load_experiment("experiments/x.yaml")
    Path("again.yaml").write_text(run("explain", "experiments/x.yaml").out, encoding="utf-8")
    again = load_experiment("again.yaml")
    assert again.plan == first.plan
    assert (again.spec.control, again.spec.decision.actions["ship"]) == ("010", "yes")
    assert again.plan_hash == first.plan_hash


def test_explain_in_json(run: Run) -> None:
    run("new", "x")
    answer = run("explain", "experiments/x.yaml", "--json").json
    assert answer["plan"]["design"]["treatment"]["control"] == "none"
    assert answer["provenance"]["id"] == "experiments/x.yaml:3:5"
    assert answer["errors"] == []


def test_explain_of_a_bad_plan(run: Run) -> None:
    ran = run("explain", str(CORPUS / "plans" / "octal.yaml"), "--json")
    assert (ran.code, [error["code"] for error in ran.json["errors"]]) == (3, ["P204"])


def test_schema(run: Run) -> None:
    assert run("schema").json["title"] == "cxcausal plan"
    assert run("schema", "--out", "deep/s.json").out == "wrote deep/s.json\n"
    assert json.loads(Path("deep/s.json").read_text(encoding="utf-8")) == run("schema", "--json").json


def test_an_id_in_place_of_a_path_is_told_as_such(run: Run) -> None:
    run("new", "b-plan")
    ran = run("validate", "b-plan")
    assert (ran.code, "not its id" in ran.err) == (3, True)


def test_list(run: Run) -> None:
    assert "cxcausal new" in run("list").err
    run("new", "b-plan")
    Path("experiments/a.yaml").write_text("schema_version: 1\n", encoding="utf-8")
    ran = run("list")
    assert [line.split()[:5] for line in ran.out.splitlines()] == [
        ["bad", "-", "-", "-", "experiments/a.yaml"],
        ["ok", "draft", "-", "b-plan", "experiments/b_plan.yaml"],
    ]
    rows = run("list", "--json").json["experiments"]
    assert [(row["id"], row["plan"]) for row in rows] == [(None, "bad"), ("b-plan", "ok")]


@pytest.mark.parametrize(
    "words", [["validte"], ["validate"], ["new", "x", "--design", "magic"], ["--nope"], ["explain"]]
)
@pytest.mark.parametrize("as_json", [False, True])
def test_usage_errors(run: Run, words: list[str], *, as_json: bool) -> None:
    ran = run(*words, *(["--json"] if as_json else []))
    assert ran.code == 2
    assert ran.err.startswith("command line U2")
    if as_json:
        assert ran.json["errors"][0]["mend"]
    else:
        assert ran.out == ""


def test_a_mistyped_verb_is_guessed(run: Run) -> None:
    assert "did you mean 'validate'?" in run("validte").err


@pytest.mark.parametrize("verb", ["new", "validate", "explain", "schema", "list"])
def test_help_teaches_with_an_example(run: Run, verb: str) -> None:
    ran = run(verb, "--help")
    assert ran.code == 0
    assert f"Example:\n    cxcausal {verb} " in ran.out


def test_the_table_of_verbs_is_true() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(VERBS)
    for name, (target, line) in VERBS.items():
        module, _, attribute = target.partition(":")
        assert module.startswith("cxcausal.cli."), name
        assert attribute
        assert line.endswith(".")


def _modules(*words: str) -> set[str]:
    """Return the top-level modules that a command imported."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: sys.stderr.write('\\n@' + ' '.join({name.split('.')[0] for name in sys.modules})))\n"
        + START
    )
    ran = _process(*words, code=code)
    return set(ran.stderr.rpartition("@")[2].split())


def test_help_is_light() -> None:
    seen = _modules("--help")
    assert "click" in seen
    assert not seen & (HEAVY | {"numpy", "scipy", "pydantic", "yaml"})


def test_validate_is_light() -> None:
    seen = _modules("validate", str(CORPUS / "plans" / "octal.yaml"))
    assert "pydantic" in seen
    assert not seen & HEAVY


def test_help_is_quick() -> None:
    def seconds() -> float:
        start = time.perf_counter()
        assert "Analyses:" in _process("--help").stdout
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 1


def test_a_bug_is_one_line_and_a_traceback_only_on_demand() -> None:
    broken = (
        "import cxcausal.cli.plan_commands as p\n"
        "def boom(path):\n    raise ZeroDivisionError('secret')\n"
        "p.load_experiment = boom\n" + START
    )
    ran = _process("explain", "x.yaml", "--json", code=broken)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "B100" in ran.stderr
    assert "secret" not in ran.stderr
    assert json.loads(ran.stdout)["errors"][0]["code"] == "B100"
    assert "ZeroDivisionError: secret" in _process("--verbose", "explain", "x.yaml", code=broken).stderr


def test_an_interrupt_leaves_with_130() -> None:
    broken = (
        "import os, signal\nimport cxcausal.cli.plan_commands as p\n"
        f"p.load_experiment = lambda path: os.kill(os.getpid(), {int(signal.SIGINT)})\n" + START
    )
    ran = _process("explain", "x.yaml", code=broken)
    assert ran.returncode == 130
    assert "Traceback" not in ran.stderr
