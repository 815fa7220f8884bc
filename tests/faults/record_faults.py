"""Faults of the record: tracking servers, MLflow's own file, the ledger, and the clock."""

from functools import partial

from tests.faults import mess, servers
from tests.faults.fault import Fault

_server = partial(Fault, group="Tracking server", code=0, left="waiting")
_store = partial(Fault, group="SQLite store", code=0, left="waiting")
_ledger = partial(Fault, group="Ledger")
_clock = partial(Fault, group="Clock", code=0, left="FINISHED")

RECORD_FAULTS: tuple[Fault, ...] = (
    _server(
        name="server_refuses",
        says=r"E610 MLflow did not take this run: it refuses the connection — .*cxcausal sync",
        told="noticed at once",
        server=servers.nobody,
    ),
    _server(
        name="server_hangs",
        says=r"E610 MLflow did not take this run: no answer .*cxcausal sync",
        told="given up after 3 s",
        server=servers.silent,
    ),
    _server(
        name="server_mute",
        says=r"E610 MLflow did not take this run: no answer .*cxcausal sync",
        told="healthy, but no question is answered: given up after 3 s",
        server=partial(servers.serving, servers.Mute),
    ),
    _server(
        name="server_drips",
        says=r"E610 MLflow did not take this run: no answer .*cxcausal sync",
        told="sends a byte now and then: given up after 3 s",
        server=partial(servers.serving, servers.Dripping),
        slow=True,
    ),
    _server(
        name="server_down",
        says=r"E610 MLflow did not take this run: it answers 500 — .*cxcausal sync",
        told="noticed at once",
        server=partial(servers.serving, servers.Down),
        slow=True,
    ),
    _server(
        name="server_fails",
        says=r"E610 MLflow did not take this run: .*cxcausal sync",
        told="healthy, but every question is answered with 500",
        server=partial(servers.serving, servers.Well),
        slow=True,
    ),
    _server(
        name="server_of_pages",
        says=r"E610 MLflow did not take this run: .*cxcausal sync",
        told="a proxy's page in place of MLflow's answer",
        server=partial(servers.serving, servers.Page),
    ),
    _server(
        name="server_of_nonsense",
        says=r"E610 MLflow did not take this run: .*cxcausal sync",
        told="JSON of another kind",
        server=partial(servers.serving, servers.Nonsense),
        slow=True,
    ),
    _server(
        name="server_dies",
        says=r"E610 MLflow did not take this run: .*cxcausal sync",
        told="answers one question and dies",
        server=partial(servers.serving, servers.Dying),
    ),
    _store(
        name="store_locked",
        says=r"E610 MLflow did not take this run: another process has the database locked — .*cxcausal sync",
        told="waited for 3 s",
        before=mess.locked_store,
    ),
    _store(
        name="store_read_only",
        says=r"E610 MLflow did not take this run: the database or its folder can't be written — .*cxcausal sync",
        told="make it writable, then `cxcausal sync`",
        world=(("read_only", "@/.cxcausal/mlflow.db"),),
    ),
    _store(
        name="store_garbage",
        says=r"E610 MLflow did not take this run: the file is not a SQLite database — .*move this file away",
        told="the file is left alone; moved away, `cxcausal sync` makes a new one with every run",
        before=mess.content(".cxcausal/mlflow.db", b"no database " * 400),
    ),
    _store(
        name="store_truncated",
        says=r"E610 MLflow did not take this run: .*(damaged|malformed).* — .*cxcausal sync",
        told="as above",
        before=mess.cut(".cxcausal/mlflow.db", 100_000),
        slow=True,
    ),
    _store(
        name="store_of_another_version",
        says=r"E610 MLflow did not take this run: .*out-of-date database schema.* — .*cxcausal sync",
        told="the message names MLflow's own command that migrates it",
        before=mess.strange_schema,
    ),
    _store(
        name="store_is_a_folder",
        says=r"E610 MLflow did not take this run: the file can't be read: Is a directory — .*cxcausal sync",
        told="move it away, then `cxcausal sync`",
        before=mess.folder_for_store,
        slow=True,
    ),
    _store(
        name="store_empty",
        left="FINISHED",
        told="a file without a byte is a store yet to be made",
        before=mess.content(".cxcausal/mlflow.db", b""),
        slow=True,
    ),
    _ledger(
        name="ledger_cut",
        code=7,
        left="FAILED",
        says=r"audit/ledger\.jsonl:\d+ I711 the last line was cut off — remove the incomplete last line",
        told="the run is FAILED: nothing is added to a ledger that does not hold",
        before=mess.cut("audit/ledger.jsonl", -20),
    ),
    _ledger(
        name="ledger_garbage",
        code=7,
        left="FAILED",
        says=r"audit/ledger\.jsonl:\d+ I711 this is not a line of the ledger — restore the ledger",
        told="as above",
        before=mess.appended("audit/ledger.jsonl", b"\x00\xff garbage\n"),
        slow=True,
    ),
    _ledger(
        name="ledger_removed",
        code=0,
        left="FINISHED",
        told="a new chain begins, the verdict is capped as not registered, and `audit verify` misses the old one (7)",
        before=mess.removed("audit/ledger.jsonl"),
    ),
    _ledger(
        name="ledger_read_only",
        code=6,
        left="FAILED",
        says=r"ledger\.jsonl E601 could not append to this file: Permission denied — check space",
        told="the run is FAILED",
        before=mess.modes("audit/ledger.jsonl", 0o400),
        ills=(("no_privileges",),),
    ),
    _ledger(
        name="ledger_locked",
        code=6,
        left="FAILED",
        says=r"ledger\.lock E602 another process holds this lock — wait until the other run has ended",
        told="waited for 30 s; the run is FAILED",
        before=mess.locked_ledger,
        slow=True,
    ),
    _clock(
        name="clock_ahead",
        told="a year ahead: the run stands with the time that the clock told",
        ills=(("clock", 365),),
        slow=True,
    ),
    _clock(
        name="clock_behind",
        told="a year behind: as above; the ledger's order is that of its chain, and not of its times",
        ills=(("clock", -365),),
    ),
)
