"""The page on worlds says what the worlds are: its commands run, and its numbers are the truth's."""

import re
import shlex
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cxcausal.cli.run_commands import simulate
from cxcausal.simulate import WORLDS, HandoffTruth, HandoffWorld, HiddenHandoffWorld, LateHandoffWorld

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/simulated-worlds.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (all|intent=\w+) \| .*?\(`(\w+)`\) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)


@cache
def truth_of(world: type[HandoffWorld] | type[HiddenHandoffWorld] | type[LateHandoffWorld]) -> HandoffTruth:
    return world(n=500).draw().truth


def points(value: float | None) -> str:
    assert value is not None
    return f"{100 * value:+.2f}"


@pytest.mark.parametrize(("population", "estimand", "numbers"), ROWS)
def test_the_table_of_effects_is_the_truth(population: str, estimand: str, numbers: str) -> None:
    row, hidden = (
        truth_of(world).effect("churn_90d", estimand, population) for world in (HandoffWorld, HiddenHandoffWorld)
    )
    told = [points(one) for one in (row.expected, row.naive, hidden.adjusted, hidden.expected)]
    assert numbers.split(" | ") == told


def test_the_numbers_in_the_text_are_the_truths() -> None:
    hidden, late = (truth_of(world) for world in (HiddenHandoffWorld, LateHandoffWorld))
    assert len(ROWS) == 6
    cause, row = hidden.hidden, hidden.effect("churn_90d")
    assert cause is not None
    assert row.adjusted is not None
    assert late.late is not None
    bound = cause.partial_r2["churn_90d"] * cause.residual_variance["churn_90d"]
    bound *= cause.balance_gain["ato"] * cause.weight_size["ato"]
    flat = PAGE.replace("\n", " ")
    bias = row.adjusted - row.expected
    assert f"that root is {100 * np.sqrt(bound):.2f} points, and the bias is {100 * bias:.2f}." in flat
    assert f"({hidden.effect('contacts_prev_year').adjusted:.2f} contacts, adjusted by `ato`)" in flat
    wrong, right = late.late.adjusted_churn["ato"], late.effect("churn_90d").expected
    assert f"says {points(wrong)} points where the truth is {points(right)}." in flat


@pytest.mark.parametrize("line", re.findall(r"^cxcausal simulate .*$", PAGE, re.MULTILINE))
def test_the_commands_draw_the_worlds_where_the_plans_look(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(simulate, [*shlex.split(line)[2:], "--n", "400"])
    assert done.exit_code == 0, done.output
    (data,) = (tmp_path / "data").glob("*.parquet")
    assert data.with_suffix(".truth.json").exists()


def test_every_world_stands_on_the_page_with_a_plan_that_reads_it() -> None:
    named = re.findall(r"^\| `(\w[\w-]*)` \| [^`]*? \| .*?(?:`(experiments/\w+\.yaml)`)?.*\|$", PAGE, re.MULTILINE)
    assert [name for name, _ in named] == list(WORLDS)
    plans = [(name, ROOT / path) for name, path in named if path]
    assert len(plans) == 4
    for name, plan in plans:
        command = re.search(rf"cxcausal simulate {name} --out (\S+)", PAGE)
        assert command is not None
        assert f"source: {command[1]}\n" in plan.read_text(encoding="utf-8").replace("  #", "\n")
