"""Where data may come from, what is hashed, and what the engine may still read afterwards."""

import gzip
import hashlib
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from cxcausal.core.canonical import sha256_of
from cxcausal.core.errors import CxCausalError, DataError, MachineError, PlanError
from cxcausal.core.measure import Measure
from cxcausal.core.queries import ClusterQuery, CountQuery, CovariateQuery, FlowQuery, MomentQuery, Query
from cxcausal.data import open_dataset
from cxcausal.data.engines import Session
from tests.data.plans import ask, opened, plan, rows, write

SPEND = Measure(name="spend", terms=(("spend", 1.0),))
AOV = Measure(name="aov", terms=(("revenue", 1.0),), denominator="orders")
NPS = Measure(name="nps", terms=(("nps_answer", 1.0),), transform="nps", response="answered")
QUERIES: tuple[Query, ...] = (
    FlowQuery(),
    CountQuery(by=("tier",)),
    MomentQuery(measure=SPEND),
    MomentQuery(measure=AOV, by=("tier",)),
    MomentQuery(measure=NPS),
    CovariateQuery(column="age"),
    CovariateQuery(column="channel"),
    ClusterQuery(measure=SPEND, cluster=("household_id",), treated="gig", control="none"),
)
GROUPED = {"cluster": "household_id"}


def digest(frame: pd.DataFrame, root: Path, name: str, **data: object) -> str:
    with opened(frame, root, name, data={**GROUPED, **data}) as dataset:
        return sha256_of(ask(dataset, QUERIES))


