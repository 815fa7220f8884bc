"""A run while it is being computed: exceptions, Ctrl-C and SIGTERM each leave the status they deserve."""

import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

from cxcausal.core.errors import CxCausalError, IntegrityError, MachineError
from cxcausal.core.interrupts import Interrupts
from cxcausal.tracking.layout import MANIFEST_FILE
from cxcausal.tracking.reaper import is_entered
from cxcausal.tracking.run_store import RunStore

Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None
TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """SIGTERM arrived; the process leaves with 143 once the run is marked KILLED."""

    def __init__(self) -> None:
        """Carry the exit code that shells expect for SIGTERM."""
        super().__init__(TERMINATED)


class OpenRun:
    """A context manager: makes the run's folder on entry, gives the run its final status on exit.

    Example:
        >>> import tempfile
        >>> with OpenRun(Path(tempfile.mkdtemp()), "outreach") as store:
        ...     store.save("flow", {"rows": 10})
        >>> store.status().status, store.status().reason
        ('FAILED', 'ended without a manifest')
    """

    def __init__(self, root: Path, experiment: str) -> None:
        """Remember where the run will lie; nothing is written yet."""
        self._root = root
        self._experiment = experiment
        self._store: RunStore | None = None
        self._previous: Handler = None
        self._installed = False
        self._interrupts = Interrupts()

    def __enter__(self) -> RunStore:
        """Make the run and, in the main thread, listen for SIGTERM."""
        self._store = RunStore.create(self._root, self._experiment)
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, _terminate)
            self._installed = True
        self._interrupts.__enter__()
        return self._store

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Mark the run FINISHED, FAILED or KILLED, and put the old signal handler back; errors go on rising."""
        try:
            if self._store is not None:
                _close(self._store, KeyboardInterrupt() if self._interrupts.hidden_by(error) else error)
        finally:
            if self._installed:
                signal.signal(signal.SIGTERM, self._previous if self._previous is not None else signal.SIG_DFL)
            self._interrupts.__exit__(kind, error, trace)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """Turn SIGTERM into an exception, so that the stack unwinds and files are closed."""
    raise Terminated


def _close(store: RunStore, error: BaseException | None) -> None:
    """Give the run the status that the way it ended deserves."""
    if error is None and (store.directory / MANIFEST_FILE).exists():
        _finish_verified(store)
    elif error is None:
        store.finish("FAILED", "ended without a manifest")
    else:
        _close_failed(store, error)


def _close_failed(store: RunStore, error: BaseException) -> None:
    """Mark a run whose error goes on rising; a disk that takes no status either leaves that to the reaper.

    A run that the ledger has in full is FINISHED, whatever failed after that.
    """
    with contextlib.suppress(IntegrityError, MachineError):
        if is_entered(store.root, store.directory):
            store.finish("FINISHED")
        elif isinstance(error, KeyboardInterrupt | Terminated):
            store.finish("KILLED", "interrupted" if isinstance(error, KeyboardInterrupt) else "SIGTERM")
        else:
            store.finish("FAILED", _reason(error))


def _finish_verified(store: RunStore) -> None:
    """Mark the run FINISHED; where its files don't match the manifest, mark it FAILED and let the error rise."""
    try:
        store.finish("FINISHED")
    except IntegrityError as error:
        store.finish("FAILED", _reason(error))
        raise


def _reason(error: BaseException) -> str:
    """Name the error by type and codes only: its text may quote the data."""
    if isinstance(error, CxCausalError):
        codes = ", ".join(dict.fromkeys(problem.code for problem in error.problems))
        return f"{type(error).__name__}: {codes}"
    return type(error).__name__
