"""Worlds on disk: the same bytes for the same seed, types kept, and no truth in the data."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from cxcausal.core.errors import MachineError, UsageError
from cxcausal.simulate import WORLDS, OutreachWorld, simulate, write

N = 3_000


def test_equal_seeds_write_equal_bytes(tmp_path: Path) -> None:
    first = simulate("outreach", tmp_path / "a" / "outreach.parquet", n=N, seed=4)
    second = simulate("outreach", tmp_path / "b" / "outreach.parquet", n=N, seed=4)
    other = simulate("outreach", tmp_path / "c" / "outreach.parquet", n=N, seed=5)
    assert first.data.read_bytes() == second.data.read_bytes()
    assert first.truth.read_bytes() == second.truth.read_bytes()
    assert first.sha256 == second.sha256 != other.sha256
    assert first.rows == N


def test_ids_stay_text_dates_stay_dates_and_gaps_stay_gaps(tmp_path: Path) -> None:
    written = simulate("outreach", tmp_path / "outreach.parquet", n=N, seed=4)
    table = parquet.read_table(written.data, page_checksum_verification=True)
    assert table.num_rows == N
    for name in ("customer_id", "household_id", "arm", "tier"):
        assert table.schema.field(name).type == pa.string()
    for name in ("assigned_at", "extracted_at"):
        assert pa.types.is_timestamp(table.schema.field(name).type)
    for name, answered in (("csat", "csat_answered"), ("nps_answer", "nps_answered")):
        assert pa.types.is_integer(table.schema.field(name).type)
        assert table.column(name).null_count == N - sum(table.column(answered).to_pylist())
    whole = [column for column in table.schema.names if column not in {"csat", "nps_answer"}]
    assert all(table.column(name).null_count == 0 for name in whole)
    drawn = OutreachWorld(n=N, seed=4).draw().columns
    for name in ("customer_id", "arm", "intent", "churned_90d", "margin_90d"):
        assert table.column(name).to_pylist() == drawn[name].tolist()


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    written = simulate("outreach", tmp_path / "outreach.parquet", n=N, seed=4)
    meta = parquet.read_metadata(written.data).row_group(0).column(0)
    content = bytearray(written.data.read_bytes())
    content[meta.data_page_offset + meta.total_compressed_size // 2] ^= 0xFF
    written.data.write_bytes(bytes(content))
    with pytest.raises((OSError, pa.ArrowInvalid)):
        parquet.read_table(written.data, page_checksum_verification=True)


def test_the_truth_stands_beside_the_data_and_not_in_it(tmp_path: Path) -> None:
    written = simulate("outreach", str(tmp_path / "outreach.parquet"), n=N, arms=["none", "gig"], shares=["1/2", "1/2"])
    assert written.truth.name == "outreach.truth.json"
    truth = json.loads(written.truth.read_text(encoding="utf-8"))
    assert truth["schema_version"] == 1
    assert truth["options"]["arms"] == ["none", "gig"]
    assert truth["data"] == {"file": "outreach.parquet", "sha256": written.sha256}
    assert truth["money"] == {"retained_customer": 240.0, "unit_cost": {"gig": 3.2}}
    assert {row["arm"] for row in truth["effects"]} == {"gig"}
    names = parquet.read_schema(written.data).names
    assert not set(truth) & set(names)
    assert not any("churn" in name and name != "churned_90d" for name in names)
    assert parquet.read_metadata(written.data).metadata.keys() <= {b"ARROW:schema"}


def test_a_handful_of_customers_is_a_world_too(tmp_path: Path) -> None:
    written = write(OutreachWorld(n=1, arms=("none", "gig"), shares=("1/2", "1/2")), tmp_path / "one.parquet")
    assert parquet.read_metadata(written.data).num_rows == 1
    assert json.loads(written.truth.read_text(encoding="utf-8"))["options"]["n"] == 1


def test_unknown_worlds_and_options_are_refused_with_what_there_is(tmp_path: Path) -> None:
    assert list(WORLDS) == ["outreach"]
    with pytest.raises(UsageError, match="use one of: outreach"):
        simulate("outrage", tmp_path / "x.parquet")
    with pytest.raises(UsageError, match="no option 'size'"):
        simulate("outreach", tmp_path / "x.parquet", size=10)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_the_machines_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(MachineError, match="can't be written"):
        simulate("outreach", tmp_path / "file" / "x.parquet", n=100)