def database(frame: pd.DataFrame, path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.register("incoming", frame)
        connection.execute("CREATE TABLE outreach AS SELECT * FROM incoming")
        connection.execute("CREATE VIEW seen AS SELECT * FROM outreach")


def test_every_kind_of_source_gives_the_same_answers(tmp_path: Path) -> None:
    frame = rows()
    expected = digest(frame, tmp_path, "x.parquet")
    for name in ("x.csv", "x.csv.gz", "x.json", "x.jsonl"):
        assert digest(frame, tmp_path, name) == expected, name
    frame.to_csv(tmp_path / "x.tsv", sep="\t", index=False)
    frame.to_stata(tmp_path / "x.dta", write_index=False)
    database(frame, tmp_path / "x.duckdb")
    others = [
        {"source": "x.tsv"},
        {"source": "x.dta"},
        {"source": "x.duckdb", "table": "outreach"},
        {"source": "x.duckdb", "table": "seen"},
        {"source": "duckdb:///x.duckdb", "table": "outreach"},
        {"source": f"duckdb:///{tmp_path}/x.duckdb", "table": "outreach"},
    ]
    for data in others:
        with open_dataset(plan({"unit": "customer_id", **GROUPED, **data}), tmp_path) as dataset:
            assert sha256_of(ask(dataset, QUERIES)) == expected, data


@pytest.mark.parametrize("name", ["part-{}.parquet", "part-{}.csv", "part-{}.jsonl"])
def test_a_glob_is_the_union_of_its_files(tmp_path: Path, name: str) -> None:
    frame = rows()
    expected = digest(frame, tmp_path, "x.parquet")
    for index, part in enumerate(np.array_split(np.arange(len(frame)), 3)):
        write(frame.iloc[part], tmp_path, name.format(index))
    spec = plan({"source": name.format("*"), "unit": "customer_id", **GROUPED})
    with open_dataset(spec, tmp_path) as dataset:
        assert sha256_of(ask(dataset, QUERIES)) == expected
        assert [shown for shown, _ in dataset.inputs] == [name.format(index) for index in range(3)]


def test_decimal_commas_and_other_encodings_are_read_where_declared(tmp_path: Path) -> None:
    frame = rows().assign(region=lambda table: table.region.replace("south", "süd"))
    expected = digest(frame, tmp_path, "x.parquet")
    for encoding in ("latin-1", "utf-16", "utf-8-sig"):
        frame.to_csv(tmp_path / "y.csv", sep=";", decimal=",", index=False, encoding=encoding)
        csv = {"delimiter": ";", "decimal": ",", "encoding": encoding}
        with open_dataset(plan({"source": "y.csv", "unit": "customer_id", "csv": csv, **GROUPED}), tmp_path) as dataset:
            assert sha256_of(ask(dataset, QUERIES)) == expected, encoding


def test_the_same_bits_for_every_order_chunk_and_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = rows(20_000, seed=3)
    frame["spend"] *= np.random.default_rng(1).choice([1e-7, 1.0, 1e9], len(frame))
    frame["spend"] = frame.spend / 3
    digests = set()
    for seed, threads, group in [(0, 1, 100_000), (1, 2, 500), (2, 4, 3_000)]:
        shuffled = frame.sample(frac=1, random_state=seed)
        shuffled.to_parquet(tmp_path / "x.parquet", row_group_size=group)
        spec = plan({"source": "x.parquet", "unit": "customer_id", **GROUPED})
        monkeypatch.setattr("cxcausal.data.engines.embedded.THREADS", threads)
        with open_dataset(spec, tmp_path) as dataset:
            digests.add(sha256_of(ask(dataset, QUERIES)))
    assert len(digests) == 1


def test_inputs_are_the_hashes_of_the_bytes(tmp_path: Path) -> None:
    frame = rows()
    write(frame, tmp_path, "data/a.csv")
    write(frame.head(100), tmp_path, "data/b.csv")
    with open_dataset(plan({"source": "data/*.csv", "unit": "customer_id"}), tmp_path) as dataset:
        expected = tuple(
            (f"data/{name}", hashlib.sha256((tmp_path / "data" / name).read_bytes()).hexdigest())
            for name in ("a.csv", "b.csv")
        )
        assert dataset.inputs == expected
        first = dataset.fingerprint
    frame.loc[0, "spend"] = 1.0
    write(frame, tmp_path, "data/a.csv")
    with open_dataset(plan({"source": "data/*.csv", "unit": "customer_id"}), tmp_path) as dataset:
        assert dataset.fingerprint != first


def test_data_outside_the_project_need_a_declared_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "project", tmp_path / "lake"
    root.mkdir()
    write(rows(), outside)
    (root / "link.parquet").symlink_to(outside / "x.parquet")
    for source in ("../lake/x.parquet", str(outside / "x.parquet"), "link.parquet", "../lake/*.parquet"):
        spec = plan({"source": source, "unit": "customer_id"})
        with pytest.raises(PlanError, match=r"D105.*data_roots"):
            open_dataset(spec, root)
        for folder in (Path("../lake"), outside):
            with open_dataset(spec, root, data_roots=(folder,)) as dataset:
                assert dataset.inputs[0][0] == ("link.parquet" if source == "link.parquet" else "x.parquet")


def test_nothing_is_looked_for_outside(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "salaries.csv").write_text("a\n")
    for source in ("../salarie.csv", "../sal*.csv", str(tmp_path / "salarys.csv"), "../../*/salaries.csv"):
        with pytest.raises(PlanError, match="D105") as caught:
            open_dataset(plan({"source": source}), root)
        assert "salaries" not in str(caught.value)


@pytest.mark.parametrize("source", ["x" * 5_000 + ".csv", "x\0.csv", "a\n.csv"])
def test_names_that_no_file_can_have_are_not_there(tmp_path: Path, source: str) -> None:
    with pytest.raises(DataError, match="D104"):
        open_dataset(plan({"source": source}), tmp_path)


def test_the_operator_may_point_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, outside = tmp_path / "project", tmp_path / "lake"
    root.mkdir()
    write(rows(), outside)
    spec = plan({"source": "absent.parquet", "unit": "customer_id"})
    monkeypatch.chdir(outside)
    for path in (str(outside / "x.parquet"), "x.parquet", "../lake/x.parquet"):
        with open_dataset(spec, root, on=path) as dataset:
            assert dataset.inputs[0][0] == "x.parquet"
    with pytest.raises(DataError, match=r"D104.*there is no file 'y.parquet'"):
        open_dataset(spec, root, on="y.parquet")


def test_named_sources_are_paths_or_files_of_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(rows(), tmp_path, "data/x.parquet")
    package = tmp_path / "site" / "cxtestdata"
    write(rows(), package, "deep/x.csv")
    (package / "__init__.py").write_text("raise RuntimeError('never imported')\n")
    monkeypatch.syspath_prepend(str(package.parent))
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "data_sources.yaml").write_text(
        "sources:\n  calls: {path: data/x.parquet}\n  shipped: {package: cxtestdata, file: deep/x.csv}\n"
        "  wrong: {url: x}\n  gone: {package: cxabsent, file: x.csv}\n  escaping: {path: ../x.csv}\n"
    )

    def inputs(name: str) -> str:
        with open_dataset(plan({"source": name, "unit": "customer_id"}), tmp_path) as dataset:
            return dataset.inputs[0][0]

    assert inputs("calls") == "data/x.parquet"
    assert inputs("shipped").endswith("x.csv")
    refusals: list[tuple[str, type[CxCausalError], str]] = [
        ("wrong", PlanError, "D102"),
        ("gone", MachineError, "D103.*pip install cxabsent"),
        ("call", DataError, "D104.*did you mean calls"),
        ("escaping", PlanError, "D105"),
    ]
    for name, error, told in refusals:
        with pytest.raises(error, match=told):
            inputs(name)
    with open_dataset(
        plan({"source": "x", "unit": "customer_id"}), tmp_path, sources={"x": "data/x.parquet"}
    ) as dataset:
        assert dataset.inputs[0][0] == "data/x.parquet"


