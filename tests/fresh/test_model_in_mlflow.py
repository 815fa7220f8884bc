"""The model where MLflow has it: the same bits, no pickle, one version per run, and nothing of a customer."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.errors import DataError
from cxcausal.core.results import RunResult
from cxcausal.tracking.audit import audit
from cxcausal.tracking.mlflow_sink import open_store
from cxcausal.tracking.model_card import card_of
from cxcausal.tracking.model_folder import read_model
from cxcausal.tracking.predicting import Predictor
from cxcausal.tracking.sync import sync
from cxcausal.tracking.tracker import Recorded
from cxcausal.tracking.tracking_uri import DEFAULT_URI, resolve_uri
from tests.e2e.project import Project
from tests.fresh import parts
from tests.fresh.parts import EFFECTS, FACTS, TIERS, people

MakeResult = Callable[..., RunResult]
NAME = "cx-callback"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:mlflow.*")


def recorded(project: Project, make_result: MakeResult, **changes: Any) -> Recorded:
    return parts.recorded(project, make_result, uri=DEFAULT_URI, **changes)


@pytest.fixture
def store(project: Project, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow as somebody else would use it: with the address and nothing of ours."""
    import mlflow  # noqa: PLC0415 - a second

    uri = resolve_uri(project.root, DEFAULT_URI)
    before = (mlflow.get_tracking_uri(), mlflow.get_registry_uri())
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    yield open_store(uri)
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def loaded(where: str) -> Any:
    import mlflow.pyfunc  # noqa: PLC0415 - a second

    return mlflow.pyfunc.load_model(where)


def test_it_predicts_the_same_bits_as_the_model_in_memory(
    project: Project, make_result: MakeResult, store: Any
) -> None:
    run = recorded(project, make_result)
    assert run.warnings == ()
    frame = people(500)
    frame.loc[::7, "tenure"], frame.loc[::11, "tier"] = np.nan, None
    expected = EFFECTS.gains({"tenure": frame["tenure"].to_numpy(), "tier": frame["tier"].to_numpy()})
    low, high = EFFECTS.intervals(expected, 0.95)
    best = expected.argmax(axis=1)
    rows = np.arange(len(frame))
    for where in (f"models:/{NAME}@candidate", f"runs:/{run.mlflow_run_id}/model", str(run.directory / "model")):
        told = loaded(where).predict(frame[["tier", "tenure"]].assign(more=1))
        assert list(told) == ["arm", "expected_effect", "low", "high", "gain:gig", "gain:agent"]
        assert np.array_equal(told[["gain:gig", "gain:agent"]].to_numpy(), expected[:, 1:])
        assert np.array_equal(told["expected_effect"], expected[rows, best])
        assert np.array_equal(told["low"], low[rows, best])
        assert np.array_equal(told["high"], high[rows, best])
        assert told["arm"].tolist() == [("none", "gig", "agent")[place] for place in best]
        assert told.index.equals(frame.index)


def test_it_predicts_what_score_writes(project: Project, make_result: MakeResult, store: Any) -> None:
    recorded(project, make_result)
    frame = people(300).query("tenure <= 36 and opted_out == 0")
    frame.to_parquet(project.root / "fresh.parquet", index=False)
    assert project.cx("score", "callback", "--on", "fresh.parquet", "--out", "treat.parquet").code == 0
    written = pd.read_parquet(project.root / "treat.parquet")
    told = loaded(f"models:/{NAME}@candidate").predict(frame[["tenure", "tier"]])
    for name in ("arm", "expected_effect"):
        assert written[name].tolist() == told[name].tolist()


