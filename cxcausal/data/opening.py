"""Open the data of a plan: find and hash the files, read what the plan needs, and refuse what contradicts it."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from cxcausal.core.spec.models import Data, ExperimentSpec
from cxcausal.data.dataset import Dataset
from cxcausal.data.engine import Engine, start_engine
from cxcausal.data.event_tables import check_streams, open_streams, source_entry
from cxcausal.data.events import sources_used, with_events
from cxcausal.data.fingerprint import fingerprint_of, hash_inputs
from cxcausal.data.memory import memory_limit
from cxcausal.data.roles import roles_of
from cxcausal.data.sources import Confines, Source, find_source
from cxcausal.data.tables import Opened, open_table, paths_for_engine
from cxcausal.data.units import prepare_units
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
    timezone: str = "UTC",
) -> Dataset:
    """Return the data of a plan, validated and ready to answer queries.

    Times without a zone are taken in `timezone`, and times with one are converted to it. Answers depend neither on the
    order of the rows nor on the number of threads.

    Args:
        spec: the resolved plan.
        project_root: where relative paths start.
        data_roots: further folders that data may lie in, absolute or from the root.
        on: a path that replaces `data.source` and may lie anywhere.
        sources: named sources; those of `configs/data_sources.yaml` without.
        timezone: the project's, such as `Europe/Berlin`.

    Raises:
        PlanError: the source is outside the project or of a kind that can't be read; the filter or a map does not fit.
        DataError: a file is missing or malformed, or values contradict the plan.
        MachineError: memory, a file's permissions or a package is wanting.
    """
    roles = roles_of(spec)
    confines = Confines(root=project_root.absolute(), data_roots=data_roots)
    source = find_source(spec.data, confines, on=on, sources=sources)
    tables = _event_sources(spec, confines)
    inputs = tuple(one for files in (source, *tables.values()) for one in hash_inputs(files))
    _make_room((source, *tables.values()), project_root)
    engine = start_engine(source.label, root=project_root.absolute(), timezone=timezone)
    with ExitStack() as unless_opened:
        unless_opened.callback(engine.close)
        opened = _opened(engine, spec, source, tables, roles.needed)
        units = with_caps(engine, prepare_units(engine, opened, spec, roles), spec)
        unless_opened.pop_all()
    return Dataset(
        inputs=inputs,
        fingerprint=fingerprint_of(inputs),
        data_cut=units.data_cut,
        levels={name: units.levels[name] for name in spec.segments},
        engine=engine,
        opened=opened,
        units=units,
    )


def _event_sources(spec: ExperimentSpec, confines: Confines) -> Mapping[str, Source]:
    """Return the files of every event table that the plan reads."""
    events = spec.data.events
    used = () if events is None else sources_used(events)
    return {
        name: find_source(Data(source=name), confines, on=None, sources={name: source_entry(events.sources[name])})
        for name in used
        if events is not None
    }


def _opened(
    engine: Engine, spec: ExperimentSpec, source: Source, tables: Mapping[str, Source], needed: tuple[str, ...]
) -> Opened:
    """Return the rows of the plan, one per unit; from now on the engine reads nothing but their files."""
    stored = tuple(name for name in needed if name not in spec.data.from_events)
    opened = open_table(engine, source, spec.data, stored)
    streams = open_streams(engine, spec.data.events, tables) if spec.data.events is not None else {}
    files = [
        path
        for one in (opened, *(stream.opened for stream in streams.values()))
        if not one.kept
        for path in (*map(str, one.source.files), *paths_for_engine(one.source.files))
    ]
    engine.lock(files)
    if not streams:
        return opened
    check_streams(engine, opened, streams, spec)
    return with_events(engine, opened, streams, spec)


def _make_room(sources: tuple[Source, ...], root: Path) -> None:
    """Make the folder that the engine spills to lie in, for data that may need it; the engine makes the last level."""
    if sum(file.stat().st_size for source in sources for file in source.files) > _MAY_SPILL * memory_limit():
        with suppress(OSError):
            (root / ".cxcausal").mkdir(exist_ok=True)
