"""Worlds on disk: the same bytes for the same seed, types kept, and no truth in the data."""

import json
from pathlib import Path

import click
import pyarrow as pa
import pytest
from pyarrow import parquet

from cxcausal.cli.run_commands import simulate as draw_verb
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


@pytest.mark.parametrize("name", ["handoff", "handoff-hidden", "handoff-late"])
def test_the_hand_off_worlds_are_written_as_the_others_are(name: str, tmp_path: Path) -> None:
    first, again = (simulate(name, tmp_path / f"{folder}/handoff.parquet", n=N, seed=4) for folder in "ab")
    assert first.data.read_bytes() == again.data.read_bytes()
    assert first.truth.read_bytes() == again.truth.read_bytes()
    table = parquet.read_table(first.data, page_checksum_verification=True)
    failed = [count > 0 for count in table.column("bot_failed_intents").to_pylist()]
    assert table.column("first_failed_intent_at").null_count == failed.count(False) > 0
    assert pa.types.is_timestamp(table.schema.field("first_failed_intent_at").type)
    assert table.column("csat").null_count == N - sum(table.column("csat_answered").to_pylist())
    assert pa.types.is_integer(table.schema.field("csat").type)
    truth = json.loads(first.truth.read_text(encoding="utf-8"))
    assert truth["world"] == name
    assert truth["money"] == {"retained_customer": 240.0, "unit_cost": {"human": 6.4}}
    assert (truth["hidden"] is not None, truth["late"] is not None) == (
        name == "handoff-hidden",
        name == "handoff-late",
    )
    assert {row["estimand"] for row in truth["effects"]} == {"ate", "att", "ato"}


def test_the_command_line_offers_every_world() -> None:
    (argument,) = [one for one in draw_verb.params if one.name == "world"]
    assert isinstance(argument.type, click.Choice)
    assert list(argument.type.choices) == list(WORLDS)


def test_a_handful_of_customers_is_a_world_too(tmp_path: Path) -> None:
    written = write(OutreachWorld(n=1, arms=("none", "gig"), shares=("1/2", "1/2")), tmp_path / "one.parquet")
    assert parquet.read_metadata(written.data).num_rows == 1
    assert json.loads(written.truth.read_text(encoding="utf-8"))["options"]["n"] == 1


def test_unknown_worlds_and_options_are_refused_with_what_there_is(tmp_path: Path) -> None:
    assert list(WORLDS) == ["outreach", "handoff", "handoff-hidden", "handoff-late", "moments"]
    with pytest.raises(UsageError, match="use one of: outreach, handoff, handoff-hidden, handoff-late, moments"):
        simulate("outrage", tmp_path / "x.parquet")
    with pytest.raises(UsageError, match="no option 'size'"):
        simulate("outreach", tmp_path / "x.parquet", size=10)
    with pytest.raises(UsageError, match="no option 'hidden_churn' — use: n, seed, effect_scale"):
        simulate("handoff", tmp_path / "x.parquet", hidden_churn=0.05)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_the_machines_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(MachineError, match="can't be written"):
        simulate("outreach", tmp_path / "file" / "x.parquet", n=100)