def test_numbers_of_any_type_are_the_same_numbers(project: Project, make_result: MakeResult, store: Any) -> None:
    recorded(project, make_result)
    model = loaded(f"models:/{NAME}@candidate")
    frame = people(60)
    frame["tenure"] = frame["tenure"].round()
    frame.loc[::7, "tenure"], frame.loc[::5, "tier"] = np.nan, None
    expected = model.predict(frame)
    same = {
        "Int64": frame.assign(tenure=frame.tenure.astype("Int64")),
        "decimals": frame.assign(tenure=pd.Series([None if np.isnan(x) else Decimal(str(x)) for x in frame.tenure])),
        "objects": frame.assign(tenure=frame.tenure.astype(object), tier=frame.tier.astype(object)),
        "categories": frame.assign(tier=frame.tier.astype("category")),
    }
    for name, other in same.items():
        pd.testing.assert_frame_equal(model.predict(other), expected, obj=name)
    whole = frame.dropna(subset="tenure")
    counted = whole.assign(tenure=whole.tenure.astype("int64"))
    pd.testing.assert_frame_equal(model.predict(counted), expected.loc[whole.index])


def test_who_is_strange_to_the_model_gets_no_interval(project: Project, make_result: MakeResult, store: Any) -> None:
    recorded(project, make_result)
    frame = people(60)
    frame.loc[:9, "tier"] = "platinum"
    told = loaded(f"models:/{NAME}@candidate").predict(frame)
    empty = told[["low", "high"]].isna().all(axis=1)
    assert empty.equals((frame["tier"] == "platinum") & (told["arm"] != "none"))
    assert 0 < empty.sum() <= 10
    assert told["expected_effect"].notna().all()


