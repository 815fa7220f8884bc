"""The project's own secret: ids are kept only as hashes that nobody can make without it."""

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from cxcausal.core.errors import IntegrityError, Problem
from cxcausal.tracking.files import locked, machine_error, sync_folder
from cxcausal.tracking.layout import STATE

KEY_FILE = "key"
_BYTES = 32


def project_key(root: Path) -> bytes:
    """Return the project's 32 secret bytes, made at random the first time and readable by their owner alone.

    Raises:
        IntegrityError: the file holds something else.
        MachineError: the disk refuses.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> project_key(folder) == project_key(folder)
        True
    """
    path = root / STATE / KEY_FILE
    with locked(root / STATE / "key.lock"):
        try:
            if not path.exists():
                _make(path)
            key = path.read_bytes()
        except OSError as error:
            raise machine_error(path, "read", error) from error
    if len(key) != _BYTES:
        what = "this file is not the secret that kept units are hashed with"
        mend = "restore it from a copy; without one, delete it, and reruns start again without earlier units"
        raise IntegrityError(Problem(where=f"{STATE}/{KEY_FILE}", code="R803", what=what, mend=mend))
    return key


def _make(path: Path) -> None:
    """Write a new secret, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(secrets.token_bytes(_BYTES))
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def key_name(root: Path) -> str:
    """Return what tells the project's key from another one, and nothing of the key itself."""
    return hmac.new(project_key(root), b"name of the key", sha256).hexdigest()[:16]
