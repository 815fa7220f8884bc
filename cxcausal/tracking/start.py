"""What a run began with: all that its numbers depend on, noted before the first of them is computed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxcausal.core.canonical import canonical_json, sha256_of
from cxcausal.tracking.code_state import package_sha256
from cxcausal.tracking.manifest import Machine, machine
from cxcausal.tracking.redaction import without_secrets
from cxcausal.tracking.run_store import RunStore

START_FILE = "start.json"


@dataclass(frozen=True, kw_only=True)
class Start:
    """What the numbers of one run depend on.

    Attributes:
        plan_hash: of the resolved plan's meaning.
        inputs: name and SHA-256 of everything that is read. fingerprint: one hash over them.
        on: what was read in place of the plan's source, from the project's root where it is a path; None without.
        engine, timezone: the project's, in which times without a zone are read.
        package_sha256: of the code. machine: where it runs.
        rerun: what makes it a rerun: its parent, its end of observation and what was accepted; empty for other runs.
    """

    plan_hash: str
    inputs: tuple[tuple[str, str], ...]
    fingerprint: str
    on: str | None
    engine: str
    timezone: str
    package_sha256: str
    machine: Machine
    rerun: Mapping[str, str] = field(default_factory=dict)

    @property
    def computed_from(self) -> str:
        """One hash over all of it but `on`, whose names and contents are among the inputs."""
        return sha256_of({name: value for name, value in vars(self).items() if name != "on"})


def start_now(
    *, plan_hash: str, inputs: tuple[tuple[str, str], ...], fingerprint: str, on: str | None, project: tuple[str, str]
) -> Start:
    """Return what a run on this machine and with this code begins with; `project` is its engine and time zone."""
    return Start(
        plan_hash=plan_hash,
        inputs=tuple((without_secrets(name), digest) for name, digest in inputs),
        fingerprint=fingerprint,
        on=None if on is None else without_secrets(on),
        engine=without_secrets(project[0]),
        timezone=project[1],
        package_sha256=package_sha256(),
        machine=machine(),
    )


def write_start(store: RunStore, start: Start) -> None:
    """Note in the run's folder what it began with."""
    store.write(START_FILE, canonical_json(start))


def read_start(directory: Path) -> Start | None:
    """Return what a run began with; None where it ended before that was noted, or another version noted it."""
    try:
        told: dict[str, Any] = json.loads((directory / START_FILE).read_bytes())
        inputs = tuple((str(name), str(digest)) for name, digest in told.pop("inputs"))
        return Start(inputs=inputs, machine=Machine(**told.pop("machine")), **told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
