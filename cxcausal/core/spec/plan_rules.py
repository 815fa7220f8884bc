"""What must be true of a plan's data, filters, lists and looks beyond their schema."""

import re
from collections.abc import Iterator
from pathlib import Path as FilePath

from cxcausal.core.personal import named_after_somebody, names_somebody
from cxcausal.core.spec.draft import Draft, Rule
from cxcausal.core.spec.filter_grammar import FilterError, columns_of, parse_filter, parse_formula
from cxcausal.core.spec.nodes import Finding, Path, dotted
from cxcausal.core.spec.scalars import is_secret

_DATABASE_FILES = (".duckdb", ".db", ".ddb")
_PASSWORD = re.compile(r"://[^/@:]*:([^/@]+)@")
_WILD = "*?["
_FETCHED = frozenset(
    {"http", "https", "ftp", "ftps", "sftp", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "file"}
)
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))})


def is_url(source: str) -> bool:
    """Return whether a source is a database's URL, or a secret that holds one.

    Example:
        >>> is_url("postgresql://host/sales"), is_url("data/x.parquet")
        (True, False)
    """
    return "://" in source or is_secret(source)


def source_stays_inside(draft: Draft) -> Iterator[Finding]:
    """Data files lie under the root or a declared data root, even through links."""
    source = draft.data.source if draft.data is not None else None
    if source is None or source in draft.sources:
        return
    if source.startswith("duckdb://"):
        source = source.removeprefix("duckdb://").removeprefix("/")
    if is_url(source) or "\0" in source or names_somebody(source):
        return
    root = draft.project.root.resolve()
    allowed = [root, *((root / folder).resolve() for folder in draft.project.data_roots)]
    target = (root / _fixed_part(source)).resolve()
    if not any(target.is_relative_to(folder) for folder in allowed):
        what = f"data.source '{source}' leaves the project"
        mend = "move the data under the project, or add their folder to data_roots in configs/project.yaml"
        yield Finding(path=("data", "source"), code="P317", what=what, mend=mend)


def _fixed_part(source: str) -> FilePath:
    """Return a path up to its first wildcard; what follows a wildcard must not climb, so `..` there counts at once."""
    parts = FilePath(source).parts
    wild = next((at for at, part in enumerate(parts) if any(sign in part for sign in _WILD)), len(parts))
    climbs = ".." in parts[wild:]
    return FilePath(*parts[:wild], *([".."] * len(parts) if climbs else []))


def no_password(draft: Draft) -> Iterator[Finding]:
    """A password is named, and never written, in a plan."""
    source = draft.data.source if draft.data is not None else ""
    found = _PASSWORD.search(source)
    if found is not None and not is_secret(found[1]):
        what = "data.source holds a password"
        mend = "change that password, and write ${env:NAME} in its place"
        yield Finding(path=("data", "source"), code="P328", what=what, mend=mend)


def no_person_names_a_file(draft: Draft) -> Iterator[Finding]:
    """Names of files go into the record, so no person's address or number may be one."""
    source = draft.data.source if draft.data is not None else ""
    if not is_url(source) and names_somebody(source):
        told = named_after_somebody("data.source")
        yield Finding(path=("data", "source"), code=told.code, what=told.what, mend=told.mend)


def nothing_is_fetched(draft: Draft) -> Iterator[Finding]:
    """Data are files or tables; nothing is fetched from an address that a plan names."""
    scheme, found, rest = draft.data.source.partition("://") if draft.data is not None else ("", "", "")
    if found and scheme.strip().lower() in _FETCHED:
        what = f"data.source is an address ('{scheme}://'), and a plan never makes cxcausal fetch one"
        path = rest.lstrip("/") if scheme.strip().lower() == "file" else f"data/{FilePath(rest).name}"
        mend = f"save the file in the project and write its path from the root, such as `source: {path}`"
        yield Finding(path=("data", "source"), code="P334", what=what, mend=mend)


def id_names_a_folder(draft: Draft) -> Iterator[Finding]:
    """Results lie in a folder of the experiment's name, also where the project is cloned on Windows."""
    name = draft.values.get("id")
    if isinstance(name, str) and name.partition(".")[0] in _DEVICES:
        what = f"'{name}' is a device on Windows, and can't name a folder there"
        mend = f"write another, such as x-{name}"
        yield Finding(path=("id",), code="P335", what=what, mend=mend)


def table_goes_with_database(draft: Draft) -> Iterator[Finding]:
    """A table is named for a database, and for nothing else."""
    if draft.data is None:
        return
    data = draft.data
    if data.source.partition("://")[0].strip().lower() in _FETCHED:
        return
    database = is_url(data.source) or data.source.lower().endswith(_DATABASE_FILES)
    if database and data.table is None and "#" not in data.source:
        mend = "add it, such as `table: customers`"
        yield Finding(path=("data", "table"), code="P318", what="a database source needs its table", mend=mend)
    if data.table is not None and not database and data.source not in draft.sources:
        what = f"'table' is for databases, and '{data.source}' is a file"
        yield Finding(path=("data", "table"), code="P318", what=what, mend="remove it", at="key")


def filters_parse(draft: Draft) -> Iterator[Finding]:
    """Filters are of the small language, and never code."""
    filters: tuple[tuple[Path, str | None], ...] = (
        (("data", "filter"), draft.data.filter if draft.data is not None else None),
        (("policy", "eligible"), draft.policy.eligible if draft.policy is not None else None),
    )
    for path, text in filters:
        try:
            if text is not None:
                parse_filter(text)
        except FilterError as error:
            what = f"{dotted(path)}: {error.what} (character {error.position})"
            yield Finding(path=path, code="P319", what=what, mend=error.mend)


