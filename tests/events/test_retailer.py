"""The quick part of the retailer's world; `python -m tests.events` runs it at full size."""

from pathlib import Path

import pytest

from tests.events.comparing import compare, shelved, tables_by_hand
from tests.events.retailer import World, retailer
from tests.events.slow_twin import Shelves


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Shelves, Path]:
    folder = tmp_path_factory.mktemp("retailer")
    world = retailer(2_000, 50_000)
    world.write(folder)
    return world, shelved(world)[0], folder


@pytest.mark.parametrize("exposure", [False, True])
def test_every_value_of_every_customer_is_the_twins(made: tuple[World, Shelves, Path], *, exposure: bool) -> None:
    world, shelves, folder = made
    found = compare(world, folder, shelves, exposure=exposure)
    assert found.differences == {}
    assert found.units > (500 if exposure else 1_900)


def test_what_is_told_of_the_tables_is_counted_right(made: tuple[World, Shelves, Path]) -> None:
    world, shelves, folder = made
    flow = compare(world, folder, shelves, exposure=False).flow
    assert flow.entry is not None
    assert {table.name: table for table in flow.entry.tables} == tables_by_hand(world, shelves)
    assert flow.days_to_mature == 33
