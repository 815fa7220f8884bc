"""What must be true of columns made of events: sources, values, windows, and nothing from after time zero as known."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.events import VALUED, Events, EventSource, EventWindow
from cxcausal.core.spec.filter_grammar import FilterError, columns_of, parse_filter, parse_formula
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.models import Metric
from cxcausal.core.spec.nodes import Finding, Path, dotted
from cxcausal.core.spec.scalars import read_date, shown

_EVENTS: Path = ("data", "events")


def windows_of(events: Events, metrics: tuple[Metric, ...]) -> Mapping[str, EventWindow]:
    """Return the window of every column: its own, or that of the metrics that are measured by it.

    Example:
        >>> from cxcausal.core.spec.events import EventColumn
        >>> from cxcausal.core.spec.models import Window
        >>> churn = Metric(name="churn", type="proportion", column="left", desired_direction="decrease",
        ...                window=Window(start=0, end=90))
        >>> events = Events(columns={"left": EventColumn(source="exits", aggregate="any")})
        >>> windows_of(events, (churn,))
        {'left': EventWindow(start=0, end=90)}
    """
    found = {name: column.window for name, column in events.columns.items() if column.window is not None}
    for metric in metrics:
        for name in metric.columns:
            if metric.window is not None and name in events.columns:
                found.setdefault(name, EventWindow(start=metric.window.start, end=metric.window.end))
    return found


def events_have_units_and_times(draft: Draft) -> Iterator[Finding]:
    """Events belong to units, and windows start at each unit's time zero."""
    data = draft.data
    for key in ("unit", "time_zero", "observed_until") if data is not None and data.events is not None else ():
        if getattr(data, key) is None:
            mend = f"add data.{key}, the column of data.source that says so"
            yield Finding(path=_EVENTS, code="P341", what=f"events need data.{key}", mend=mend, at="key")


def event_sources_are_known(draft: Draft) -> Iterator[Finding]:
    """Every source is declared, with a place, and versions can be told apart."""
    events = _events(draft)
    for path, name in _named(events):
        if name not in events.sources:
            what = f"{dotted(path)}: there is no event table '{name}'"
            mend = suggestion(name, events.sources) if events.sources else "declare it in configs/data_sources.yaml"
            yield Finding(path=path, code="P340", what=what, mend=mend)
    for name, source in events.sources.items():
        yield from _source_findings((*_EVENTS, "sources", name), source)


