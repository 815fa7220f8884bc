"""The plans that are timed and compared: five metrics in two arms, with as many segments as asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.world import METRICS, SEGMENTS

SHARES = {"none": "0.15", "mail": "0.85"}
_KINDS = {"visit": "proportion", "conversion": "proportion"}


def plan_of(source: str, *, segments: int, adjusted: bool = False) -> dict[str, Any]:
    """Return a plan; `adjusted` compares spend with spend before as its covariate."""
    metrics = [_metric(name, type=_KINDS.get(name, "mean"), column=name) for name in METRICS]
    if adjusted:
        metrics = [{**one, "covariate": "spend_pre"} if one["name"] == "spend" else one for one in metrics]
    return plan_around(source, metrics, SHARES, segments=SEGMENTS[:segments])


def plan_around(
    source: str, metrics: Sequence[Mapping[str, Any]], shares: Mapping[str, str], *, segments: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a plan with these metrics, whose control is `none`."""
    arms = {arm: {"share": share} for arm, share in shares.items()}
    return {
        "schema_version": 1,
        "id": "bench",
        "question": "How long does it take?",
        "owner": "bench@example.com",
        "data": {"source": source},
        "design": {"type": "randomized", "treatment": {"column": "arm", "control": "none", "arms": arms}},
        "segments": list(segments),
        "metrics": {"success": [dict(metrics[0])], "secondary": [dict(one) for one in metrics[1:]]},
    }


def _metric(name: str, **keys: str) -> dict[str, Any]:
    return {"name": name, "desired_direction": "increase", **keys}