def test_a_configuration_without_sources_is_refused(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "data_sources.yaml").write_text("calls: {path: data/x.parquet}\n")
    with pytest.raises(PlanError, match=r"D102.*no map named sources"):
        open_dataset(plan({"source": "calls"}), tmp_path)


def test_the_engine_reads_nothing_but_the_declared_files(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for name in ("x.parquet", "x.csv"):
        with opened(rows(), tmp_path, name) as dataset:
            backend = dataset.engine.backend
            attempts = (
                f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",  # noqa: S608 - our own path
                f"SELECT * FROM read_text('{tmp_path}/secret.csv')",  # noqa: S608 - our own path
                f"ATTACH '{tmp_path}/other.duckdb'",
                f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
                "INSTALL httpfs",
                "SET enable_external_access=true",
                "SET allowed_paths=['/']",
            )
            for statement in attempts:
                with pytest.raises(duckdb.Error):
                    backend.raw_sql(statement)
            assert ask(dataset, [CountQuery()])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv", "x.csv", "x.parquet"]


def test_only_aggregates_leave_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[list[tuple[object, ...]]] = []
    frame = rows()
    with opened(frame, tmp_path, data=GROUPED) as dataset:
        kind = type(dataset.engine)
        original = kind.fetch

        def spy(engine: object, expr: object) -> list[tuple[object, ...]]:
            found: list[tuple[object, ...]] = original(engine, expr)  # type: ignore[arg-type]
            fetched.append(found)
            return found

        monkeypatch.setattr(kind, "fetch", spy)
        ask(dataset, QUERIES)
    cells = 3 * len(dataset.levels["tier"]) * 2
    assert max(len(found) for found in fetched) <= cells
    ids = {*frame.customer_id, *frame.household_id}
    assert not ids & {value for found in fetched for row in found for value in row if isinstance(value, str)}


def test_ids_and_odd_arm_names_stay_text(tmp_path: Path) -> None:
    arms = ("NA", "NO", "1")
    frame = pd.DataFrame(
        {
            "id": ["00123", "123", "12345678901234567890", "12345678901234567891", "0123", "1e3"],
            "arm": [*arms, *arms],
            "y": ["1", "0"] * 3,
        }
    )
    design = {"type": "randomized", "treatment": {"column": "arm", "control": "NO", "arms": {arm: {} for arm in arms}}}
    metric = {"name": "y", "type": "proportion", "column": "y", "desired_direction": "increase"}
    changes = {"design": design, "metrics": {"success": [metric]}, "segments": [], "covariates": []}
    for name in ("x.csv", "x.json", "x.parquet"):
        data = {**write(frame, tmp_path, name), "unit": "id"}
        with open_dataset(plan(data, **changes), tmp_path) as dataset:
            assert ask(dataset, [CountQuery()])[CountQuery()] == {(arm, ()): 2 for arm in sorted(arms)}


@pytest.mark.parametrize(
    "values", [[True, False], [1, 0], [1.0, 0.0], ["1", "0"], ["true", "false"], ["True", "False"], ["1.0", "0.0"]]
)
def test_binary_arms_are_known_however_they_are_stored(tmp_path: Path, values: list[object]) -> None:
    frame = pd.DataFrame({"t": values * 10, "y": [1, 0, 1, 1] * 5})
    design = {"type": "randomized", "treatment": {"column": "t", "control": "0", "arms": {"0": {}, "1": {}}}}
    metric = {"name": "y", "type": "proportion", "column": "y", "desired_direction": "increase"}
    for name in ("x.csv", "x.parquet"):
        write(frame, tmp_path, name)
        spec = plan({"source": name}, design=design, metrics={"success": [metric]}, segments=[], covariates=[])
        with open_dataset(spec, tmp_path) as dataset:
            assert ask(dataset, [CountQuery()])[CountQuery()] == {("0", ()): 10, ("1", ()): 10}


def test_value_maps_give_arms_texts_and_numbers(tmp_path: Path) -> None:
    frame = rows()
    raw = frame.assign(
        churned=frame.churned.map({1: "yes", 0: "no"}),
        tier=frame.tier.replace({"gold": "G"}),
        spend=frame.spend.fillna(-999),
        arm=frame.arm.replace({"gig": "Gig expert"}),
    )
    columns = {
        "churned": {"map": {"yes": 1, "no": 0}},
        "tier": {"map": {"G": "gold"}},
        "spend": {"map": {"-999": None}, "allow_negative": False},
        "arm": {"map": {"Gig expert": "gig"}},
    }
    expected = digest(frame, tmp_path, "x.parquet")
    for name in ("y.parquet", "y.csv", "y.jsonl"):
        assert digest(raw, tmp_path, name, columns=columns) == expected


def test_a_truncated_gzip_is_found_before_anything_is_read(tmp_path: Path) -> None:
    write(rows(), tmp_path, "x.csv.gz")
    whole = (tmp_path / "x.csv.gz").read_bytes()
    assert gzip.decompress(whole)
    (tmp_path / "x.csv.gz").write_bytes(whole[:-9])
    with pytest.raises(DataError, match="D111"):
        open_dataset(plan({"source": "x.csv.gz", "unit": "customer_id"}), tmp_path)


def test_times_are_compared_in_the_project_time_zone(tmp_path: Path) -> None:
    frame = rows().assign(assigned_at="2026-01-01T23:30:00Z")
    metric = {"name": "y", "type": "proportion", "column": "churned", "desired_direction": "increase"}
    metrics = {"success": [{**metric, "window": {"start": "0d", "end": "10d"}}]}
    for kind in ("x.csv", "x.parquet"):
        stored = frame if kind == "x.csv" else frame.assign(assigned_at=pd.to_datetime(frame.assigned_at))
        data = {**write(stored, tmp_path, kind), "time_zero": "assigned_at", "observed_until": "2026-01-12"}
        spec = plan(data, metrics=metrics)
        immature = {}
        for zone in ("UTC", "Europe/Berlin"):
            with open_dataset(spec, tmp_path, session=Session(timezone=zone)) as dataset:
                flow = ask(dataset, [FlowQuery()])[FlowQuery()]
                immature[zone] = (flow.immature, flow.matures_on)
        assert immature == {"UTC": (0, "2026-01-11"), "Europe/Berlin": (600, "2026-01-12")}


def test_a_quote_in_a_path_is_no_command(tmp_path: Path) -> None:
    database(rows(), tmp_path / "plain.duckdb")
    hostile = "x'; DROP TABLE y; --[1].duckdb"
    (tmp_path / "plain.duckdb").rename(tmp_path / hostile)
    write(rows(), tmp_path, "it's [1].csv")
    write(rows(), tmp_path, "it's [1].parquet")
    for data in (
        {"source": hostile.replace("[", "[[]"), "table": "outreach"},
        {"source": "it's [[]1].csv"},
        {"source": "it's [[]1].parquet"},
    ):
        with open_dataset(plan({**data, "unit": "customer_id"}), tmp_path) as dataset:
            assert sum(ask(dataset, [CountQuery()])[CountQuery()].values()) == 600


def test_a_secret_of_the_environment_is_replaced_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database(rows(), tmp_path / "hush.duckdb")
    write(rows(), tmp_path, "hush.csv")
    monkeypatch.setenv("CX_TEST_PLACE", "hush")
    for data in (
        {"source": "duckdb:///${env:CX_TEST_PLACE}.duckdb", "table": "outreach"},
        {"source": "${env:CX_TEST_PLACE}.csv"},
    ):
        with open_dataset(plan({"unit": "customer_id", **data}), tmp_path) as dataset:
            assert sum(ask(dataset, [CountQuery()])[CountQuery()].values()) == 600
            assert [name for name, _ in dataset.inputs] == [data["source"]]
    monkeypatch.setenv("CX_TEST_PLACE", "../hush")
    with pytest.raises(PlanError, match=r"D105 .*CX_TEST_PLACE") as caught:
        open_dataset(plan({"source": "${env:CX_TEST_PLACE}.csv"}), tmp_path)
    assert "hush" not in str(caught.value)
    monkeypatch.delenv("CX_TEST_PLACE")
    with pytest.raises(MachineError, match=r"D113 .*CX_TEST_PLACE"):
        open_dataset(plan({"source": "${env:CX_TEST_PLACE}.csv"}), tmp_path)