def event_zones_exist(draft: Draft) -> Iterator[Finding]:
    """The time zone of an event table is one."""
    for name, source in _events(draft).sources.items():
        try:
            ZoneInfo(source.timezone or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            path: Path = (*_EVENTS, "sources", name, "timezone")
            what = f"there is no time zone {shown(source.timezone)}"
            yield Finding(path=path, code="P348", what=what, mend="write one such as Europe/Berlin or UTC")


def exposure_moves_a_column(draft: Draft) -> Iterator[Finding]:
    """Time zero is a column where exposure moves it: one date for all can't be moved for each."""
    zero = draft.data.time_zero if draft.data is not None else None
    if _events(draft).exposure is not None and zero is not None and _is_date(zero):
        what = "exposure moves each unit's time zero, and data.time_zero is one date for all"
        mend = "name the column with the time of assignment"
        yield Finding(path=("data", "time_zero"), code="P347", what=what, mend=mend)


def _is_date(text: str) -> bool:
    try:
        return read_date(text) == text
    except ValueError:
        return False


def _source_findings(path: Path, source: EventSource) -> Iterator[Finding]:
    packaged = source.package is not None and source.file is not None
    if (source.path is not None and packaged) or (source.path is None and not packaged and source.table is None):
        mend = "write path: data/orders.parquet, or package and file, or table: schema.orders of the project's engine"
        yield Finding(path=path, code="P340", what=f"{dotted(path)} names no file and no table", mend=mend, at="key")
    for key, needs in (("key", "recorded"), ("removed", "key")):
        if getattr(source, key) and not getattr(source, needs):
            what = f"{dotted(path)} has '{key}' and no '{needs}', so nobody knows which version is the last"
            mend = f"add {needs}"
            yield Finding(path=(*path, key), code="P346", what=what, mend=mend, at="key")


def event_values_fit(draft: Draft) -> Iterator[Finding]:
    """An aggregate of values names their column; one of events has no use for it. Filters parse."""
    events = _events(draft)
    for name, column in events.columns.items():
        path: Path = (*_EVENTS, "columns", name)
        if (column.value is not None) != (column.aggregate in VALUED):
            if column.value is None:
                what, mend = f"'{name}' is the {column.aggregate} of nothing", "add value: amount, a column of events"
                yield Finding(path=path, code="P342", what=what, mend=mend, at="key")
            else:
                what = f"'{name}' is '{column.aggregate}' of the events themselves, and has no use for a value"
                yield Finding(path=(*path, "value"), code="P342", what=what, mend="remove it", at="key")
        yield from _filter_findings((*path, "where"), column.where)
    if events.exposure is not None:
        yield from _filter_findings((*_EVENTS, "exposure", "where"), events.exposure.where)


def _filter_findings(path: Path, text: str | None) -> Iterator[Finding]:
    try:
        if text is not None:
            parse_filter(text)
    except FilterError as error:
        what = f"{dotted(path)}: {error.what} (character {error.position})"
        yield Finding(path=path, code="P319", what=what, mend=error.mend)


def event_windows_are_known(draft: Draft) -> Iterator[Finding]:
    """Every column has one window, and those of all its metrics agree with it."""
    events = _events(draft)
    known = windows_of(events, tuple(planned.metric for planned in draft.metrics))
    for name, column in events.columns.items():
        path: Path = (*_EVENTS, "columns", name)
        if name not in known:
            mend = "add window: {start: 0d, end: 90d} here or to the metric; before time zero {start: -90d, end: 0d}"
            yield Finding(path=path, code="P343", what=f"'{name}' has no window", mend=mend, at="key")
        elif column.window is not None and _is_empty(column.window):
            what = f"the window of '{name}' ends on day {column.window.end} and starts on day {column.window.start}"
            yield Finding(path=(*path, "window", "end"), code="P320", what=what, mend="make it end later")
    for planned in draft.metrics:
        for name in planned.metric.columns if planned.metric.window is not None else ():
            window = planned.metric.window
            mine = known.get(name)
            if mine is not None and window is not None and (mine.start, mine.end) != (window.start, window.end):
                what = f"metric '{planned.metric.name}' and the events behind '{name}' have different windows"
                mend = "give each window a column of its own"
                yield Finding(path=(*planned.path, "window"), code="P343", what=what, mend=mend)


def _is_empty(window: EventWindow) -> bool:
    return window.start is not None and window.end <= window.start


def known_before_time_zero(draft: Draft) -> Iterator[Finding]:
    """What is adjusted for, split by, stratified, weighted or filtered by was over at time zero."""
    events = _events(draft)
    for path, name in _known(draft):
        for made in _made_of(draft, name):
            column = events.columns.get(made)
            if column is None or (column.window is not None and column.window.end <= 0):
                continue
            what = f"'{made}' is made of events after time zero, and {dotted(path)} needs what was known then"
            mend = "give it a window that ends by 0d, such as {start: -90d, end: 0d}"
            yield Finding(path=path, code="P344", what=what, mend=mend)


def event_names_are_free(draft: Draft) -> Iterator[Finding]:
    """A column made of events is no id, time, treatment or declared column."""
    data, design = draft.data, draft.design
    if data is None or data.events is None:
        return
    taken = {name: "an id" for name in (data.unit, data.randomization_unit, *data.cluster) if name is not None}
    taken |= {name: "a time" for name in (data.time_zero, data.observed_until) if name is not None}
    if design is not None:
        taken[design.treatment.column] = "the treatment"
    for name in data.events.columns:
        if name in taken:
            what = f"'{name}' is {taken[name]}, and can't be made of events"
            yield Finding(path=(*_EVENTS, "columns", name), code="P345", what=what, mend="rename one", at="key")


def _known(draft: Draft) -> Iterator[tuple[Path, str]]:
    lists: list[tuple[Path, tuple[str, ...]]] = [
        ((key,), draft.names(key)) for key in ("covariates", "effect_modifiers", "segments")
    ]
    if draft.design is not None:
        lists.append((("design", "strata"), draft.design.strata))
        lists.append((("design", "confounders"), getattr(draft.design, "confounders", ())))
    for path, names in lists:
        yield from (((*path, at), name) for at, name in enumerate(names))
    yield from _known_of_rows(draft)
    for planned in draft.metrics:
        if planned.metric.covariate is not None:
            yield (*planned.path, "covariate"), planned.metric.covariate


def _known_of_rows(draft: Draft) -> Iterator[tuple[Path, str]]:
    """Yield what decides who is analysed, how much they count, who may or would be treated, and who is watched."""
    data, policy = draft.data, draft.policy
    if data is not None and data.weight is not None:
        yield ("data", "weight"), data.weight
    texts: tuple[tuple[Path, str | None], ...] = (
        (("data", "filter"), None if data is None else data.filter),
        (("policy", "eligible"), None if policy is None else policy.eligible),
    )
    for path, text in texts:
        yield from ((path, name) for name in _columns_of(text))
    if policy is not None:
        yield from ((("policy", "current_rule"), name) for name in (policy.current_rule,) if name is not None)
        yield from ((("policy", "protected", at), name) for at, name in enumerate(policy.protected))


def _columns_of(text: str | None) -> tuple[str, ...]:
    """Return the columns of a filter; those of one that can't be parsed are told by another rule."""
    try:
        return () if text is None else columns_of(parse_filter(text))
    except FilterError:
        return ()


def _made_of(draft: Draft, name: str) -> tuple[str, ...]:
    """Return a column, or those that it is computed from."""
    formula = None if draft.data is None else draft.data.formulas.get(name)
    if formula is None:
        return (name,)
    try:
        return columns_of(parse_formula(formula))
    except FilterError:
        return ()


def _named(events: Events) -> Iterator[tuple[Path, str]]:
    for name, column in events.columns.items():
        yield (*_EVENTS, "columns", name, "source"), column.source
    if events.exposure is not None:
        yield (*_EVENTS, "exposure", "source"), events.exposure.source


def _events(draft: Draft) -> Events:
    events = draft.data.events if draft.data is not None else None
    return events if events is not None else Events.model_construct(columns={}, sources={}, exposure=None)


EVENT_RULES: tuple[Rule, ...] = (
    events_have_units_and_times,
    event_sources_are_known,
    event_zones_exist,
    exposure_moves_a_column,
    event_values_fit,
    event_windows_are_known,
    known_before_time_zero,
    event_names_are_free,
)
