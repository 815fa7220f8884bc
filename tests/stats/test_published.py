"""Published answers from real trials (bar V1): to half a unit of the last printed digit."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxcausal.stats.difference import Difference, hc2, pooled
from cxcausal.stats.proportions import srm_p
from tests.conftest import absent
from tests.twins import moments_of

HILLSTROM = [
    ("Mens E-Mail", "visit", 0.0765895637, 0.0033858878),
    ("Mens E-Mail", "conversion", 0.0068050065, 0.0009208728),
    ("Mens E-Mail", "spend", 0.7698271559, 0.1452465602),
    ("Womens E-Mail", "visit", 0.0452331066, 0.0032344621),
    ("Womens E-Mail", "conversion", 0.0031110575, 0.0008226771),
    ("Womens E-Mail", "spend", 0.4244122159, 0.1303328585),
]


def _compared(frame: pd.DataFrame, column: str, arm: str, treated: object, control: object) -> Difference:
    return hc2(*(moments_of(frame.loc[frame[arm] == name, column].to_numpy(float)) for name in (treated, control)))


def _nsw(frame: pd.DataFrame) -> tuple[Difference, Difference]:
    treated, control = (moments_of(frame.loc[frame["treat"] == arm, "re78"].to_numpy(float)) for arm in (1, 0))
    return hc2(treated, control), pooled(treated, control)


def test_the_national_supported_work_demonstration() -> None:
    """The point to its last published digit, from the file it was computed on (earnings in single precision)."""
    package = find_spec("causaldata")
    if package is None or package.origin is None:
        absent("needs the causaldata package")
    robust, equal = _nsw(pd.read_stata(Path(package.origin).parent / "nsw_mixtape" / "nsw_mixtape.dta"))
    assert robust.point == pytest.approx(1794.34238185, abs=5e-9)
    assert equal.se == pytest.approx(632.85339, abs=5e-6)


def test_the_same_trial_with_rounded_earnings(shared_data: Path) -> None:
    """The standard errors to their last published digit; rounding moves the point by 2e-5."""
    robust, equal = _nsw(pd.read_csv(shared_data / "nsw_dw.csv.gz"))
    assert robust.point == pytest.approx(1794.34238185, abs=5e-5)
    assert (robust.se, equal.se) == pytest.approx((670.99655, 632.85339), abs=5e-6)


@pytest.mark.parametrize(("arm", "column", "point", "se"), HILLSTROM)
def test_hillstroms_e_mails(shared_data: Path, arm: str, column: str, point: float, se: float) -> None:
    frame = pd.read_csv(shared_data / "hillstrom.csv.gz", usecols=["segment", column])
    found = _compared(frame, column, "segment", arm, "No E-Mail")
    assert (found.point, found.se) == pytest.approx((point, se), abs=5e-11)


def test_hillstroms_split(shared_data: Path) -> None:
    counts = pd.read_csv(shared_data / "hillstrom.csv.gz", usecols=["segment"])["segment"].value_counts()
    assert srm_p([int(count) for count in counts], [1 / 3] * 3) == pytest.approx(0.904, abs=5e-4)


def test_gerber_green_and_larimers_neighbors(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "social_pressure_ggl2008.csv.gz", usecols=["messages", "primary2006"])
    found = _compared(frame, "primary2006", "messages", "Neighbors", "Control")
    assert found.point == pytest.approx(0.0813099, abs=5e-8)
    assert found.se == pytest.approx(0.002692, abs=5e-7)


def test_the_tennessee_star_experiment(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "star_aer.csv.gz", usecols=["stark", "readk", "mathk"]).dropna()
    frame["score"] = frame["readk"] + frame["mathk"]
    found = _compared(frame, "score", "stark", "small", "regular")
    assert found.point == pytest.approx(13.899, abs=5e-4)
    assert found.se == pytest.approx(2.454, abs=5e-4)
    assert np.isfinite(found.df)
