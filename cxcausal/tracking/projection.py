"""What MLflow is told about a run: metrics, params, tags and inputs, chosen by an allow-list."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cxcausal.core.canonical import sha256_of
from cxcausal.tracking.layout import EFFECTS, MANIFEST_FILE, PLAN, REPORT, RESULTS
from cxcausal.tracking.redaction import without_secrets

ARTIFACTS = (EFFECTS, RESULTS, REPORT, PLAN, MANIFEST_FILE)
_REFUSED = re.compile(r"[^A-Za-z0-9_. :-]")
_LONGEST = 64
_DIGEST = 32
_SOURCE = 500


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input file: its name, and its full SHA-256."""

    name: str
    sha256: str

    @property
    def digest(self) -> str:
        """As much of the SHA-256 as MLflow's 36 characters hold."""
        return self.sha256[:_DIGEST]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """One run as MLflow sees it; `started_ms` is milliseconds since 1970, UTC."""

    run_id: str
    experiment: str
    started_ms: int
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    inputs: tuple[Input, ...]


def project(results: Mapping[str, Any], *, manifest_hash: str, ledger_hash: str) -> Projection:
    """Return what MLflow is told about the run with these results.

    Args:
        results: the object of `run --json`, which holds no row and no id of a customer.
        manifest_hash: SHA-256 of the run's manifest.
        ledger_hash: hash of the ledger's line about this run.
    """
    return Projection(
        run_id=results["run_id"],
        experiment=f"cx/{results['experiment']}",
        started_ms=_milliseconds(results["created_at"]),
        metrics={**effect_metrics(results["effects"], _control(results)), **whom_metrics(results)},
        params=_params(results),
        tags=_tags(results, manifest_hash, ledger_hash),
        inputs=tuple(
            Input(name=without_secrets(name)[:_SOURCE], sha256=sha) for name, sha in results["data"]["inputs"]
        ),
    )


def effect_metrics(effects: Sequence[Mapping[str, Any]], control: str | None) -> dict[str, float]:
    """Return `effect/<metric>/<arm>/{point,low,high}` of the absolute headline rows for all customers.

    A contrast with another arm than the control is named `<arm> vs <other>`. Numbers that are missing or not finite
    are left out: MLflow would store them and look as if it had a value.
    """
    found: dict[str, float] = {}
    for row in effects:
        if not (
            row["headline"] and row["scale"] == "absolute" and row["population"] == "all" and row["status"] == "ok"
        ):
            continue
        arm = row["arm"] if control in {None, row["control"]} else f"{row['arm']} vs {row['control']}"
        for part in ("point", "low", "high"):
            number = row[part]
            if number is not None and math.isfinite(number):
                found.setdefault(f"effect/{slug(row['metric'])}/{slug(arm)}/{part}", float(number))
    return found


def whom_metrics(results: Mapping[str, Any]) -> dict[str, float]:
    """Return what contacting by a rule gains, and whether predictions tell who responds; nothing before it may be read.

    `policy/<rule>/{gain,low,high}` is against contacting nobody, `policy/beyond/<rule>/{gain,low,high}` against the
    best single arm for everybody, `heterogeneity/<aim>/<arm>/{autoc,p}` of held-out units.
    """
    if (results.get("reading") or {}).get("waiting") is not None:
        return {}
    found: dict[str, float | None] = {}
    for rule in (results.get("policy") or {}).get("policies", ()):
        for place, told in (("policy", rule["gain"]), ("policy/beyond", rule["beyond"])):
            parts = {"gain": told["point"], "low": told["low"], "high": told["high"]}
            found |= {f"{place}/{slug(rule['name'])}/{part}": number for part, number in parts.items()}
    for aim in results.get("heterogeneity", ()):
        for arm in aim["arms"]:
            place = f"heterogeneity/{slug(aim['aim'])}/{slug(arm['arm'])}"
            found |= {f"{place}/autoc": arm["autoc"]["point"], f"{place}/p": arm["p"]}
    return {name: float(number) for name, number in found.items() if number is not None and math.isfinite(number)}


def _is_headline(row: Mapping[str, Any]) -> bool:
    """Return whether a row is a computed absolute effect on all customers that page one shows."""
    return bool(row["headline"]) and (row["scale"], row["population"], row["status"]) == ("absolute", "all", "ok")


def slug(name: str) -> str:
    """Return `name` in the characters that MLflow takes for one part of a metric's name.

    A name that had to be changed ends in six digits of its hash, so that two names never become one.

    Example:
        >>> slug("churn_90d"), slug("a+b") == slug("a%b")
        ('churn_90d', False)
    """
    safe = _REFUSED.sub("_", name)[:_LONGEST]
    if safe == name and name.strip(". "):
        return name
    return f"{safe.strip('. ') or '_'}-{sha256_of(name)[:6]}"


def _control(results: Mapping[str, Any]) -> str | None:
    """Return the plan's control arm."""
    control = results["plan"].get("design", {}).get("treatment", {}).get("control")
    return None if control is None else str(control)


def _inputs(results: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and SHA-256 of every input."""
    return tuple((str(name), str(sha)) for name, sha in results["data"]["inputs"])


def _params(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the few values by which runs are compared in a table."""
    analysis = results["plan"].get("analysis", {})
    values = {
        "verdict": results["verdict"],
        "grade": results["grade"],
        "recommended_arm": results["recommended_arm"],
        "capped_by": results["capped_by"],
        "plan_hash": results["plan_hash"],
        "data_fingerprint": results["data"]["fingerprint"],
        "data_cut": results["data"]["data_cut"],
        "analysed": results["data"]["analysed"],
        "alpha": analysis.get("alpha"),
        "seed": analysis.get("seed"),
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _tags(results: Mapping[str, Any], manifest_hash: str, ledger_hash: str) -> dict[str, str]:
    """Return the tags by which a run is found and audited."""
    return {
        "mlflow.runName": results["run_id"],
        "cx.run_id": results["run_id"],
        "cx.experiment": results["experiment"],
        "cx.schema_version": str(results["schema_version"]),
        "cx.plan_hash": results["plan_hash"],
        "cx.data_fingerprint": results["data"]["fingerprint"],
        "cx.manifest_hash": manifest_hash,
        "cx.ledger_head": ledger_hash,
        "cx.registered": str(results["registered"]).lower(),
        "cx.verdict": results["verdict"],
        "cx.grade": results["grade"],
        "cx.created_at": results["created_at"],
    }


def _milliseconds(moment: str) -> int:
    """Return an ISO 8601 time as milliseconds since 1970; without a zone it is UTC."""
    read = datetime.fromisoformat(moment)
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
