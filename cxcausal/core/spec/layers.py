"""One plan from its layers: packaged defaults < configs/defaults.yaml < protocol < plan, and the library copied in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxcausal.core.errors import Problem
from cxcausal.core.spec.graph_file import with_graph
from cxcausal.core.spec.library import Library, protocol_files, version_findings
from cxcausal.core.spec.messages import suggestion
from cxcausal.core.spec.nodes import Node, Place, content, find, merge, removed, with_child, without_nulls
from cxcausal.core.spec.nodes import Path as KeyPath
from cxcausal.core.spec.project import CONFIG, Project, packaged_configs, read_config, told_in
from cxcausal.core.spec.scalars import Plain, natural, read_number, shown

BUILT_IN = Place(file="built-in default")
"""Where values stand that no file holds."""
ROLES = ("success", "guardrails", "secondary", "exploratory")
_OVERRIDES = frozenset({"name", "margin", "mde"})
_CONFIGURED = ("value_model", "currency")


@dataclass(frozen=True, kw_only=True)
class Layered:
    """A plan with everything it inherits, still as a tree, and what was wrong on the way.

    Attributes:
        node: the merged tree; metric items are written out, except those that can't be.
        problems: in configuration files and in what the plan names.
        notes: what a reader should know about how it came about.
        unknown: names of library metrics that don't exist; their items are left out of `node`.
        removed: what the plan takes out of its layers with null, and where it says so.
    """

    node: Node
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    removed: tuple[tuple[KeyPath, Place], ...] = ()

    @property
    def raw(self) -> dict[str, Any]:
        """The bare content of the tree."""
        raw: dict[str, Any] = content(self.node)
        return raw


def layered(plan: Node, project: Project, library: Library) -> Layered:
    """Resolve a plan's layers by key presence: maps merge, lists replace, null removes."""
    work = _Work(library)
    plan = work.without_configured(plan)
    base = _defaults(project.root, work)
    protocol = _protocol(merge(base, plan), project.root, work)
    below = merge(base, protocol) if protocol is not None else base
    merged = _with_guardrails(merge(below, plan), base, protocol, plan, work)
    for role in ROLES:
        merged = _expanded(merged, role, work)
    merged = _with_arms(without_nulls(merged))
    merged = _with_event_sources(merged, library)
    merged = _with_freshness(merged, library)
    drawn = with_graph(_with_money(merged, project, work), project.root)
    return Layered(
        node=drawn.node,
        problems=(*work.problems, *drawn.problems),
        notes=(*work.notes, *drawn.notes),
        unknown=tuple(work.unknown),
        removed=tuple(removed(below, plan)),
    )


class _Work:
    """The library, and what one resolution has found so far."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.unknown: list[str] = []

    def refuse(self, place: Place, code: str, what: str, mend: str) -> None:
        self.problems.append(Problem(where=str(place), code=code, what=what, mend=mend))

    def without_configured(self, node: Node) -> Node:
        """Refuse and take out keys that only the configuration may set."""
        for key in _CONFIGURED:
            if key in node.items:
                place = node.items[key].key or node.place
                self.refuse(place, "P201", f"'{key}' can't be set here", "remove it; it is set in configs/value.yaml")
                node = with_child(node, (key,), None)
        return node


def _defaults(root: Path, work: _Work) -> Node:
    """Return the packaged defaults under the project's own."""
    merged = Node(value={}, place=BUILT_IN)
    packaged, own = packaged_configs() / "defaults.yaml", root / CONFIG / "defaults.yaml"
    for path in dict.fromkeys((packaged.resolve(), own.resolve())):
        if path.is_file():
            merged = merge(merged, _config(path, root, work))
    return merged


def _config(path: Path, root: Path, work: _Work) -> Node:
    """Read a file of plan keys; without its version, which is its own and not the plan's."""
    reading = read_config(path, root)
    work.problems.extend(reading.problems)
    if reading.node is None or not reading.complete:
        return Node(value={}, place=Place(file=path.name))
    work.problems.extend(told_in(reading.node, tuple(version_findings(reading.node))))
    return work.without_configured(with_child(reading.node, ("schema_version",), None))


