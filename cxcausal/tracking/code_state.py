"""Which code computed a run: the package's own source by SHA-256, and the project's git commit."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cxcausal.core.canonical import sha256_of
from cxcausal.tracking.files import sha256_file
from cxcausal.tracking.git import git_output

_OWN_OUTPUT = (":(exclude)audit/ledger.jsonl", ":(exclude).cxcausal", ":(exclude)reports")


@dataclass(frozen=True, kw_only=True)
class CodeState:
    """The code behind a run.

    Attributes:
        package_sha256: over the path and bytes of every file of the installed package.
        git_commit: the commit of the project's root; None outside git or before the first commit.
        git_dirty: whether files differ from that commit, our own output aside; None where git doesn't know.
    """

    package_sha256: str
    git_commit: str | None
    git_dirty: bool | None


def code_state(root: Path) -> CodeState:
    """Return the state of the package and of the project at `root`."""
    commit = git_output(root, "rev-parse", "--verify", "--quiet", "HEAD")
    changes = git_output(root, "status", "--porcelain", "--", ".", *_OWN_OUTPUT)
    return CodeState(
        package_sha256=package_sha256(),
        git_commit=commit.strip() if commit else None,
        git_dirty=None if changes is None else bool(changes.strip()),
    )


@cache
def package_sha256() -> str:
    """Return one SHA-256 over every source file of the package, read once per process."""
    folder = Path(__file__).resolve().parents[1]
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sha256_of([[path.relative_to(folder).as_posix(), sha256_file(path)] for path in files])
