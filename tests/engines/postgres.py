"""A real PostgreSQL server of our own, and tables in it."""

import math
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import absent

_UNPRIVILEGED = 65_534
"""A server refuses to run as root."""
_SECONDS = 30
_TYPES = {"f": "float8", "i": "int8", "u": "int8", "b": "bool", "M": "timestamp"}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server.

    Attributes:
        folder: of its socket.
        admin: an open connection of its owner.
    """

    folder: Path
    admin: Any

    def url(self, *, user: str = "owner", password: str | None = None, database: str = "postgres") -> str:
        """Return the URL of a user."""
        login = user if password is None else f"{user}:{password}"
        return f"postgresql://{login}@/{database}?host={self.folder}"

    def table(self, name: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> str:
        """Make a table of a frame, and return its URL; `types` are those that the frame's own don't say."""
        kinds = {column: _TYPES.get(frame[column].dtype.kind, "text") for column in frame} | dict(types or {})
        columns = ", ".join(f'"{column}" {kind}' for column, kind in kinds.items())
        self.admin.execute(f"DROP TABLE IF EXISTS {name} CASCADE")
        self.admin.execute(f"CREATE TABLE {name} ({columns})")
        with self.admin.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            for row in frame.astype(object).itertuples(index=False):
                copy.write_row([None if _is_missing(value) else value for value in row])
        self.admin.execute(f"ANALYZE {name}")
        return f"{self.url()}#{name}"


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server that orders text by a language, as most do, and is gone at the end."""
    programs = _programs()
    if find_spec("psycopg") is None:
        absent("needs psycopg (make engines)")
    import psycopg  # noqa: PLC0415 - an extra

    folder = Path(tempfile.mkdtemp(prefix="cxpg"))  # short, as the path of a socket must be
    user = _UNPRIVILEGED if os.getuid() == 0 else None
    if user is not None:
        os.chown(folder, user, user)
    plain = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    data = folder / "data"
    try:
        made = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "--auth=trust",
            "--username=owner",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(
            [*made, *_by_language(programs)],
            check=True,
            cwd="/",
            env=plain,
            stdout=subprocess.DEVNULL,
            user=user,
            group=user,
        )
        (data / "pg_hba.conf").write_text("local all guarded scram-sha-256\nlocal all all trust\n")
        options = {"listen_addresses": "", "fsync": "off", "max_connections": "30", "max_wal_size": "4GB"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), *settings]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, cwd="/", env=plain, stdout=log, stderr=log, user=user, group=user)
        try:
            with _admitted(psycopg, folder) as admin:
                yield Server(folder=folder, admin=admin)
        finally:
            process.send_signal(signal.SIGINT)  # ends what is still connected
            process.wait(_SECONDS)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder of the server's programs."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    usable = [folder for folder in folders if (folder / "initdb").is_file() and (folder / "postgres").is_file()]
    if not usable:
        absent("needs PostgreSQL's server")
    return usable[-1]


def _by_language(programs: Path) -> list[str]:
    """Return what makes texts be ordered as English orders them, where the server can be told so."""
    told = subprocess.run([programs / "initdb", "--help"], check=True, capture_output=True, text=True).stdout
    return ["--locale=C", *(["--locale-provider=icu", "--icu-locale=en-US"] if "--locale-provider" in told else [])]


def _admitted(psycopg: Any, folder: Path) -> Any:
    """Return a connection, as soon as the server accepts one."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            return psycopg.connect(f"postgresql://owner@/postgres?host={folder}", autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
