"""DoWhy's refuters behind their guards, and the traps that the guards are for."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cxcausal.core.score_answers import Refuter
from cxcausal.core.score_queries import RefutationQuery
from cxcausal.scoring import dowhy_refuters as guarded
from cxcausal.scoring.dowhy_refuters import dowhy_refuters
from tests.scoring.given import Y, drawn


@pytest.fixture(scope="module", autouse=True)
def fewer() -> Iterator[None]:
    """Let tests draw less often than runs do."""
    assert guarded.SIMULATIONS >= 100, "fewer make DoWhy's tests one-tailed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guarded, "SIMULATIONS", 15)
        yield


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, Refuter], Any]:
    road = drawn(300, 3, arms=3)
    np.random.seed(5)  # noqa: NPY002 - to see that it is left alone
    query = RefutationQuery(measure=Y, target="ato", dowhy=True)
    before = np.random.get_state()[1].copy()  # type: ignore[index] # noqa: NPY002
    answer: Any = road.answer([query])[query]
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index] # noqa: NPY002
    return {each.name: each for each in answer.refuters["t", "c"]}, road


def test_they_stand_beside_our_own_and_find_nothing(found: tuple[dict[str, Refuter], Any]) -> None:
    told, road = found
    theirs = {name: each for name, each in told.items() if name.startswith("dowhy_")}
    assert list(theirs) == ["dowhy_placebo_treatment", "dowhy_random_common_cause", "dowhy_subset"]
    assert len(told) == 7
    use = road.rows.arm != 2
    x = np.column_stack([np.ones(use.sum()), road.nuisances.features.filled[use]])
    t, y = (road.rows.arm == 1)[use].astype(float), road.rows.numbers["y"][use]
    effect = np.linalg.lstsq(np.column_stack([t, x]), y, rcond=None)[0][0]
    for each in theirs.values():
        assert each.expected == (0.0 if "placebo" in each.name else pytest.approx(effect))
        assert abs(each.found - each.expected) < 4 * each.se
        assert each.found != each.expected
        assert each.p is None


def test_equal_seeds_draw_alike_and_data_are_left_alone(found: tuple[dict[str, Refuter], Any]) -> None:
    told, road = found
    use = road.rows.arm != 2
    columns = road.nuisances.features.filled[use]
    kept = columns.copy()
    seed = road.nuisances.split(0, "dowhy", "y", "t", "c").seed
    again = dowhy_refuters(columns, (road.rows.arm == 1)[use], road.rows.numbers["y"][use], seed)
    assert again == tuple(each for name, each in told.items() if name.startswith("dowhy_"))
    assert (columns == kept).all()


@pytest.mark.filterwarnings("ignore")
def test_the_trap_is_still_there() -> None:
    """A whole number as `random_state` draws one subset only: its spread is nothing, and p is 0 (DoWhy 0.14)."""
    import pandas as pd  # noqa: PLC0415 - heavy
    from dowhy import CausalModel  # noqa: PLC0415 - heavy

    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    t = (x + rng.normal(size=200) > 0).astype(int)
    frame = pd.DataFrame({"x": x, "t": t, "y": t + x + rng.normal(size=200)})
    model = CausalModel(data=frame, treatment="t", outcome="y", common_causes=["x"])
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression")
    told = model.refute_estimate(
        estimand, estimate, method_name="data_subset_refuter", num_simulations=100, random_state=1, n_jobs=1
    )
    assert told.refutation_result["p_value"] == 0
