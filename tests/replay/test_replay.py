"""`replay`: a recorded run made once more; every class of difference is made here by what it stands for."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxcausal.core.protocols import DatasetWithRows
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data.opening import open_dataset
from cxcausal.estimators import difference_in_means as estimator
from cxcausal.reviewing.replay_classes import UnitCounts
from cxcausal.reviewing.replay_units import KeptUnits
from cxcausal.reviewing.replaying import replay
from cxcausal.tracking import code_state, ledger, manifest
from cxcausal.tracking.actor import resolve_actor
from cxcausal.tracking.recorded_run import RecordedRun
from tests.e2e.project import Project, customers, new_project
from tests.resuming.stopping import newest

PLAN = "experiments/callback.yaml"
DATA = "data/callback.csv"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Project:
    """A project with one finished run, to be copied."""
    made = new_project(tmp_path_factory.mktemp("finished") / "project", mlflow_template)
    made.data(customers())
    made.plan(retrospective=True, reruns={"keep_units": False})
    done = made.cx("run", PLAN)
    assert done.code == 0, done.err
    return made


@pytest.fixture
def run(finished: Project, tmp_path: Path) -> Project:
    return Project(root=Path(shutil.copytree(finished.root, tmp_path / "project")))


def replayed(project: Project, *words: str, code: int = 0) -> Any:
    """Replay the newest run on the command line, and hold it to its word that nothing is written."""
    before = project.fingerprint()
    done = project.cx("replay", newest(project.root).name, *words, "--json")
    assert done.code == code, done.err
    assert project.fingerprint() == before
    return done.json


def kinds(found: Any) -> set[str]:
    return {one["kind"] for one in found["differences"]}


def moved(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    """Let the estimator err from now on, as another version of it might."""
    rows = estimator.DifferenceInMeans.compare

    def other(*words: Any) -> Any:
        return tuple(_Moved(row, by) for row in rows(*words))

    monkeypatch.setattr(estimator.DifferenceInMeans, "compare", other)


class _Moved:
    """A comparison whose point is another number."""

    def __init__(self, comparison: Any, by: float) -> None:
        self._comparison, self._by = comparison, by
        self.confirmatory = comparison.confirmatory

    def at(self, alpha: float) -> Any:
        row = self._comparison.at(alpha)
        return row if row.point is None else dataclasses.replace(row, point=row.point * (1 + self._by))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._comparison, name)


def other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_state, "package_sha256", lambda: "0" * 64)


def other_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here = manifest.machine()
    packages = {**here.packages, "numpy": "1.0.0"}
    monkeypatch.setattr(manifest, "machine", lambda: dataclasses.replace(here, packages=packages))


def test_the_same_machine_gives_the_same_bits(run: Project) -> None:
    found = replayed(run)
    assert (found["outcome"], found["differences"], found["changed"]) == ("IDENTICAL", [], [])
    assert found["compared"] > 60
    shown = run.cx("replay", newest(run.root).name)
    assert shown.out.startswith(f"callback {found['run_id']}: IDENTICAL\n")


def test_the_stored_plan_counts_and_not_the_file(run: Project) -> None:
    run.plan(retrospective=True, analysis={"alpha": 0.2})
    assert replayed(run)["outcome"] == "IDENTICAL"
    (run.root / PLAN).unlink()
    assert replayed(run)["outcome"] == "IDENTICAL"


def test_a_run_of_other_data_is_replayed_on_those(run: Project) -> None:
    run.data(customers(3000), "other/fresh.csv")
    assert run.cx("run", PLAN, "--on", "other/fresh.csv").code == 0
    assert replayed(run)["outcome"] == "IDENTICAL"
    (run.root / "other/fresh.csv").rename(run.root / "moved.csv")
    (problem,) = replayed(run, code=6)["errors"]
    assert (problem["code"], "other/fresh.csv" in problem["what"]) == ("E620", True)
    assert replayed(run, "--on", "moved.csv")["outcome"] == "IDENTICAL"


def test_what_changed_without_moving_a_number_is_told(run: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    other_code(monkeypatch)
    other_machine(monkeypatch)
    (run.root / "requirements.lock").write_text("numpy==1.0.0\n")
    found = replayed(run)
    assert found["outcome"] == "IDENTICAL"
    assert {one["what"] for one in found["changed"]} == {"source of cxcausal, SHA-256", "package numpy", "lock file"}
    numpy = next(one for one in found["changed"] if one["what"] == "package numpy")
    assert (numpy["then"], numpy["now"]) == (manifest._version("numpy"), "1.0.0")


@pytest.mark.parametrize("by", [1e-13, 5e-10])
def test_rounding_is_within_tolerance(run: Project, monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    moved(monkeypatch, by)
    other_machine(monkeypatch)
    found = replayed(run)
    assert (found["outcome"], kinds(found)) == ("WITHIN_TOLERANCE", {"WITHIN_TOLERANCE"})


@pytest.mark.parametrize("by", [2e-9, 0.01])
def test_other_packages_explain_other_numbers(run: Project, monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    moved(monkeypatch, by)
    other_machine(monkeypatch)
    found = replayed(run)
    assert found["outcome"] == "ENV_CHANGED"
    assert "ENV_CHANGED" in kinds(found)


def test_other_code_explains_other_numbers(run: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    moved(monkeypatch, 0.01)
    other_code(monkeypatch)
    found = replayed(run)
    assert (found["outcome"], kinds(found), found["notes"]) == ("CODE_CHANGED", {"CODE_CHANGED"}, [])
    point = next(one for one in found["differences"] if one["name"].endswith(" point") and "churn" in one["name"])
    assert point["now"] == pytest.approx(1.01 * point["then"])


def test_code_and_environment_together_can_not_be_told_apart(run: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    moved(monkeypatch, 0.01)
    other_code(monkeypatch)
    other_machine(monkeypatch)
    found = replayed(run)
    assert found["outcome"] == "CODE_CHANGED"
    assert found["notes"] == ["Code and environment both changed, and what each of them moved can't be told apart."]


def test_what_nothing_explains_is_an_alarm(run: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    moved(monkeypatch, 0.01)
    assert replayed(run, code=7)["outcome"] == "UNEXPLAINED"


def restated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(churned=[1] * 40 + list(frame.churned[40:-60]) + [1] * 60)


@pytest.mark.parametrize(
    ("change", "kind"),
    [(restated, "DATA_RESTATED"), (lambda _: customers(2400), "DATA_LATE")],
    ids=["restated", "late"],
)
def test_without_kept_units_counts_alone_tell_what_became_of_the_data(run: Project, change: Any, kind: str) -> None:
    run.data(change(customers()))
    found = replayed(run)
    assert (found["outcome"], kinds(found)) == (kind, {kind})
    assert [one["part"] for one in found["changed"]] == ["data"]
    assert "from counts of rows alone" in found["notes"][0]


def test_rows_that_are_gone_were_erased_only_if_the_ledger_says_so(run: Project) -> None:
    run.data(customers().iloc[100:])
    assert replayed(run, code=7)["outcome"] == "UNEXPLAINED"
    removed = {"run_id": newest(run.root).name, "files": ["kept/units.parquet"]}
    actor = resolve_actor(run.root, "dpo@example.com")
    ledger.append(run.root, ledger.Entry(kind="erase", experiment="callback", actor=actor, payload=removed))
    assert replayed(run, code=7)["outcome"] == "UNEXPLAINED"
    ledger.append(run.root, ledger.Entry(kind="erase", experiment="callback", actor=actor, payload={"units": 100}))
    assert replayed(run)["outcome"] == "DATA_ERASED"


def test_data_written_anew_with_the_same_rows_move_nothing(run: Project) -> None:
    run.data(customers().sample(frac=1, random_state=1))
    found = replayed(run)
    assert (found["outcome"], [one["part"] for one in found["changed"]]) == ("IDENTICAL", ["data"])


class _Units:
    """Kept units, as far as a replay needs them: the data as they were, and what became of them."""

    def __init__(self, dataset: DatasetWithRows, counts: UnitCounts) -> None:
        self.dataset, self._counts = dataset, counts

    def changes(self, now: object) -> UnitCounts:  # noqa: ARG002 - the port's signature
        return self._counts


def from_units(run: Project, counts: UnitCounts, file: Path) -> Any:
    @contextmanager
    def kept(recorded: RecordedRun, spec: ExperimentSpec) -> Iterator[KeptUnits]:
        with open_dataset(spec, run.root, on=str(file)) as dataset:
            yield _Units(dataset, counts)

    return replay(run.root, newest(run.root).name, kept=kept)


@pytest.fixture
def before(run: Project, tmp_path: Path) -> Path:
    """The data as they were, elsewhere."""
    path = tmp_path / "before.csv"
    path.write_bytes((run.root / DATA).read_bytes())
    return path


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        (UnitCounts(late=3, restated=100, erased=0), "DATA_RESTATED"),
        (UnitCounts(late=100, restated=3, erased=0), "DATA_LATE"),
        (UnitCounts(late=0, restated=0, erased=100), "DATA_ERASED"),
        (UnitCounts(late=0, restated=0, erased=0), "UNEXPLAINED"),
    ],
)
def test_kept_units_tell_what_became_of_the_data(run: Project, before: Path, counts: UnitCounts, kind: str) -> None:
    run.data(restated(customers()))
    found = from_units(run, counts, before)
    assert {one.kind for one in found.differences} == {kind}
    assert (found.outcome, found.units, found.notes) == (kind, counts, ())


def test_kept_units_tell_code_from_data(run: Project, before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.data(customers(2400, lift=-0.08))
    moved(monkeypatch, 0.01)
    other_code(monkeypatch)
    found = from_units(run, UnitCounts(late=400, restated=0, erased=0), before)
    names = {one.name.rpartition(" ")[2]: one.kind for one in found.differences if one.name.startswith("effects")}
    assert (names["point"], names["se"], names["n_treated"]) == ("CODE_CHANGED", "DATA_LATE", "DATA_LATE")
    assert found.outcome == "CODE_CHANGED"


def test_kept_units_stand_in_for_data_that_are_gone(run: Project, before: Path) -> None:
    (run.root / DATA).unlink()
    found = from_units(run, UnitCounts(late=0, restated=0, erased=0), before)
    assert found.outcome == "IDENTICAL"
    assert "not there any longer" in found.notes[0]


def test_data_that_are_gone_are_named(run: Project) -> None:
    (run.root / DATA).unlink()
    (problem,) = replayed(run, code=6)["errors"]
    assert problem["code"] == "E620"
    assert DATA in problem["what"]


def test_a_record_that_was_changed_is_not_replayed(run: Project) -> None:
    path = newest(run.root) / "results/results.json"
    path.write_bytes(path.read_bytes().replace(b'"pilot"', b'"ship"'))
    (problem,) = replayed(run, code=7)["errors"]
    assert problem["code"] == "I702"


def test_a_manifest_rewritten_with_its_run_is_not_replayed(run: Project) -> None:
    folder = newest(run.root)
    path = folder / "results/effects.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    told = json.loads((folder / "manifest.json").read_bytes())
    told["artifacts"] = [vars(one) for one in manifest.artifacts_of(folder)]
    (folder / "manifest.json").write_text(json.dumps(told))
    (problem,) = replayed(run, code=7)["errors"]
    assert problem["code"] == "I730"


def test_a_plan_that_this_version_can_not_read_says_which_could(run: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from cxcausal.reviewing import replaying  # noqa: PLC0415 - patched here only

    def other(**plan: Any) -> Any:
        return ExperimentSpec(**{**plan, "unheard_of": 1})

    monkeypatch.setattr(replaying, "ExperimentSpec", other)
    (problem,) = replayed(run, code=3)["errors"]
    assert problem["code"] == "E621"


@pytest.mark.parametrize("words", [("01ARZ3NDEKTSV4RRFFQ69G5FAV",), ("newest",)])
def test_a_run_that_is_not_there(run: Project, words: tuple[str, ...]) -> None:
    done = run.cx("replay", *words, "--json")
    assert (done.code, done.json["errors"][0]["code"]) == (2, "U222")


def test_a_run_that_recorded_nothing(run: Project) -> None:
    (run.root / "audit/ledger.jsonl").unlink()
    (problem,) = replayed(run, code=2)["errors"]
    assert problem["code"] == "U223"
