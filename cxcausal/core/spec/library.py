"""What plans name instead of writing out: metrics, money assumptions, data sources and protocols of the project."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cxcausal.core.errors import Problem
from cxcausal.core.spec.messages import missing, suggestion
from cxcausal.core.spec.models import ValueModel
from cxcausal.core.spec.nodes import Finding, Node
from cxcausal.core.spec.project import CONFIG, packaged_configs, read_config, told_in
from cxcausal.core.spec.scalars import shown

_SETTINGS = frozenset(ValueModel.model_fields) - {"worth"}


@dataclass(frozen=True, kw_only=True)
class Library:
    """The named things of a project.

    Attributes:
        metrics: definitions by name; each is a map without the name.
        worths: money assumptions by name.
        value_model: the settings beside them (currency, approval), where there is a value model.
        example: the money assumptions are the package's own examples.
        sources: the entries of `configs/data_sources.yaml` by name.
    """

    metrics: Mapping[str, Node] = field(default_factory=dict)
    worths: Mapping[str, Node] = field(default_factory=dict)
    value_model: Node | None = None
    example: bool = False
    sources: Mapping[str, Node] = field(default_factory=dict)


def read_library(root: Path) -> tuple[Library, tuple[Problem, ...]]:
    """Read the project's library; the packaged one serves where the project has none of a kind."""
    problems: list[Problem] = []
    metrics = _metrics(_metric_files(root), root, problems)
    value_file = _first_file(root, "value.yaml")
    value_model = _entry(value_file, root, "value_model", problems)
    worths, settings = _split(value_model)
    sources = _entry(root / CONFIG / "data_sources.yaml", root, "sources", problems)
    library = Library(
        metrics=metrics,
        worths=worths,
        value_model=settings,
        example=value_model is not None and value_file.is_relative_to(packaged_configs()),
        sources=sources.items if sources is not None else {},
    )
    return library, tuple(problems)


def config_files(folder: Path) -> tuple[Path, ...]:
    """Return the YAML files of a folder by name; none where it doesn't exist."""
    return tuple(sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))))


def protocol_files(root: Path) -> Mapping[str, Path]:
    """Return the protocols of a project by name, those of the package where the project has none."""
    own = config_files(root / CONFIG / "protocols")
    return {path.stem: path for path in own or config_files(packaged_configs() / "protocols")}


def _metric_files(root: Path) -> tuple[Path, ...]:
    return config_files(root / CONFIG / "metrics") or config_files(packaged_configs() / "metrics")


def _first_file(root: Path, name: str) -> Path:
    own = root / CONFIG / name
    return own if own.is_file() else packaged_configs() / name


def _metrics(files: tuple[Path, ...], root: Path, problems: list[Problem]) -> dict[str, Node]:
    """Collect the definitions of all files; a name defined twice is a problem."""
    known: dict[str, Node] = {}
    for file in files:
        node = _entry(file, root, "metrics", problems)
        for name, definition in (node.items if node is not None else {}).items():
            if name in known:
                where = str(definition.key or definition.place)
                what = f"metric '{name}' is defined twice"
                mend = f"remove one; the first is at {known[name].key}"
                problems.append(Problem(where=where, code="P332", what=what, mend=mend))
            known.setdefault(name, definition)
    return known


def _entry(path: Path, root: Path, key: str, problems: list[Problem]) -> Node | None:
    """Return the one entry of a configuration file that has a schema version and nothing else."""
    if not path.is_file():
        return None
    reading = read_config(path, root)
    problems.extend(reading.problems)
    if reading.node is None or not reading.complete:
        return None
    problems.extend(told_in(reading.node, tuple(_head(reading.node, key))))
    return reading.node.items.get(key)


def _head(node: Node, key: str) -> Iterator[Finding]:
    allowed = ("schema_version", key)
    for name in node.items:
        if name not in allowed:
            mend = suggestion(name, allowed)
            yield Finding(path=(name,), code="P201", what=f"unknown key '{name}'", mend=mend, at="key")
    yield from version_findings(node)
    if key not in node.items:
        yield missing((key,))
    elif not isinstance(node.items[key].value, dict):
        what = f"{key}: a map is wanted here"
        yield Finding(path=(key,), code="P203", what=what, mend="write names and what they stand for")


def version_findings(node: Node) -> Iterator[Finding]:
    """Yield what is wrong with the `schema_version` at the top of a file."""
    version = node.items.get("schema_version")
    if version is None:
        yield missing(("schema_version",))
    elif version.value != "1":
        what = f"schema_version: {shown(version.value)} is not a version that this cxcausal reads"
        yield Finding(path=("schema_version",), code="P205", what=what, mend="write schema_version: 1")


def _split(value_model: Node | None) -> tuple[dict[str, Node], Node | None]:
    """Part a value model into its named assumptions and the settings beside them."""
    if value_model is None or not isinstance(value_model.value, dict):
        return {}, None
    worths = {name: node for name, node in value_model.items.items() if name not in _SETTINGS and node.items}
    settings = {name: node for name, node in value_model.items.items() if name not in worths}
    return worths, Node(value=settings, place=value_model.place, key=value_model.key)
