"""Where MLflow lives: addresses resolved against the project, and whether a server answers at all."""

import http.client
import os
import re
import socket
import ssl
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlsplit

from cxcausal.core.errors import MachineError, Problem
from cxcausal.tracking.layout import STATE

SQLITE = "sqlite:///"
DEFAULT_URI = f"{SQLITE}{STATE}/mlflow.db"
PROBE_SECONDS = 3.0
_SERVER_ERROR = 500
_SECRET = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def resolve_uri(root: Path, uri: str) -> str:
    """Return the address with a relative SQLite path taken from the project's root.

    Example:
        >>> resolve_uri(Path("/project"), DEFAULT_URI)
        'sqlite:////project/.cxcausal/mlflow.db'
        >>> resolve_uri(Path("/project"), "https://mlflow.example.com")
        'https://mlflow.example.com'
    """
    if not is_sqlite(uri):
        return uri
    path, mark, options = uri.removeprefix(SQLITE).partition("?")
    return f"{SQLITE}{root.resolve() / path}{mark}{options}"


def with_secrets(uri: str) -> str:
    """Return the address with user and password from the environment, where `${env:NAME}` stands for them.

    Only the login is filled in, as no other part of an address is kept out of messages.

    Raises:
        MachineError: such a variable is not set.

    Example:
        >>> os.environ["CX_EXAMPLE_LOGIN"] = "p@ss"
        >>> with_secrets("https://ann:${env:CX_EXAMPLE_LOGIN}@mlflow.example.com")
        'https://ann:p%40ss@mlflow.example.com'
        >>> del os.environ["CX_EXAMPLE_LOGIN"]
    """
    scheme, separator, rest = uri.partition("://")
    login, at, address = rest.rpartition("@")
    unset = [name for name in _SECRET.findall(login) if name not in os.environ]
    if unset:
        what = f"the environment variable {' and '.join(unset)} is not set"
        mend = "set it, then run `cxcausal sync`; the results are safe on disk"
        raise MachineError(Problem(where="tracking_uri", code="E640", what=what, mend=mend))
    filled = _SECRET.sub(lambda found: quote(os.environ[found[1]], safe=""), login)
    return f"{scheme}{separator}{filled}{at}{address}"


def is_sqlite(uri: str) -> bool:
    """Return whether the store is a SQLite file."""
    return uri.startswith(SQLITE)


def is_server(uri: str) -> bool:
    """Return whether the store is an MLflow server."""
    return urlsplit(uri).scheme in {"http", "https"}


def sqlite_path(uri: str) -> Path:
    """Return the file of a resolved SQLite address."""
    return Path(uri.removeprefix(SQLITE).partition("?")[0])


def silence_of(uri: str, *, seconds: float = PROBE_SECONDS) -> str | None:
    """Return why nobody answers at `uri` within `seconds`, or None where somebody does.

    The question runs in a thread of its own, because a name server can hang longer than any socket's timeout. MLflow
    itself would try for minutes.
    """
    if not is_server(uri):
        return None
    answer: list[str | None] = []
    thread = threading.Thread(target=lambda: answer.append(_asked(uri, seconds)), daemon=True)
    thread.start()
    thread.join(seconds + 0.5)
    return answer[0] if answer else f"no answer within {seconds:g} s"


def _asked(uri: str, seconds: float) -> str | None:
    """Ask the server's health page; any answer below 500 counts, also a refusal to let us in."""
    try:
        with urllib.request.urlopen(f"{_without_user(uri)}/health", timeout=seconds):  # noqa: S310 - http(s) only
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answers {error.code}" if error.code >= _SERVER_ERROR else None
    except urllib.error.URLError as error:
        return None if isinstance(error.reason, ssl.SSLError) else _spoken(error.reason)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return _spoken(error)


def _without_user(uri: str) -> str:
    """Return the address without credentials, which only MLflow's own client needs."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


def _spoken(reason: object) -> str:
    """Return a cause in a few words."""
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, ConnectionRefusedError):
        return "it refuses the connection"
    if isinstance(reason, socket.gaierror):
        return "its name is not known"
    return type(reason).__name__
