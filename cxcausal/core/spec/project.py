"""The project around a plan: its root, its configuration, and the configuration that the package carries."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, ValidationError

from cxcausal.core.errors import Problem
from cxcausal.core.spec.messages import findings_of
from cxcausal.core.spec.models import SchemaVersion
from cxcausal.core.spec.nodes import Finding, Node, content, locate
from cxcausal.core.spec.scalars import Text
from cxcausal.core.spec.yaml_loader import Reading, read_yaml

CONFIG = Path("configs")
ENGINES = ("duckdb", "spark")


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where a plan lives.

    Attributes:
        root: the folder that every path in plans is relative to.
        organisation: whose reports these are; empty without a project file.
        currency, timezone, engine, tracking_uri: as in `configs/project.yaml`.
        data_roots: folders beside the root that data may lie in, as written.
        packaged: there is no project file, and the package's defaults serve.
        currency_named: the project file says the currency, so that a value model in another is a contradiction.
    """

    root: Path
    organisation: str = ""
    currency: str = "EUR"
    timezone: str = "UTC"
    engine: str = "duckdb"
    tracking_uri: str = "sqlite:///.cxcausal/mlflow.db"
    data_roots: tuple[str, ...] = ()
    packaged: bool = True
    currency_named: bool = False


class ProjectFile(BaseModel):
    """`configs/project.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: SchemaVersion
    organisation: Text = ""
    currency: Text = "EUR"
    timezone: Text = "UTC"
    engine: Text = "duckdb"
    tracking_uri: Text = "sqlite:///.cxcausal/mlflow.db"
    data_roots: tuple[Text, ...] = ()


def packaged_configs() -> Path:
    """Return the folder of the configuration that cxcausal carries: in the package, or in a checkout beside it."""
    package = Path(__file__).resolve().parents[2]
    carried = package / "_configs"
    return carried if carried.is_dir() else package.parent / "configs"


def find_root(start: Path) -> Path | None:
    """Return the nearest folder, from `start` upwards, that holds `configs/project.yaml`."""
    folders = (start.resolve(), *start.resolve().parents)
    return next((folder for folder in folders if (folder / CONFIG / "project.yaml").is_file()), None)


def shown_path(path: Path, root: Path) -> str:
    """Return a path as messages name it: from the working directory or the root where it lies below them."""
    for folder in (Path.cwd(), root):
        if path.is_absolute() and path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.as_posix()


def read_config(path: Path, root: Path) -> Reading:
    """Read one configuration file; problems name it from the root, or as the package's own."""
    packaged = packaged_configs()
    inside = path.is_relative_to(packaged) and not path.is_relative_to(root)
    shown = f"packaged configs/{path.relative_to(packaged).as_posix()}" if inside else shown_path(path, root)
    return read_yaml(path, shown)


def read_project(root: Path) -> tuple[Project, tuple[Problem, ...]]:
    """Return the project at a root, and what is wrong with its file; defaults where there is no file."""
    path = root / CONFIG / "project.yaml"
    if not path.is_file():
        return Project(root=root), ()
    reading = read_config(path, root)
    if reading.node is None or not reading.complete:
        return Project(root=root), reading.problems
    try:
        parsed = ProjectFile.model_validate(content(reading.node))
    except ValidationError as error:
        told = told_in(reading.node, findings_of(error, ProjectFile, ()))
        return Project(root=root), (*reading.problems, *told)
    values = parsed.model_dump(exclude={"schema_version"})
    problems = told_in(reading.node, _findings(parsed))
    named = "currency" in parsed.model_fields_set
    return Project(root=root, packaged=False, currency_named=named, **values), (*reading.problems, *problems)


def _findings(parsed: ProjectFile) -> Iterator[Finding]:
    try:
        ZoneInfo(parsed.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        what = f"'{parsed.timezone}' is not a time zone"
        yield Finding(path=("timezone",), code="P205", what=what, mend="write a name such as Europe/Berlin or UTC")
    if parsed.engine not in ENGINES and "://" not in parsed.engine:
        what = f"'{parsed.engine}' is not an engine"
        yield Finding(path=("engine",), code="P205", what=what, mend="write duckdb, spark, or a database's URL")


def told_in(node: Node, findings: Iterator[Finding] | tuple[Finding, ...]) -> tuple[Problem, ...]:
    """Return findings about one document as problems with their places."""
    return tuple(
        Problem(where=str(locate(node, item.path, item.at)), code=item.code, what=item.what, mend=item.mend)
        for item in findings
    )
