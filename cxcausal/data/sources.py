"""From `data.source` to input files: paths, globs, named sources and DuckDB files, none outside the project."""

import glob
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from cxcausal.core.errors import CxCausalError, DataError, MachineError, PlanError, Problem
from cxcausal.core.personal import named_after_somebody, names_somebody
from cxcausal.core.spec.events import EventSource
from cxcausal.core.spec.models import Data
from cxcausal.core.spec.nodes import content
from cxcausal.core.spec.yaml_loader import read_yaml
from cxcausal.data.urls import DATABASES, SECRET, expanded, refuse_password, scheme_of

Kind = Literal["csv", "parquet", "json", "duckdb", "stata", "table"]

_KINDS: Mapping[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
    ".dta": "stata",
}
_KNOWN = "this version reads .csv, .tsv, .json, .jsonl (each also .gz), .parquet, .dta and .duckdb"
_URL = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*)://(.*)$", re.DOTALL)
_WHERE = "data.source"
_OF_EVENTS = frozenset(EventSource.model_fields) - {"path", "package", "file", "table"}
_SIGNS = "*?["


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files behind a plan's data.

    Attributes:
        kind: how they are read.
        files: absolute paths, sorted; all of one kind.
        names: how each file is named in messages and records: from the root, or the last part alone.
        table: the table of a DuckDB file, or of a database.
        database: the URL of a database as the plan writes it, with the names of its secrets; None for the project's.
    """

    kind: Kind
    files: tuple[Path, ...]
    names: tuple[str, ...]
    table: str | None = None
    database: str | None = None

    @property
    def named_files(self) -> tuple[tuple[Path, str], ...]:
        """Every file with its name; a table of a database has none."""
        return tuple(zip(self.files, self.names, strict=True)) if self.files else ()

    @property
    def label(self) -> str:
        """How problems name the data as a whole."""
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]} and {len(self.names) - 1} more"


@dataclass(frozen=True, kw_only=True)
class Confines:
    """Where data may lie: below the root or below a declared data root."""

    root: Path
    data_roots: tuple[Path, ...] = ()

    def holds(self, path: Path) -> bool:
        """Tell whether the path, with every symbolic link resolved, stays inside."""
        folders = (self.root, *(self.root / folder for folder in self.data_roots))
        return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)


def find_source(data: Data, confines: Confines, *, on: str | None, sources: Mapping[str, Any] | None) -> Source:
    """Return the input files of a plan.

    Args:
        data: the plan's data block.
        confines: the root, which relative paths start from, and the data roots.
        on: the operator's replacement of `data.source`, not confined and first looked for in the working directory.
        sources: named sources; those of `configs/data_sources.yaml` without.

    Raises:
        PlanError: the source leaves the project, or is of a kind that this version can't read.
        DataError: nothing is there.
        MachineError: a named source belongs to a package that is not installed, or an environment variable is not set.
    """
    if on is not None and "://" not in on and names_somebody(on):
        raise DataError(named_after_somebody(_WHERE))
    source = _found_source(data, confines, on=on, sources=sources)
    if any(names_somebody(path.name) for path in source.files):
        raise DataError(named_after_somebody(_WHERE))
    return source


def _found_source(data: Data, confines: Confines, *, on: str | None, sources: Mapping[str, Any] | None) -> Source:
    text = data.source if on is None else on
    named = named_sources(confines.root) if sources is None else sources
    if text in named and (on is None or not _found(text, Path.cwd())):
        return _named(text, named[text], data, confines)
    if scheme_of(text) in DATABASES:
        return _database(text, data.table, where=_WHERE if on is None else None)
    scheme = _URL.match(text)
    if scheme is not None and scheme[1].lower() != "duckdb":
        what = f"a source of the kind '{scheme[1]}://' can't be read"
        mend = f"name a table of {', '.join(sorted(DATABASES))}, or export it to a file; {_KNOWN}"
        raise PlanError(Problem(where=_WHERE, code="D101", what=what, mend=mend))
    if on is None and SECRET.search(text):
        return _secret_source(data, confines)
    pattern = text if scheme is None else scheme[2].removeprefix("/")
    if on is None:
        files = _confined(pattern, confines, tuple(named))
    else:
        files = _found(pattern, Path.cwd()) or _matches(pattern, confines.root)
    return _source(files, confines.root, data.table, force="duckdb" if scheme is not None else None)


def _database(url: str, table: str | None, *, where: str | None) -> Source:
    """Return a table of a database; `#schema.table` at the URL's end names it where the plan does not.

    `where` is the file's place that the URL stands at; None for the operator's own word, which may hold a password.
    """
    if where is not None:
        refuse_password(url, where)
    address, _, fragment = url.partition("#")
    named = fragment or table
    if not named:
        mend = "add table: name below data, or #schema.table to the URL"
        raise PlanError(Problem(where="data.table", code="D107", what="a database needs its table's name", mend=mend))
    return Source(kind="table", files=(), names=(named,), table=named, database=address)


def _secret_source(data: Data, confines: Confines) -> Source:
    """Return the files of a source with `${env:NAME}` in it, named as the plan writes it: the value is never told."""
    names = dict.fromkeys(SECRET.findall(data.source))
    actual = expanded(data.source, _WHERE)
    try:
        source = find_source(data.model_copy(update={"source": actual}), confines, on=None, sources={})
    except CxCausalError as error:
        what = f"what '{data.source}' stands for can't be read"
        mend = f"check the value of {' and '.join(names)}: a path inside the project; {_KNOWN}"
        raise type(error)(replace(problem, what=what, mend=mend) for problem in error.problems) from None
    shown = [data.source] if len(source.files) == 1 else [f"{data.source} {at + 1}" for at in range(len(source.files))]
    return replace(source, names=tuple(shown))


def named_sources(root: Path) -> Mapping[str, Any]:
    """Return `sources` of `configs/data_sources.yaml`, empty without that file.

    Raises:
        PlanError: the file is not a map of names to sources.
    """
    path = root / "configs" / "data_sources.yaml"
    if not path.is_file():
        return {}
    reading = read_yaml(path, "configs/data_sources.yaml")
    if reading.problems or reading.node is None:
        raise PlanError(reading.problems)
    found: Any = content(reading.node)
    sources = found.get("sources") if isinstance(found, Mapping) else None
    if not isinstance(sources, Mapping):
        mend = "write sources: {name: {path: data/x.parquet}}"
        raise PlanError(
            Problem(where="configs/data_sources.yaml", code="D102", what="there is no map named sources", mend=mend)
        )
    return sources


def _named(name: str, entry: object, data: Data, confines: Confines) -> Source:
    """Return the files of a named source: `{path: …}` or `{package: …, file: …}`, either with `table`."""
    keys = dict(entry) if isinstance(entry, Mapping) else {"path": entry}
    keys = {key: value for key, value in keys.items() if key not in _OF_EVENTS}
    table = keys.pop("table", data.table)
    if not keys and table is not None:
        return Source(kind="table", files=(), names=(str(table),), table=str(table))
    if set(keys) == {"path"} and isinstance(keys["path"], str):
        if scheme_of(keys["path"]) in DATABASES:
            where = f"configs/data_sources.yaml sources.{name}"
            return _database(keys["path"], None if table is None else str(table), where=where)
        files = _confined(keys["path"], confines)
        return _source(files, confines.root, table)
    if set(keys) == {"package", "file"}:
        folder = _package_folder(str(keys["package"]))
        files = _confined(str(keys["file"]), Confines(root=folder))
        return _source(files, confines.root, table)
    raise PlanError(
        Problem(
            where=f"configs/data_sources.yaml sources.{name}",
            code="D102",
            what="a source is a path or URL, a package with a file, or a table of the project's engine",
            mend="write {path: data/x.parquet}, {package: causaldata, file: folder/x.dta} or {table: schema.name}",
        )
    )


def _package_folder(package: str) -> Path:
    """Return where an installed package keeps its files, without importing it."""
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        what = f"the data belong to the package '{package}', which is not installed"
        raise MachineError(
            Problem(where=_WHERE, code="D103", what=what, mend=f"install it, such as with `pip install {package}`")
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _confined(pattern: str, confines: Confines, names: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Return the files of a path or glob inside the confines; outside of them nothing is even looked for."""
    if "\0" in pattern:
        raise _missing(pattern, confines.root / pattern, names)
    fixed = pattern[: min(pattern.find(sign) for sign in _SIGNS if sign in pattern)] if _is_glob(pattern) else pattern
    _refuse_outside((confines.root / fixed,), confines)
    files = _matches(pattern, confines.root, names)
    _refuse_outside(files, confines)
    return files


