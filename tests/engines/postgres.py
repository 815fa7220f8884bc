"""A real PostgreSQL server of our own, and tables in it."""

import math
import os
import shutil
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
_SECONDS = 60
_SERVE = """
set -e
programs=$1 folder=$2
shift 2
trap 'rm -rf "$folder"' EXIT
"$programs/initdb" -D "$folder/data" --auth=trust --username=owner --no-sync -E UTF8 "$@" >"$folder/log"
printf 'local all guarded scram-sha-256\\nlocal all all trust\\n' >"$folder/data/pg_hba.conf"
"$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_wal_size=4GB \\
  >>"$folder/log" 2>&1 &
cat >/dev/null
kill -INT $!
wait $! || true
"""
"""A server that lives until its input ends, which it does however the tests end."""
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
    words = [str(programs), str(folder), *_by_language(programs)]
    with subprocess.Popen(
        ["/bin/sh", "-c", _SERVE, "sh", *words],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stdin=subprocess.PIPE,
        user=user,
        group=user,
    ) as process:
        with _admitted(psycopg, folder, process) as admin:
            yield Server(folder=folder, admin=admin)
        process.communicate(timeout=_SECONDS)  # closes its input, and waits
    assert not folder.exists()


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


def _admitted(psycopg: Any, folder: Path, process: subprocess.Popen[bytes]) -> Any:
    """Return a connection, as soon as the server accepts one."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            return psycopg.connect(f"postgresql://owner@/postgres?host={folder}", autocommit=True)
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)
