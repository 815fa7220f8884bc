"""The same plan on two engines: every number of the result, and how far two results are apart."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import isclose, isnan
from pathlib import Path
from typing import Any

from cxcausal.api import load_experiment
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import Dataset
from cxcausal.data.engines import PLAIN, Session
from cxcausal.data.opening import open_dataset
from cxcausal.pipeline.analyse import RunContext, analyse

CLOSE = 1e-9
"""Relative; numbers that are 0 but for rounding may differ by what rounding leaves."""
TINY = 1e-12
Told = Mapping[str, Any]


class Nowhere:
    """A store that forgets."""

    def save(self, stage: str, content: Mapping[str, Any]) -> None:
        """Keep nothing."""


def told_by(spec: ExperimentSpec, dataset: Dataset) -> Told:
    """Return all that an analysis finds, but what the run is called and what was read."""
    context = RunContext(
        run_id="r",
        plan={},
        plan_hash="h",
        registered=False,
        registration="",
        created_at="2026-01-01T00:00:00+00:00",
        versions={},
    )
    result = asdict(analyse(spec, dataset, context, Nowhere()))
    data = {key: value for key, value in result["data"].items() if key not in {"inputs", "fingerprint"}}
    return {**result, "data": data}


def analysed(
    spec: ExperimentSpec, root: Path, *, on: str | None = None, session: Session = PLAIN, **options: Any
) -> Told:
    """Open the data of a plan and analyse them."""
    with open_dataset(spec, root, on=on, session=session, **options) as dataset:
        return told_by(spec, dataset)


def planned(plan: Path) -> ExperimentSpec:
    """Return a plan of the repository, resolved."""
    return load_experiment(plan).spec


def apart(mine: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """Yield where two results differ."""
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        if mine.keys() != theirs.keys():
            yield f"{place}: {sorted(map(str, mine.keys() ^ theirs.keys()))}"
        for key in mine.keys() & theirs.keys():
            yield from apart(mine[key], theirs[key], f"{place}.{key}")
    elif isinstance(mine, list | tuple) and isinstance(theirs, list | tuple):
        if len(mine) != len(theirs):
            yield f"{place}: {len(mine)} and {len(theirs)} items"
        for at, (one, other) in enumerate(zip(mine, theirs, strict=False)):
            yield from apart(one, other, f"{place}[{at}]")
    elif not _alike(mine, theirs):
        yield f"{place}: {mine!r} and {theirs!r}"


def _alike(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        return (isnan(mine) and isnan(theirs)) or isclose(mine, theirs, rel_tol=CLOSE, abs_tol=TINY)
    return type(mine) is type(theirs) and bool(mine == theirs)