def _protocol(merged: Node, root: Path, work: _Work) -> Node | None:
    """Return the tree of the protocol that the plan names; None without one."""
    wanted = merged.items.get("protocol")
    if wanted is None or not isinstance(wanted.value, str):
        return None
    files = protocol_files(root)
    path = files.get(wanted.value)
    if path is None:
        mend = suggestion(wanted.value, files) if files else "remove it, or write the file in configs/protocols/"
        work.refuse(wanted.place, "P208", f"there is no protocol {shown(wanted.value)}", mend)
        return None
    node = _config(path, root, work)
    named = node.items.get("protocol")
    if named is not None and named.value != path.stem:
        mend = f"write protocol: {path.stem}, or rename the file"
        what = f"the protocol is named {shown(named.value)}, and its file '{path.stem}'"
        work.refuse(named.place, "P208", what, mend)
    return with_child(node, ("protocol",), None)


def _with_guardrails(merged: Node, base: Node, protocol: Node | None, plan: Node, work: _Work) -> Node:
    """Put the protocol's guardrails before the plan's: added to, never replaced or dropped."""
    path = ("metrics", "guardrails")
    fixed = find(protocol, path) if protocol is not None else None
    if fixed is None or not fixed.elements:
        return merged
    own = find(plan, path) or (find(base, path) if find(plan, path) is None else None)
    if own is not None and own.value is not None and not isinstance(own.value, list):
        return merged
    names = {_name(item): item for item in fixed.elements}
    added = [item for item in (own.elements if own is not None else ()) if not _repeats(item, names, work)]
    place = own.place if own is not None and own.value is not None else fixed.place
    key = own.key if own is not None else fixed.key
    return with_child(merged, path, Node(value=[*fixed.elements, *added], place=place, key=key))


def _repeats(item: Node, names: Mapping[str | None, Node], work: _Work) -> bool:
    """Return whether a guardrail is already the protocol's; refuse one that would change it."""
    name = _name(item)
    if name is None or name not in names:
        return False
    fixed = _defined(names[name], work.library)
    for key, child in item.items.items():
        if key != "name" and _bare(item, key) != _bare(fixed, key):
            mend = f"remove '{key}' here: the protocol's own holds{_spelled(fixed, key)}"
            what = f"guardrail '{name}' belongs to the protocol, and a plan can't change it"
            work.refuse(child.key or item.place, "P326", what, mend)
    return True


def _defined(item: Node, library: Library) -> Node:
    """Return a metric item with the library's keys under its own, unless it is written out."""
    definition = library.metrics.get(_name(item) or "")
    if definition is None or "type" in item.items:
        return item
    return Node(value={**definition.items, **item.items}, place=item.place)


def _bare(item: Node, key: str) -> object:
    child = item.items.get(key)
    return natural(content(child)) if child is not None else None


def _spelled(item: Node, key: str) -> str:
    """Return how a guardrail's setting is written, for a message; nothing where it isn't set."""
    child = item.items.get(key)
    if child is None:
        return ""
    inner = ", ".join(f"{name}: {node.value}" for name, node in child.items.items())
    return f", {key}: {{{inner}}}" if inner else f", {key}: {child.value}"


def _name(item: Node) -> str | None:
    """Return the metric's name of an item that is a name or a map with one."""
    value = item.items["name"].value if "name" in item.items else item.value
    return str(value) if isinstance(value, str) else None


def _expanded(merged: Node, role: str, work: _Work) -> Node:
    """Write every item of one role out in full."""
    items = find(merged, ("metrics", role))
    if items is None or not isinstance(items.value, list):
        return merged
    made = [_written_out(item, work) for item in items.value]
    kept = [item for item in made if item is not None]
    return with_child(merged, ("metrics", role), Node(value=kept, place=items.place, key=items.key))


def _written_out(item: Node, work: _Work) -> Node | None:
    """Return one metric item with the library's definition in it; None where the library has none."""
    name = _name(item)
    if name is None:
        return item
    definition = work.library.metrics.get(name)
    if "type" in item.items:
        if definition is not None:
            work.notes.append(f"metric '{name}' is written out in the plan; the library's definition is not used")
        return item
    if definition is None:
        return _unknown_metric(item, name, work)
    for key, child in item.items.items():
        if key not in _OVERRIDES:
            what = f"'{key}' of the library's metric '{name}' can't be changed in a plan"
            mend = "a plan may set margin and mde; for the rest, write out a metric under another name"
            work.refuse(child.key or child.place, "P207", what, mend)
    chosen = {key: child for key, child in item.items.items() if key in _OVERRIDES}
    named = Node(value=name, place=item.items["name"].place if item.items else item.place)
    kept = {key: child for key, child in definition.items.items() if key not in chosen}
    return Node(value={**kept, **chosen, "name": named}, place=item.place)


