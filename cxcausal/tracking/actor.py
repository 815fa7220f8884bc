"""Who acts: a name that is asserted, and the place it was taken from."""

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cxcausal.tracking.git import git_output

ActorSource = Literal["argument", "environment", "git", "system"]
VARIABLE = "CXCAUSAL_ACTOR"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A name and its source: `--as`, the environment, git's user.email or the system's user."""

    name: str
    source: ActorSource


def resolve_actor(root: Path, asserted: str | None = None, *, environ: Mapping[str, str] = os.environ) -> Actor:
    """Return who acts; the first of argument, CXCAUSAL_ACTOR, git's user.email, the system's user.

    Args:
        root: the project's root, whose git configuration counts.
        asserted: what `--as` was given.
        environ: the environment to look in.

    Example:
        >>> resolve_actor(Path("."), "ann@example.com").source
        'argument'
    """
    if asserted and asserted.strip():
        return Actor(name=asserted.strip(), source="argument")
    if named := environ.get(VARIABLE, "").strip():
        return Actor(name=named, source="environment")
    if email := (git_output(root, "config", "user.email") or "").strip():
        return Actor(name=email, source="git")
    return Actor(name=_system_user(), source="system")


def _system_user() -> str:
    """Return the name of the account, or its number where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
