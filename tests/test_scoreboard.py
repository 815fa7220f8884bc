"""The scoreboard's worlds: enough of them, each with a truth that its draws bear out, and a page that waits."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scoreboard import case_of, ours, settings
from benchmarks.scoreboard_files import filed
from benchmarks.scoreboard_page import Told, page
from benchmarks.scoreboard_rich import Rich, rich_worlds
from benchmarks.scoreboard_worlds import worlds


def test_every_world_keeps_its_estimates_in_a_file_of_its_own(shared_data: Path) -> None:
    every = list(settings())
    assert len(every) >= 40
    assert len({world.stem for world in every}) == len({world.name for world in every}) == len(every)
    assert shared_data.is_dir()


def test_the_first_worlds_keep_names_and_draws() -> None:
    first = next(worlds())
    assert (first.stem, first.name) == ("linear-good-mean-500-5", "linear, good overlap, mean, n 500, p 5")
    drawn = first.draw(0)
    assert drawn.y.sum() == pytest.approx(79.06577560662198, abs=1e-9)
    assert int(drawn.treated.sum()) == 245


@pytest.mark.parametrize(
    "world", [world for world in rich_worlds() if world.p == 10], ids=lambda world: str(world.name)
)
def test_a_rich_world_has_both_arms_everywhere_and_its_own_truth(world: Rich) -> None:
    x = world.covariates(np.random.default_rng(1), 100_000)
    share = world.share(x)
    without, with_it = world.means(x)
    assert 0.001 < share.min() < share.max() < 0.999
    assert np.mean(with_it - without) == pytest.approx(world.truth(0), abs=0.01)
    assert np.std(with_it - without) > 0.1
    naive = np.average(with_it, weights=share) - np.average(without, weights=1 - share)
    assert abs(naive - world.truth(0)) > 0.1, "nothing confounds"


def test_a_replication_of_a_file_has_the_truth_that_the_file_states(shared_data: Path) -> None:
    stated = json.loads((shared_data / "answers.json").read_text("utf-8"))
    found = {world.stem: [world.truth(draw) for draw in range(world.limit)] for world in filed()}
    assert found["ihdp-ate"] == pytest.approx(stated["ihdp_true_ate_rep1to5"], abs=5e-5)
    assert found["ihdp-att"] == pytest.approx([4.0] * 5, abs=1e-6)
    assert found["acic2016-ate"] == pytest.approx(stated["acic2016_true_ate_mu_dgp1to5"], abs=5e-5)
    assert found["acic2016-att"] == pytest.approx(stated["acic2016_true_att_mu_dgp1to5"], abs=5e-5)


def test_the_treated_are_asked_about_where_the_world_says_so(shared_data: Path) -> None:
    assert shared_data.is_dir()
    everybody, treated = (world for world in filed() if world.file == "IHDP")
    of_all, of_treated = (ours(case_of(world.draw(2), target=world.target)) for world in (everybody, treated))
    assert of_all != of_treated
    assert abs(of_all[0] - everybody.truth(2)) < 4 * of_all[1]
    assert abs(of_treated[0] - treated.truth(2)) < 4 * of_treated[1]


def test_a_world_without_peers_waits_and_counts_for_nothing() -> None:
    compared, waiting, *_ = worlds()
    truth = compared.truth(0)
    peers = {"EconML": {"0": (truth + 0.2, 0.1)}, "DoubleML": {"0": (truth + 0.4, 0.1)}}
    told = [
        Told(world=compared, found={"cxcausal": {"0": (truth + 0.1, 0.1), "1": (truth, 0.1)}, **peers}),
        Told(world=waiting, found={"cxcausal": {"0": (waiting.truth(0), 0.1)}}),
    ]
    lines = page(told).splitlines()
    assert (
        "| linear, good overlap, mean, n 500, p 5 | 1 | 0.1000 | 0.2000 | 0.4000 | 0.500 | 1.00 / 0.00 / 0.00 |"
        in lines
    )
    assert "| linear, good overlap, mean, n 1,000, p 20 | 1 | 0.0000 | – | – | – | 1.00 / – / – |" in lines
    assert any("over 1 worlds: **0.500**" in line for line in lines)