def formulas_compute(draft: Draft) -> Iterator[Finding]:
    """A formula is arithmetic over stored columns that are neither the treatment nor an id; nothing else is said."""
    for name, column in draft.data.columns.items() if draft.data is not None else ():
        path: Path = ("data", "columns", name, "formula")
        if column.formula is None:
            continue
        for key in ("type", "map"):
            if getattr(column, key) is not None:
                what = f"'{name}' has a formula, and so no {key}: what is computed is a number"
                yield Finding(path=(*path[:-1], key), code="P329", what=what, mend=f"remove {key}", at="key")
        try:
            used = columns_of(parse_formula(column.formula))
        except FilterError as error:
            what = f"{dotted(path)}: {error.what} (character {error.position})"
            yield Finding(path=path, code="P319", what=what, mend=error.mend)
            continue
        taken = _not_in_formulas(draft) | {name: "the column itself"}
        for other in used:
            if other in taken:
                what = f"the formula of '{name}' uses '{other}', which is {taken[other]}"
                yield Finding(path=path, code="P330", what=what, mend="use columns of the data that hold numbers")


def computed_are_numbers(draft: Draft) -> Iterator[Finding]:
    """No treatment, id or time is computed."""
    formulas = draft.data.formulas if draft.data is not None else {}
    if draft.data is None or not formulas:
        return
    data = draft.data
    roles: list[tuple[Path, str | None]] = [
        (("data", key), getattr(data, key)) for key in ("unit", "randomization_unit", "time_zero", "observed_until")
    ]
    roles += [(("data", "cluster", at), name) for at, name in enumerate(data.cluster)]
    if draft.design is not None:
        roles.append((("design", "treatment", "column"), draft.design.treatment.column))
    for path, used in roles:
        if used in formulas:
            what = f"{dotted(path)} names '{used}', which a formula computes"
            yield Finding(path=path, code="P330", what=what, mend="name a column of the data; formulas make outcomes")


def _not_in_formulas(draft: Draft) -> dict[str, str]:
    """Return the columns that no formula may use, each with why."""
    if draft.data is None:
        return {}
    taken = dict.fromkeys(draft.data.formulas, "itself computed by a formula")
    ids = (draft.data.unit, draft.data.randomization_unit, *draft.data.cluster)
    taken |= {name: "an id" for name in ids if name is not None}
    if draft.design is not None:
        taken[draft.design.treatment.column] = "the treatment"
    return taken


def lists_are_unique(draft: Draft) -> Iterator[Finding]:
    """No column is listed twice."""
    lists: list[tuple[Path, tuple[str, ...]]] = [
        ((key,), draft.names(key)) for key in ("covariates", "effect_modifiers", "segments", "tags", "approvers")
    ]
    if draft.design is not None:
        lists.append((("design", "strata"), draft.design.strata))
        lists.append((("design", "confounders"), getattr(draft.design, "confounders", ())))
    if draft.data is not None:
        lists.append((("data", "cluster"), draft.data.cluster))
    if draft.policy is not None:
        lists.append((("policy", "protected"), draft.policy.protected))
    for path, names in lists:
        seen: set[str] = set()
        for at, name in enumerate(names):
            if name in seen:
                what = f"'{name}' stands twice in {dotted(path)}"
                yield Finding(path=(*path, at), code="P314", what=what, mend="remove one")
            seen.add(name)


def horizon_is_one(draft: Draft) -> Iterator[Finding]:
    """The horizon is a date or a number of units."""
    horizon = draft.analysis.horizon if draft.analysis is not None else None
    if horizon is not None and (horizon.date is None) == (horizon.units is None):
        what = "the horizon is either a date or a number of units"
        mend = "write one of them, such as {date: 2026-12-20}"
        yield Finding(path=("analysis", "horizon"), code="P322", what=what, mend=mend)


def looks_fit(draft: Draft) -> Iterator[Finding]:
    """A group-sequential plan has its looks; looks are in order and not after the horizon."""
    if draft.analysis is None:
        return
    analysis, path = draft.analysis, ("analysis", "looks")
    if analysis.peeking == "group_sequential" and not analysis.looks:
        mend = "add them, such as `looks: [2026-11-01, 2026-12-01]`"
        yield Finding(path=path, code="P322", what="peeking: group_sequential needs its looks", mend=mend)
    if list(analysis.looks) != sorted(set(analysis.looks)):
        yield Finding(path=path, code="P322", what="the looks are not in order", mend="write each date once, in order")
    last = analysis.horizon.date if analysis.horizon is not None else None
    if analysis.looks and last is not None and max(analysis.looks) > last:
        what = f"a look on {max(analysis.looks)} is after the horizon"
        yield Finding(path=path, code="P322", what=what, mend=f"look by {last}, or move the horizon")


def notes_of(draft: Draft) -> Iterator[str]:
    """Yield what is allowed in a plan, and what its readers should still know."""
    analysis = draft.analysis
    if analysis is not None and analysis.looks and analysis.peeking == "fixed_horizon":
        yield "Looks are planned, but with peeking: fixed_horizon only the reading at the horizon keeps its error rate."


PLAN_RULES: tuple[Rule, ...] = (
    source_stays_inside,
    nothing_is_fetched,
    id_names_a_folder,
    no_password,
    no_person_names_a_file,
    table_goes_with_database,
    filters_parse,
    formulas_compute,
    computed_are_numbers,
    lists_are_unique,
    horizon_is_one,
    looks_fit,
)
