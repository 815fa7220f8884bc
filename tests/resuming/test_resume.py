"""`run --resume`: what was found is not computed again, what is missing is, and every bit is as if nothing had been."""

import json
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cxcausal.core.errors import MachineError, Problem
from cxcausal.core.queries import ClusterRegressionQuery, DuplicateQuery
from cxcausal.data.dataset import Dataset
from cxcausal.pipeline import analyse as pipeline
from cxcausal.pipeline import stages as staging
from cxcausal.running import run_tracked
from cxcausal.simulate import simulate
from cxcausal.tracking import ledger
from cxcausal.tracking import start as starting
from cxcausal.tracking.audit import audit
from cxcausal.tracking.layout import run_folders
from cxcausal.tracking.run_status import read_status
from cxcausal.tracking.run_store import RunStore
from tests.e2e.project import ROOT, Project, customers, new_project
from tests.resuming.stopping import newest, stages, stored

STAGES = ("answers", "data", "checks", "effects", "value", "decision")
Stop = Callable[[str], None]


PLAN = "experiments/callback.yaml"


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    """Let the next run be interrupted right behind a stage."""

    def at(stage: str, error: BaseException | type[BaseException] = KeyboardInterrupt) -> None:
        for name in ("save", "keep"):
            write = getattr(RunStore, name)

            def written(store: RunStore, made: str, payload: Any, *, write: Any = write) -> None:
                write(store, made, payload)
                if made == stage:
                    monkeypatch.undo()
                    monkeypatch.setenv("CXCAUSAL_ACTOR", "analyst@example.com")
                    raise error

            monkeypatch.setattr(RunStore, name, written)

    return at


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which stages are made from now on."""
    made: list[str] = []
    answer, save = Dataset.answer, RunStore.save

    def answered(dataset: Dataset, queries: Sequence[Any]) -> Any:
        if len(queries) > 1:  # one alone asks whether the data may be read
            made.append("answers")
        return answer(dataset, queries)

    def saved(store: RunStore, stage: str, payload: Any) -> None:
        if stage in STAGES:
            made.append(stage)
        save(store, stage, payload)

    monkeypatch.setattr(Dataset, "answer", answered)
    monkeypatch.setattr(RunStore, "save", saved)
    return made


def interrupted(project: Project, stop: Stop, stage: str) -> Path:
    stop(stage)
    done = project.cx("run", PLAN)
    assert done.code == 130, done.err
    folder = newest(project.root)
    assert read_status(folder).status == "KILLED"
    return folder


@pytest.mark.parametrize("at", [0, 2, 3, 5], ids=["answers", "checks", "effects", "decision"])
def test_a_resumed_run_computes_only_what_is_missing(
    project: Project, stop: Stop, request: pytest.FixtureRequest, at: int
) -> None:
    assert project.cx("run", PLAN).code == 0
    whole = newest(project.root)
    folder = interrupted(project, stop, STAGES[at])
    counted = request.getfixturevalue("counted")
    done = project.cx("run", PLAN, "--resume")
    assert done.code == 0, done.err
    assert f"went on with the run {folder.name}" in done.err
    assert counted == list(STAGES[at + 1 :])
    assert newest(project.root) == folder
    assert read_status(folder).status == "FINISHED"
    assert stored(folder) == stored(whole)
    assert stages(folder) == stages(whole)
    assert audit(project.root).problems == ()
    assert [line.payload["run_id"] for line in ledger.read(project.root)] == [whole.name, folder.name]


SMALLER = {
    "[intent, tier, relationship]": "[tier]",
    "[tenure_months, tier, intent, contacts_prev_90d, margin_prev_90d, sentiment_before, risk_score]": "[tier]",
    "[margin_90d, nps, order_value]": "[{name: p90, type: quantile, column: margin_90d, q: 0.9, "
    "desired_direction: increase}, {name: capped, type: mean, column: margin_90d, outliers: winsorize, "
    "desired_direction: increase}]",
    "  contrasts: [[gig, agent]]\n": "",
}
"""The demonstration, with less of each kind: all of it would take a minute."""


def test_answers_of_every_kind_come_back_to_the_bit(
    tmp_path: Path, mlflow_template: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demonstration has households, covariates, segments, bounds, quantiles and caps."""
    made = new_project(tmp_path / "project", mlflow_template)
    text = (ROOT / "experiments/proactive_outreach.yaml").read_text(encoding="utf-8")
    for words, part in SMALLER.items():
        assert words in text
        text = text.replace(words, part)
    plan = made.write("experiments/outreach.yaml", text)
    simulate("outreach", made.root / "data/outreach.parquet", n=1_200)
    run_tracked(plan, root=made.root)
    undisturbed = newest(made.root)
    stop("answers")
    with pytest.raises(KeyboardInterrupt):
        run_tracked(plan, root=made.root)
    asked: list[type[Any]] = []
    answer = Dataset.answer

    def noted(dataset: Dataset, queries: Sequence[Any]) -> Any:
        asked.extend(type(query) for query in queries)
        return answer(dataset, queries)

    monkeypatch.setattr(Dataset, "answer", noted)
    run_tracked(plan, root=made.root, resume="")
    assert set(asked) == {DuplicateQuery, ClusterRegressionQuery}  # sums within clusters may be those of one person
    assert stored(newest(made.root)) == stored(undisturbed)
    assert stages(newest(made.root)) == stages(undisturbed)