def _unknown_metric(item: Node, name: str, work: _Work) -> Node | None:
    """Refuse a name that the library doesn't have; an item with more than a name is told about by its schema."""
    if set(item.items) - _OVERRIDES:
        return item
    place = item.items["name"].place if item.items else item.place
    mend = f"{suggestion(name, work.library.metrics)} (or write the metric out)"
    work.refuse(place, "P206", f"the metric library has no {shown(name)}", mend)
    work.unknown.append(name)
    return None


_TRUTHS = {"0": "0", "1": "1", "false": "0", "true": "1"}


def _with_arms(merged: Node) -> Node:
    """Fill the empty arms of a 0/1 column, or of one of truths, whose arms are 0 and 1 as well."""
    path, named = ("design", "treatment", "arms"), ("design", "treatment", "control")
    arms, control = find(merged, path), find(merged, named)
    if arms is None or arms.value != {} or control is None:
        return merged
    one_of_two = _TRUTHS.get(str(control.value).lower())
    if one_of_two is None:
        return merged
    merged = with_child(merged, named, Node(value=one_of_two, place=control.place, key=control.key))
    empty = {name: Node(value={}, place=arms.place, key=arms.key) for name in ("0", "1")}
    return with_child(merged, path, Node(value=empty, place=arms.place, key=arms.key))


def _with_event_sources(merged: Node, library: Library) -> Node:
    """Copy in the event tables that the plan names and does not declare itself."""
    events = find(merged, ("data", "events"))
    columns = find(merged, ("data", "events", "columns"))
    if events is None or columns is None:
        return merged
    users = [*columns.items.values(), *(node for key, node in events.items.items() if key == "exposure")]
    for name in dict.fromkeys(str(user.items["source"].value) for user in users if "source" in user.items):
        if name in library.sources and find(merged, ("data", "events", "sources", name)) is None:
            merged = with_child(merged, ("data", "events", "sources", name), library.sources[name])
    return merged


def _with_freshness(merged: Node, library: Library) -> Node:
    """Copy in how old the data may be, where their source promises it and the plan says nothing else."""
    source = find(merged, ("data", "source"))
    entry = None if source is None else library.sources.get(str(source.value))
    promised = None if entry is None else entry.items.get("freshness")
    if promised is None or find(merged, ("data", "freshness")) is not None:
        return merged
    whole = promised if promised.items else Node(value={"max_age": promised}, place=promised.place)
    return with_child(merged, ("data", "freshness"), whole)


def _with_money(merged: Node, project: Project, work: _Work) -> Node:
    """Copy in the currency, and the value model with only those assumptions that the metrics name."""
    settings, used = work.library.value_model, _worths(merged, work)
    currency = settings.items.get("currency") if settings is not None and not work.library.example else None
    if currency is not None and project.currency_named and currency.value != project.currency:
        what = f"the money is in {currency.value}, and configs/project.yaml says {project.currency}"
        work.refuse(currency.place, "P333", what, "write the same currency in both, and convert the amounts")
    if settings is not None and used:
        currency = settings.items.get("currency", currency)
        worth = Node(value=used, place=settings.place)
        model = with_child(settings, ("worth",), worth)
        if work.library.example:
            model = with_child(model, ("example",), Node(value=True, place=settings.place))
        if _is_example(model):
            note = "The money assumptions are cxcausal's examples and not yours: set them in configs/value.yaml."
            work.notes.append(note)
        merged = with_child(merged, ("value_model",), model)
    place = BUILT_IN if project.packaged else Place(file=f"{CONFIG.as_posix()}/project.yaml")
    return with_child(merged, ("currency",), currency or Node(value=project.currency, place=place))


def _is_example(model: Node) -> bool:
    example = model.items.get("example")
    return example is not None and example.value in (True, "true")


def _worths(merged: Node, work: _Work) -> dict[str, Node]:
    """Return the named money assumptions in use; refuse names that don't exist."""
    used: dict[str, Node] = {}
    for role in ROLES:
        items = find(merged, ("metrics", role))
        for item in items.elements if items is not None else ():
            named = find(item, ("money", "per_unit"))
            if named is None or not isinstance(named.value, str) or _is_number(named.value):
                continue
            if named.value in work.library.worths:
                used[named.value] = work.library.worths[named.value]
                continue
            mend = suggestion(named.value, work.library.worths) if work.library.worths else "write a number"
            what = f"money.per_unit: configs/value.yaml has no {shown(named.value)}"
            work.refuse(named.place, "P323", what, mend)
    return used


def _is_number(text: str) -> bool:
    try:
        read_number(text)
    except ValueError:
        return False
    return isinstance(text, Plain)