def test_what_is_of_another_kind_is_refused_without_a_value(
    project: Project, make_result: MakeResult, store: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    recorded(project, make_result)
    model = loaded(f"models:/{NAME}@candidate")
    capfd.readouterr()
    frame = people(9).assign(name="Erika")
    wrong = {
        "column tenure": frame.drop(columns="tenure"),
        "not all of its values are numbers": frame.assign(tenure="Geheim"),
        "not all of its values are texts": frame.assign(tier=8151.5),
    }
    for what, given in wrong.items():
        with pytest.raises(DataError) as told:
            model.predict(given)
        text = str(told.value) + "".join(capfd.readouterr())
        assert what in text
        assert not any(value in text for value in ("Erika", "Geheim", "8151"))
    with pytest.raises(DataError) as told:
        model.predict(frame[["name"]])
    assert len(told.value.problems) == 2


def test_rows_as_json_are_served(project: Project, make_result: MakeResult, store: Any) -> None:
    from mlflow.utils.proto_json_utils import dataframe_from_parsed_json  # noqa: PLC0415 - a second

    recorded(project, make_result)
    model = loaded(f"models:/{NAME}@candidate")
    frame = people(20)
    sent = json.loads(frame[["tier", "tenure"]].to_json(orient="split"))
    served = dataframe_from_parsed_json(sent, pandas_orient="split", schema=model.metadata.get_input_schema())
    pd.testing.assert_frame_equal(model.predict(served), model.predict(frame))


def test_one_version_per_run_and_the_alias_on_the_newest(project: Project, make_result: MakeResult, store: Any) -> None:
    first, second = recorded(project, make_result), recorded(project, make_result)
    versions = {one.tags["cx.run_id"]: one for one in store.search_model_versions(f"name = '{NAME}'")}
    assert set(versions) == {first.run_id, second.run_id}
    assert store.get_model_version_by_alias(NAME, "candidate").tags["cx.run_id"] == second.run_id
    store.delete_run(first.mlflow_run_id)
    store.delete_model_version(NAME, versions[first.run_id].version)
    (first.directory / "mlflow.json").unlink()
    store.restore_run(first.mlflow_run_id)
    store.set_terminated(first.mlflow_run_id, status="RUNNING")
    assert [len(sync(project.root, DEFAULT_URI).sent) for _ in range(2)] == [1, 0]
    assert len(store.search_model_versions(f"name = '{NAME}'")) == 2
    assert store.get_model_version_by_alias(NAME, "candidate").tags["cx.run_id"] == second.run_id


def test_what_waited_is_sent_with_its_model(project: Project, make_result: MakeResult, store: Any) -> None:
    (project.root / ".cxcausal/mlflow.db").rename(project.root / "kept.db")
    (project.root / ".cxcausal/mlflow.db").write_bytes(b"not a database, but long enough to be taken for one")
    run = recorded(project, make_result)
    assert run.mlflow_run_id is None
    (project.root / "kept.db").rename(project.root / ".cxcausal/mlflow.db")
    assert sync(project.root, DEFAULT_URI).sent == (run.run_id,)
    assert store.get_model_version_by_alias(NAME, "candidate").tags["cx.run_id"] == run.run_id


def about_files(project: Project) -> list[str]:
    """What the audit finds of files; the made-up results of the run contradict one another."""
    return [one.code for one in audit(project.root).problems if one.code in {"I702", "I744"}]


def test_the_audit_covers_it_here_and_there(project: Project, make_result: MakeResult, store: Any) -> None:
    run = recorded(project, make_result)
    people(50).to_parquet(project.root / "fresh.parquet", index=False)
    assert project.cx("score", "callback", "--on", "fresh.parquet", "--out", "treat.parquet").code == 0
    loaded(f"models:/{NAME}@candidate")
    assert about_files(project) == []
    (copy,) = (project.root / ".cxcausal/artifacts").rglob("model/policy.json")
    copy.write_bytes(copy.read_bytes().replace(b"0.0", b"9.0"))
    assert about_files(project) == ["I744"]
    with pytest.raises(Exception, match=r"model/policy\.json I640"):
        loaded(f"models:/{NAME}@candidate")
    mine = run.directory / "model/effects/slope.npz"
    mine.write_bytes(mine.read_bytes() + b"x")
    assert "I702" in about_files(project)


def test_nothing_of_a_customer_or_this_machine_and_no_pickle(project: Project, make_result: MakeResult) -> None:
    run = recorded(project, make_result)
    folder = run.directory / "model"
    texts = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path, text in texts.items():
        assert path.suffix not in {".pkl", ".pickle", ".joblib"}
        assert str(project.root).encode() not in text
        assert b"/cxcausal/tracking" not in text, path
    assert (folder / "requirements.txt").read_text(encoding="utf-8").count("==") >= 5
    example = pd.read_json(folder / "input_example.json", orient="split")
    assert example["tenure"].tolist() == [0.0, 1.0]
    assert set(example["tier"]) <= set(TIERS)


def test_the_card_says_what_it_is(project: Project, make_result: MakeResult) -> None:
    run = recorded(project, make_result, targeting=False, rule="everybody:gig", verdict="pilot")
    card = (run.directory / "model/card.md").read_text(encoding="utf-8")
    for words in (
        "Whom does a call keep?",
        run.run_id,
        "evidence grade A",
        "everybody with gig: 0.4 (from 0.1 to 0.7) EUR",
        "value: 0.9 (from 0.5 to 1.3) EUR",
        "was not shown to gain more than the best single arm",
        "The run's verdict is pilot",
        "Protected: tier; the model looks at tier",
    ):
        assert words in card


def test_a_rule_without_proof_is_a_rule_for_everybody(project: Project, make_result: MakeResult) -> None:
    run = recorded(project, make_result, targeting=False, rule="everybody:agent")
    predictor = Predictor(read_model(Path(run.directory / "model")))
    frame = people(20)
    told = predictor.predict({name: frame[name].to_numpy() for name in predictor.kinds})
    assert set(told["arm"]) == {"agent"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "EUR"}, "Budget of the plan: EUR 1.5 per customer who may be contacted"),
        ({"priced": False, "one": "person"}, "Budget of the plan: 1.5 contacts per person who may be contacted"),
    ],
)
def test_the_card_says_what_a_budget_is_counted_in(changes: dict[str, Any], said: str) -> None:
    assert said in card_of(replace(FACTS, budget=1.5, **changes), ("tenure",)).replace("\N{NO-BREAK SPACE}", " ")