def test_what_is_kept_for_a_next_attempt_is_private_and_goes_with_its_end(project: Project, stop: Stop) -> None:
    folder = interrupted(project, stop, "effects")
    assert (folder / "unfinished/answers.json").exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert project.cx("run", PLAN, "--resume").code == 0
    assert not (folder / "unfinished").exists()
    listed = json.loads((folder / "manifest.json").read_bytes())["artifacts"]
    assert not [item["path"] for item in listed if "unfinished" in item["path"]]


def test_a_run_that_failed_goes_on_as_well(project: Project, stop: Any) -> None:
    stop("checks", MachineError(Problem(where="disk", code="E601", what="full", mend="make room")))
    assert project.cx("run", PLAN).code == 6
    folder = newest(project.root)
    assert read_status(folder).status == "FAILED"
    done = project.cx("run", PLAN, "--resume", folder.name, "--json")
    assert done.json["run_id"] == folder.name
    assert read_status(folder).status == "FINISHED"


def test_answers_too_large_to_keep_are_asked_again(
    project: Project, stop: Stop, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(staging, "MOST_BYTES", 8)
    assert project.cx("run", PLAN).code == 0
    whole = newest(project.root)
    stop("effects")
    monkeypatch.setattr(staging, "MOST_BYTES", 8)
    assert project.cx("run", PLAN).code == 130
    monkeypatch.setattr(staging, "MOST_BYTES", 8)
    counted = request.getfixturevalue("counted")
    assert project.cx("run", PLAN, "--resume").code == 0
    assert counted == ["answers", "value", "decision"]
    assert stages(newest(project.root)) == stages(whole)


@pytest.mark.parametrize(
    ("stage", "damage"),
    [("unfinished/answers.json", b""), ("unfinished/answers.json", b"[]"), ("stages/effects.json", b"cut")],
)
def test_a_damaged_stage_is_made_again(project: Project, stop: Stop, stage: str, damage: bytes) -> None:
    folder = interrupted(project, stop, "value")
    path = folder / stage
    before = path.read_bytes()
    path.write_bytes(before[: len(before) // 2] if damage == b"cut" else damage)
    assert project.cx("run", PLAN, "--resume").code == 0
    assert audit(project.root).problems == ()
    if stage.startswith("stages"):
        assert path.read_bytes() == before


def test_a_stage_whose_numbers_were_edited_is_made_again(project: Project, stop: Stop) -> None:
    folder = interrupted(project, stop, "value")
    path = folder / "stages/effects.json"
    before = path.read_bytes()
    assert b'"churn"' in before
    path.write_bytes(before.replace(b'"churn"', b'"chorn"'))
    assert project.cx("run", PLAN, "--resume").code == 0
    assert path.read_bytes() == before


def refused(project: Project, *words: str) -> dict[str, str]:
    before = project.fingerprint()
    done = project.cx("run", PLAN, "--resume", *words, "--json")
    assert done.code == 2, done.err
    assert project.fingerprint() == before
    (problem,) = done.json["errors"]
    return dict(problem)


def test_nothing_to_go_on_with(project: Project) -> None:
    assert refused(project)["code"] == "U220"
    assert refused(project, "01ARZ3NDEKTSV4RRFFQ69G5FAV")["code"] == "U222"


def test_a_run_that_is_finished_is_left_alone(project: Project) -> None:
    assert project.cx("run", PLAN).code == 0
    assert "it is finished and recorded" in refused(project)["what"]


def test_another_plan_or_other_data_are_named(project: Project, stop: Stop) -> None:
    interrupted(project, stop, "value")
    project.plan(retrospective=True, analysis={"alpha": 0.01})
    assert "it was begun with another plan" in refused(project)["what"]
    project.plan(retrospective=True)
    project.data(customers(2002))
    assert "it was begun on other data" in refused(project)["what"]
    project.data(customers())
    assert project.cx("run", PLAN, "--resume").code == 0


def test_other_data_under_on_are_other_data(project: Project, stop: Stop) -> None:
    interrupted(project, stop, "value")
    project.data(customers(2002), "other.csv")
    assert "other data" in refused(project, "--on", "other.csv")["what"]


def test_a_run_at_work_elsewhere_is_left_alone(project: Project, stop: Stop) -> None:
    folder = interrupted(project, stop, "value")
    status = json.loads((folder / "status.json").read_bytes())
    (folder / "status.json").write_text(json.dumps({**status, "status": "RUNNING", "host": "elsewhere"}))
    assert "still at work" in refused(project)["what"]


def test_a_run_that_ended_before_its_data_were_read_can_not_go_on(project: Project, stop: Stop) -> None:
    folder = interrupted(project, stop, "value")
    (folder / "start.json").unlink()
    assert "ended before its data were read" in refused(project)["what"]


def test_an_older_run_that_fits_is_found_behind_newer_ones_that_do_not(project: Project, stop: Stop) -> None:
    older = interrupted(project, stop, "value")
    project.plan(retrospective=True, analysis={"alpha": 0.01})
    interrupted(project, stop, "value")
    project.plan(retrospective=True)
    assert project.cx("run", PLAN, "--resume", "--json").json["run_id"] == older.name


def test_two_can_not_go_on_with_the_same_run(project: Project, stop: Stop) -> None:
    folder = interrupted(project, stop, "value")
    RunStore.reopen(project.root, "callback", folder.name)
    assert "still at work" in refused(project)["what"]


def test_other_code_computes_all_of_it_anew_and_says_so(
    project: Project, stop: Stop, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    folder = interrupted(project, stop, "value")
    counted = request.getfixturevalue("counted")
    monkeypatch.setattr(starting, "package_sha256", lambda: "0" * 64)
    done = project.cx("run", PLAN, "--resume")
    assert done.code == 0
    assert f"the code changed since the run {folder.name} began, so all of it is computed anew" in done.err
    assert counted == list(STAGES)


def test_a_plan_registered_meanwhile_is_decided_anew(
    project: Project, stop: Stop, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a plan counts as registered is no property of the data: the decision depends on it."""
    interrupted(project, stop, "decision")
    counted = request.getfixturevalue("counted")
    context = pipeline.RunContext

    def registered(**words: Any) -> Any:
        return context(**{**words, "registered": True})

    monkeypatch.setattr(pipeline, "RunContext", registered)
    assert project.cx("run", PLAN, "--resume").code == 0
    assert counted == ["decision"]


def test_leftovers_of_a_killed_attempt_are_cleared(project: Project, stop: Stop) -> None:
    folder = interrupted(project, stop, "value")
    (folder / "manifest.json").write_bytes(b"{}")
    (folder / "stages/.value.json.77.partial").write_bytes(b"{")
    assert project.cx("run", PLAN, "--resume").code == 0
    assert list(folder.rglob("*.partial")) == []
    assert audit(project.root).problems == ()
    assert len(run_folders(project.root)) == 1
