"""One call of the command line: how it talks, what it hears of its work, and which signals came."""

from dataclasses import dataclass

import click

from cxcausal.cli.manner import Manner
from cxcausal.cli.voice import Voice
from cxcausal.cli.watch import Watch
from cxcausal.core.interrupts import Interrupts
from cxcausal.core.progress import SILENT, Progress


@dataclass(frozen=True, kw_only=True)
class Session:
    """What every verb of one call shares; click hands it down as the context's object."""

    manner: Manner
    voice: Voice
    watch: Watch
    signals: Interrupts


def new_session(manner: Manner, verb: str | None = None) -> Session:
    """Return the session of a verb."""
    voice, signals = Voice(manner=manner, verb=verb), Interrupts()
    return Session(manner=manner, voice=voice, watch=Watch(voice, signals), signals=signals)


def session() -> Session:
    """Return the session of the verb that is running, or a plain one outside of the command line."""
    return _running() or new_session(Manner())


def progress() -> Progress:
    """Return where the running verb's work tells how far it is; nobody would end a watch outside of one."""
    here = _running()
    return SILENT if here is None else here.watch.progress


def _running() -> Session | None:
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_object(Session)


def hint(text: str) -> None:
    """Tell what to do next, or to keep in mind; `--quiet` leaves it out."""
    session().voice.tell("info", "hint", text)


def warn(text: str) -> None:
    """Tell what is not as it should be and keeps nobody from the result."""
    session().voice.tell("warning", "warning", f"warning: {text}")
