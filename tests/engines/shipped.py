"""The data of the shipped plans."""

from pathlib import Path

import pandas as pd
import pytest

from cxcausal.pipeline.support import unsupported
from tests.engines.same import Told, analysed, planned

ROOT = Path(__file__).resolve().parents[2]
PLANS = sorted((ROOT / "experiments").glob("*.yaml"))
NAMES = [path.stem for path in PLANS if not unsupported(planned(path))]
WORLDS = {
    "proactive_outreach": "outreach",
    "human_handoff": "handoff",
    "human_handoff_hidden": "handoff-hidden",
    "moments_of_truth": "moments",
}
"""Plan → the world that its data are drawn from."""
EACH = [pytest.param(name, marks=[pytest.mark.slow] * (name == "hillstrom_policy")) for name in NAMES]
"""Hillstrom's rows come from engines in `hillstrom`, and what is learned of rows in `moments_of_truth`."""
_KNOWN: dict[str, Told] = {}
_PACKAGED = {"incentive_results": "thornton_hiv", "nsw_mixtape": "nsw_mixtape"}
_NATIVE = {"hillstrom", "hillstrom_policy", "karlan_list", "social_pressure"}


def file_of(name: str, shared: Path, folder: Path) -> str:
    """Return the file of a plan's data; a world is drawn into the folder."""
    import causaldata  # noqa: PLC0415 - only this

    if name in WORLDS:
        from cxcausal.api import simulate  # noqa: PLC0415 - slow to import

        simulate(WORLDS[name], folder / "world.parquet", n=1_500)
        return str(folder / "world.parquet")
    if name in _PACKAGED:
        return str(Path(causaldata.__file__).parent / _PACKAGED[name] / f"{_PACKAGED[name]}.dta")
    return str(shared / Path(planned(ROOT / f"experiments/{name}.yaml").data.source).name)


def embedded(name: str, file: str, root: Path) -> Told:
    """Return what the embedded engine tells of a plan, asked once for all other engines: `file_of` draws no second."""
    if name not in _KNOWN:
        _KNOWN[name] = analysed(planned(ROOT / f"experiments/{name}.yaml"), root, on=file)
    return _KNOWN[name]


def frame_of(name: str, file: str) -> pd.DataFrame:
    """Return the rows of a plan's data, typed for some plans and as text for others."""
    if file.endswith(".parquet"):
        return pd.read_parquet(file)
    if file.endswith(".dta"):
        return pd.read_stata(file, convert_categoricals=False)
    if name in _NATIVE:
        return pd.read_csv(file)
    return pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""])
