"""Sessions of Spark: one local machine per process, a cluster's master, or a server of Spark Connect."""

import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cxcausal.core.errors import MachineError, Problem

_SECRET = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_ADDRESS = re.compile(r"^(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:/;]+))(?::(?P<port>[0-9]+))?")
_WAIT = 5.0
_PORTS = {"spark": 7077, "sc": 15002}
_SHARE, _LEAST, _MOST = 0.5, 1024, 32 * 1024
"""Of the machine's memory, in MiB, that the local session may use."""
_WHERE = "configs/project.yaml engine"
_SQL = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.groupByOrdinal": "true",
    "spark.sql.orderByOrdinal": "true",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
}
"""What every session says, so that the same statement means the same on every cluster."""
_SPEED = {
    "spark.sql.adaptive.enabled": "true",
    # Wide sums stay compiled; the default gives up above 100 columns.
    "spark.sql.codegen.maxFields": "1000",
}


def session_of(url: str, *, label: str, root: Path, timezone: str) -> Any:  # noqa: ANN401 - pyspark is not typed for us
    """Return a session of our own: with its own views and settings, on a machine that others may share.

    Args:
        url: `spark` for this machine, `spark://host:port` for a cluster's master, `sc://host:port` for a server.
        label: names the data in messages.
        root: the project's; the local machine spills below it.
        timezone: of times without one.

    Raises:
        MachineError: pyspark or Java is not installed, a secret is not set, or nobody answers at the address.
    """
    if find_spec("pyspark") is None:
        raise _without_package(label)
    for noisy in ("py4j", "SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(noisy).disabled = True
    address = _expanded(url)
    _refuse_silent(address)
    session = _connected(address) if address.startswith("sc://") else _on_context(address, root)
    for name, value in {**_SQL, "spark.sql.session.timeZone": timezone}.items():
        session.conf.set(name, value)
    set_where_allowed(session, _SPEED)
    return session


def set_where_allowed(session: Any, settings: Mapping[str, str]) -> None:  # noqa: ANN401 - as above
    """Set what only changes how fast an answer comes; some servers let nobody set it."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - half a second, for this engine only

    for name, value in settings.items():
        with suppress(PySparkException):
            session.conf.set(name, value)


def spark_errors() -> tuple[type[Exception], ...]:
    """Return what is raised by Spark, and by the lines to it that are in use, where it is gone."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - half a second, for this engine only

    lines = (("py4j.protocol", "Py4JError"), ("grpc", "RpcError"))
    raised = (getattr(sys.modules[module], name) for module, name in lines if module in sys.modules)
    return (PySparkException, ConnectionError, *raised)


def _connected(address: str) -> Any:  # noqa: ANN401 - as above
    if find_spec("grpc") is None:
        what = "Spark Connect needs packages that are not installed"
        mend = "pip install 'pyspark[connect]>=4.0,<4.1'"
        raise MachineError(Problem(where=_WHERE, code="D114", what=what, mend=mend))
    from pyspark.sql.connect.session import SparkSession  # noqa: PLC0415 - for this engine only

    try:
        return SparkSession.builder.remote(address).create()
    except spark_errors():
        raise _unreachable() from None


def _on_context(address: str, root: Path) -> Any:  # noqa: ANN401 - as above
    """Return a new session beside those that this process has; the machine starts with the first."""
    from pyspark import SparkContext  # noqa: PLC0415 - half a second, for this engine only
    from pyspark.sql import SparkSession  # noqa: PLC0415 - as above

    running = SparkContext._active_spark_context  # noqa: SLF001 - the only way to ask without starting one
    context = running if running is not None else _started(address, root)
    if address not in {"spark", context.master}:
        what, mend = "this process is connected to another Spark already", "use one engine per process"
        raise MachineError(Problem(where=_WHERE, code="D115", what=what, mend=mend))
    return SparkSession(context).newSession()


def _started(address: str, root: Path) -> Any:  # noqa: ANN401 - as above
    """Start Spark with its chatter silenced, and leave Ctrl-C to whoever listened to it."""
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - as above
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415 - as above

    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise _without_java()
    conf = SparkConf(loadDefaults=False).setAll(list(_settings(address, root).items()))
    mine = threading.current_thread() is threading.main_thread()
    listener = signal.getsignal(signal.SIGINT) if mine else None
    try:
        gateway = launch_gateway(conf, {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
        context = SparkContext(conf=conf, gateway=gateway)
    except spark_errors():
        raise (_without_java() if address == "spark" else _unreachable()) from None
    finally:
        if mine and listener is not None:
            signal.signal(signal.SIGINT, listener)
    return context


def _settings(address: str, root: Path) -> dict[str, str]:
    """Return what must be known before Spark starts; the settings of a cluster are in its own configuration."""
    shared = {"spark.app.name": "cxcausal", "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    if address != "spark":
        return {**shared, "spark.master": address}
    local = {
        "spark.master": "local[*]",
        "spark.driver.memory": f"{_memory_mib()}m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.catalogImplementation": "hive" if _has_metastore() else "in-memory",
    }
    folder = root / ".cxcausal" / "tmp" / "spark"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        local |= {"spark.local.dir": str(folder), "spark.sql.warehouse.dir": str(folder / "warehouse")}
    return {**shared, **local}


def _has_metastore() -> bool:
    folders = (os.environ.get(name) for name in ("SPARK_CONF_DIR", "HIVE_CONF_DIR"))
    return any(folder and (Path(folder) / "hive-site.xml").is_file() for folder in folders)


def _memory_mib() -> int:
    """Return half of the memory that this process may have, in MiB."""
    most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        most = min(most, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return max(_LEAST, min(_MOST, int(most * _SHARE) >> 20))


def _expanded(url: str) -> str:
    """Return an address with its secrets in place."""
    unset = [name for name in dict.fromkeys(_SECRET.findall(url)) if name not in os.environ]
    if unset:
        what = f"the environment variable {' and '.join(unset)} is not set"
        raise MachineError(Problem(where=_WHERE, code="D113", what=what, mend="set it, and run again"))
    return _SECRET.sub(lambda found: os.environ[found[1]], url)


def _refuse_silent(address: str) -> None:
    """Refuse an address where nobody listens: Spark itself would try for minutes."""
    scheme, _, hosts = address.partition("://")
    if scheme not in _PORTS or not hosts:
        return
    for one in hosts.split(","):
        found = _ADDRESS.match(one)
        with suppress(OSError):
            if found is not None:
                place = (found["six"] or found["host"], int(found["port"] or _PORTS[scheme]))
                socket.create_connection(place, timeout=_WAIT).close()
                return
    raise _unreachable()


def _unreachable() -> MachineError:
    what = "Spark does not answer at the address of the engine"
    mend = "check host and port, and that the cluster runs; engine: spark computes on this machine"
    return MachineError(Problem(where=_WHERE, code="D115", what=what, mend=mend))


def _without_java() -> MachineError:
    what = "Spark does not start: it needs Java 17 or later"
    mend = "install it (such as default-jre-headless), or set JAVA_HOME; engine: duckdb needs none"
    return MachineError(Problem(where=_WHERE, code="D115", what=what, mend=mend))


def _without_package(label: str) -> MachineError:
    what, mend = "the engine needs pyspark, which is not installed", "pip install 'cxcausal[spark]'"
    return MachineError(Problem(where=label, code="D114", what=what, mend=mend))
