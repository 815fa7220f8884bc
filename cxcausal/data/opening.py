"""Open the data of a plan: find and hash the files, read what the plan needs, and refuse what contradicts it."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxcausal.core.errors import PlanError, Problem
from cxcausal.core.progress import Progress
from cxcausal.core.spec.models import Data, ExperimentSpec
from cxcausal.data.dataset import Dataset
from cxcausal.data.engine import RAW, Engine, Opened
from cxcausal.data.engines import PLAIN, Session, start_engine, url_of
from cxcausal.data.event_streams import columns_needed, sources_used
from cxcausal.data.event_tables import checked, open_streams, source_entry
from cxcausal.data.events import enrolled, with_events
from cxcausal.data.file_checks import refuse_bad_files
from cxcausal.data.fingerprint import fingerprint_of, hash_inputs, hash_table
from cxcausal.data.memory import memory_limit
from cxcausal.data.roles import Roles, roles_of
from cxcausal.data.sources import Confines, Source, find_source
from cxcausal.data.steady import Unchanged, stamps_of
from cxcausal.data.units import Units, prepare_units
from cxcausal.data.winsorized import with_caps

_MAY_SPILL = 1 / 80
"""Of the memory limit: smaller files fit into it whatever is asked, and leave the project untouched."""


def open_dataset(
    spec: ExperimentSpec,
    project_root: Path,
    *,
    data_roots: tuple[Path, ...] = (),
    on: str | None = None,
    sources: Mapping[str, Any] | None = None,
    session: Session = PLAIN,
) -> Dataset:
    """Return the data of a plan, validated and ready to answer queries.

    Times without a zone are taken in the session's, and times with one are converted to it. Answers depend neither on
    the order of the rows nor on the number of threads.

    Args:
        spec: the resolved plan.
        project_root: where relative paths start.
        data_roots: further folders that data may lie in, absolute or from the root.
        on: a path that replaces `data.source` and may lie anywhere.
        sources: named sources; those of `configs/data_sources.yaml` without.
        session: the project's engine and time zone, and who is told how far the reading is.

    Raises:
        PlanError: the source is outside the project or of a kind that can't be read; the filter or a map does not fit.
        DataError: a file is missing or malformed, or values contradict the plan.
        MachineError: memory, a file's permissions or a package is wanting.
    """
    roles = roles_of(spec)
    confines = Confines(root=project_root.absolute(), data_roots=data_roots)
    source = find_source(spec.data, confines, on=on, sources=sources)
    tables = _event_sources(spec, confines)
    _refuse_several_engines(source, tables, session.engine)
    stamps = stamps_of((source, *tables.values()))
    with Unchanged(stamps):
        files = _hashes(spec, source, tables, roles.needed, session.progress)
        _make_room((source, *tables.values()), project_root)
    started = start_engine(source, root=project_root.absolute(), session=session)
    with ExitStack() as unless_opened, session.progress.stage(f"reading {source.label}"):
        unless_opened.callback(started.close)
        with Unchanged(stamps):
            opened, streams = _read(started, spec, source, tables, roles.needed)
            with started.doing("what was read, as a fingerprint"):
                inputs = (*files, *(one for each in (opened, *streams.values()) for one in hash_table(started, each)))
            units = _prepared(started, opened, streams, spec, roles)
            with started.doing("where extreme values are cut"):
                units = with_caps(started, units, spec)
        unless_opened.pop_all()
    return Dataset(
        stamps=() if opened.kept else stamps,
        inputs=inputs,
        fingerprint=fingerprint_of(inputs),
        data_cut=units.data_cut,
        levels={name: units.levels[name] for name in spec.segments},
        engine=started,
        opened=opened,
        units=units,
    )


def _hashes(
    spec: ExperimentSpec, source: Source, tables: Mapping[str, Source], needed: tuple[str, ...], progress: Progress
) -> tuple[tuple[str, str], ...]:
    """Return the hashes of all files, and refuse those that no engine should be given."""
    events = spec.data.events
    read = [(source, needed)]
    read += [(table, columns_needed(events, name)) for name, table in tables.items() if events is not None]
    found: list[tuple[str, str]] = []
    for each, columns in read:
        inputs = hash_inputs(each, progress)
        refuse_bad_files(each, inputs, columns)
        found += inputs
    return tuple(found)


def _prepared(
    engine: Engine, opened: Opened, streams: Mapping[str, Opened], spec: ExperimentSpec, roles: Roles
) -> Units:
    """Return the enrolled units, with the columns that are made of event tables."""
    if not streams:
        with engine.doing("check and type the rows: values, levels and bounds"):
            return prepare_units(engine, opened, spec, roles)
    with engine.doing("who is enrolled"):
        found = enrolled(engine, opened, spec, roles)
    with engine.doing("check the event tables"):
        tables, told = checked(engine, found, streams, spec, roles)
    with engine.doing("columns made of events"):
        made, entry = with_events(engine, found, tables, spec)
    with engine.doing("check and type the rows: values, levels and bounds"):
        units = prepare_units(engine, made, spec, replace(roles, condition=found.remaining))
    return replace(units, entry=replace(entry, tables=told))


def _event_sources(spec: ExperimentSpec, confines: Confines) -> Mapping[str, Source]:
    """Return the files of every event table that the plan reads."""
    events = spec.data.events
    used = () if events is None else sources_used(events)
    return {
        name: find_source(Data(source=name), confines, on=None, sources={name: source_entry(events.sources[name])})
        for name in used
        if events is not None
    }


def _read(
    engine: Engine, spec: ExperimentSpec, source: Source, tables: Mapping[str, Source], needed: tuple[str, ...]
) -> tuple[Opened, Mapping[str, Opened]]:
    """Return the rows of the plan and of its event tables; from now on the engine reads nothing but their files."""
    stored = tuple(name for name in needed if name not in spec.data.from_events)
    with engine.doing(f"open {source.label} as {RAW}: which columns, and how many rows"):
        opened = engine.open(source, spec.data, stored)
    streams = open_streams(engine, spec.data.events, tables) if spec.data.events is not None else {}
    engine.lock((opened, *streams.values()))
    return opened, streams


def _refuse_several_engines(source: Source, tables: Mapping[str, Source], engine: str) -> None:
    """Refuse event tables that lie elsewhere than the assignments: no engine could join them."""
    mine = url_of(source, engine)
    problems = [
        Problem(
            where=f"data.events.sources.{name}",
            code="P349",
            what="this table and data.source are read by different engines, and so can't be joined",
            mend="keep both in files, or both as tables of one database",
        )
        for name, table in tables.items()
        if url_of(table, engine) != mine
    ]
    if problems:
        raise PlanError(problems)


def _make_room(sources: tuple[Source, ...], root: Path) -> None:
    """Make the folder that the engine spills to lie in, for data that may need it; the engine makes the last level."""
    if sum(file.stat().st_size for source in sources for file in source.files) > _MAY_SPILL * memory_limit():
        with suppress(OSError):
            (root / ".cxcausal").mkdir(exist_ok=True)
