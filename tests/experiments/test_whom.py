"""Which e-mail for whom, on public data: the known difference between customers is found, and the rule is valued."""

import shutil
from pathlib import Path

import pytest

from cxcausal.core.results import RunResult
from tests.experiments.test_expected import ROOT

WOMENS, MENS = "Womens E-Mail", "Mens E-Mail"
PUBLISHED = {("womens: 0", WOMENS): 0.011, ("mens: 0", WOMENS): 0.074}
"""Gains in visits of customers who bought men's goods only, and women's only; answers.json has their digits."""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> RunResult:
    from cxcausal.api import run_experiment  # noqa: PLC0415 - slow to import

    root = tmp_path_factory.mktemp("whom") / "project"
    for folder in ("experiments", "configs"):
        shutil.copytree(ROOT / folder, root / folder)
    (root.parent / "shared").mkdir()
    (root.parent / "shared/data").symlink_to(shared_data, target_is_directory=True)
    return run_experiment(root / "experiments/hillstrom_policy.yaml", root=root)


def _it_is_found_that_the_womens_email_moves_some_customers_more(result: RunResult) -> None:
    (aim,) = result.heterogeneity
    womens = next(arm for arm in aim.arms if arm.arm == WOMENS)
    assert aim.aim == "visit"
    assert womens.found
    assert womens.average.point == pytest.approx(0.0452, abs=0.012)
    assert womens.groups[-1].gain.point == pytest.approx(0.074, abs=0.03)
    assert womens.groups[0].gain.point == pytest.approx(0.011, abs=0.03)


def _declared_groups_gain_what_is_published(result: RunResult) -> None:
    assert result.policy is not None
    told = {(group.name, group.arm): group for group in result.policy.groups if group.declared}
    for key, gain in PUBLISHED.items():
        assert told[key].gain.point == pytest.approx(gain, abs=0.006), key
        low, high = told[key].gain.low, told[key].gain.high
        assert low is not None
        assert high is not None
        assert low < gain < high
    assert told["mens: 0", WOMENS].helped
    assert not told["womens: 0", WOMENS].helped


def _the_rule_is_valued_against_the_best_single_email_and_never_better_than_it_can_show(result: RunResult) -> None:
    policy = result.policy
    assert policy is not None
    worth = {one.name: one for one in policy.policies}
    assert worth["best_arm"].gain.point == pytest.approx(worth[f"everybody:{MENS}"].gain.point)
    assert worth["best_arm"].gain.point == pytest.approx(0.0766, abs=0.012)
    beyond = worth["value"].beyond
    assert beyond.low is not None
    assert beyond.high is not None
    assert -0.01 < beyond.low < beyond.high < 0.02
    assert policy.targeting == (policy.recommended in {"value", "limited", "tree"})
    if policy.recommended in {"value", "limited", "tree"}:
        low = worth[policy.recommended].beyond.low
        assert low is not None
        assert low > 0


def test_which_email_for_whom(result: RunResult) -> None:
    """One test: each process would run the experiment anew."""
    _it_is_found_that_the_womens_email_moves_some_customers_more(result)
    _declared_groups_gain_what_is_published(result)
    _the_rule_is_valued_against_the_best_single_email_and_never_better_than_it_can_show(result)