def _matches(pattern: str, base: Path, names: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """Return the files of a path or glob, sorted; refuse if there is none."""
    files = _found(pattern, base)
    if not files:
        raise _missing(pattern, base / pattern, names)
    return files


def _found(pattern: str, base: Path) -> tuple[Path, ...]:
    path = str(base / pattern)
    names = sorted(glob.glob(path, recursive=True)) if _is_glob(pattern) else [path]  # noqa: PTH207 - may be absolute
    return tuple(Path(name).absolute() for name in names if os.path.isfile(name))  # noqa: PTH113 - bears any name


def _is_glob(pattern: str) -> bool:
    return any(sign in pattern for sign in _SIGNS)


def _missing(pattern: str, path: Path, names: tuple[str, ...]) -> CxCausalError:
    what = f"there is no file '{pattern}'"
    if _is_glob(pattern):
        what = f"no file matches '{pattern}'"
    elif os.path.isdir(path):  # noqa: PTH112 - bears any name
        endings = sorted({file.suffix for file in path.iterdir() if file.suffix in _KINDS})
        mend = f"write {pattern}/*{endings[0] if len(endings) == 1 else '.parquet'}"
        return DataError(Problem(where=_WHERE, code="D104", what=f"'{pattern}' is a folder", mend=mend))
    listed = path.parent.iterdir() if os.path.isdir(path.parent) else ()  # noqa: PTH112 - as above
    beside = [file.name for file in listed if not names_somebody(file.name)]
    near = [f"{pattern[: len(pattern) - len(path.name)]}{name}" for name in get_close_matches(path.name, beside, n=3)]
    near += get_close_matches(pattern, names, n=1)
    mend = f"did you mean {' or '.join(near)}?" if near else f"check the path; it was looked for at {path}"
    return DataError(Problem(where=_WHERE, code="D104", what=what, mend=mend))


def _refuse_outside(files: tuple[Path, ...], confines: Confines) -> None:
    if all(confines.holds(file) for file in files):
        return
    raise PlanError(
        Problem(
            where=_WHERE,
            code="D105",
            what="the data lie outside the project",
            mend="add their folder to data_roots in configs/project.yaml, or pass the path with --on",
        )
    )


def _source(files: tuple[Path, ...], root: Path, table: object, force: Kind | None = None) -> Source:
    kinds = {force or _kind(file) for file in files}
    if len(kinds) != 1 or (len(files) > 1 and kinds <= {"duckdb", "stata"}):
        what, mend = "the files are not of one kind that can be joined", "let the pattern match files of one kind only"
        raise PlanError(Problem(where=_WHERE, code="D106", what=what, mend=mend))
    kind = kinds.pop()
    if (kind == "duckdb") != (table is not None):
        what = "a database needs its table's name" if table is None else "a file has no tables"
        mend = "add table: name below data" if table is None else "remove data.table"
        raise PlanError(Problem(where="data.table", code="D107", what=what, mend=mend))
    shown = tuple(_shown(file, root) for file in files)
    return Source(kind=kind, files=files, names=shown, table=None if table is None else str(table))


def _kind(file: Path) -> Kind:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    gz = suffixes[-1:] == [".gz"]
    kind = _KINDS.get((suffixes[:-1] if gz else suffixes)[-1]) if len(suffixes) > gz else None
    if kind is None or (gz and kind not in {"csv", "json"}):
        what = f"'{file.name}' is of a kind that can't be read"
        raise PlanError(Problem(where=_WHERE, code="D106", what=what, mend=_KNOWN))
    return kind


def _shown(file: Path, root: Path) -> str:
    plain = Path(os.path.normpath(file))
    return plain.relative_to(root).as_posix() if plain.is_relative_to(root) else plain.name
