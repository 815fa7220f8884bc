"""Published numbers, from real files to sufficient statistics through the data edge alone."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cxcausal.core.measure import Measure
from cxcausal.core.queries import CountQuery, MomentQuery
from cxcausal.data import Dataset, open_dataset
from tests.conftest import absent
from tests.data.plans import ask, plan


def metrics(**columns: str) -> dict[str, object]:
    written = [
        {"name": name, "type": kind, "column": name, "desired_direction": "increase"} for name, kind in columns.items()
    ]
    return {"success": written[:1], "secondary": written[1:]}


def difference(dataset: Dataset, column: str, treated: str, control: str) -> tuple[float, float]:
    """Return the difference in means and its HC2 standard error."""
    query = MomentQuery(measure=Measure(name=column, terms=((column, 1.0),)))
    cells = [ask(dataset, [query])[query][arm, ()] for arm in (treated, control)]
    variance = sum(cell.m2[0, 0] / (cell.n - 1) / cell.n for cell in cells)
    return float(cells[0].mean[0] - cells[1].mean[0]), float(np.sqrt(variance))


@pytest.mark.parametrize(
    ("arm", "column", "point", "error"),
    [
        ("Mens E-Mail", "visit", 0.0765895637, 0.0033858878),
        ("Mens E-Mail", "conversion", 0.0068050065, 0.0009208728),
        ("Mens E-Mail", "spend", 0.7698271559, 0.1452465602),
        ("Womens E-Mail", "visit", 0.0452331066, 0.0032344621),
        ("Womens E-Mail", "conversion", 0.0031110575, 0.0008226771),
        ("Womens E-Mail", "spend", 0.4244122159, 0.1303328585),
    ],
)
def test_an_email_brings_customers_back(
    shared_data: Path, tmp_path: Path, arm: str, column: str, point: float, error: float
) -> None:
    arms = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
    treatment = {"column": "segment", "control": arms[0], "arms": {name: {} for name in arms}}
    spec = plan(
        {"source": "hillstrom.csv.gz"},
        design={"type": "randomized", "treatment": treatment},
        covariates=["zip_code", "recency"],
        segments=["newbie", "channel"],
        metrics=metrics(visit="proportion", conversion="proportion", spend="mean"),
    )
    with open_dataset(spec, tmp_path, data_roots=(shared_data,), on=str(shared_data / "hillstrom.csv.gz")) as dataset:
        found = difference(dataset, column, arm, arms[0])
        assert dataset.levels == {"newbie": ("0", "1"), "channel": ("Multichannel", "Phone", "Web")}
        assert ask(dataset, [CountQuery()])[CountQuery()] == {
            ("Mens E-Mail", ()): 21307,
            ("No E-Mail", ()): 21306,
            ("Womens E-Mail", ()): 21387,
        }
    assert found == pytest.approx((point, error), abs=5e-11)


def test_a_package_can_be_the_source(tmp_path: Path) -> None:
    if find_spec("causaldata") is None:
        absent("needs the package causaldata (the extra `examples`)")
    spec = plan(
        {"source": "thornton", "filter": "got is not null and any is not null"},
        design={"type": "randomized", "treatment": {"column": "any", "control": "0", "arms": {"0": {}, "1": {}}}},
        covariates=["age", "tinc"],
        segments=[],
        metrics=metrics(got="proportion"),
    )
    sources = {"thornton": {"package": "causaldata", "file": "thornton_hiv/thornton_hiv.dta"}}
    with open_dataset(spec, tmp_path, sources=sources) as dataset:
        assert difference(dataset, "got", "1", "0") == pytest.approx((0.4506, 0.0209), abs=5e-5)
