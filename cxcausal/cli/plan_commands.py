"""The verbs about plans: new, validate, explain, schema and list."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cxcausal import api
from cxcausal.cli.errors import emit, tell, told
from cxcausal.cli.explained import explained
from cxcausal.cli.session import hint, progress
from cxcausal.cli.starter import DESIGN_TYPES, starter_plan
from cxcausal.cli.statements import shown_statements
from cxcausal.core.errors import ExitCode, IntegrityError, PlanError, Problem, UsageError
from cxcausal.core.interrupts import held
from cxcausal.core.signs import visible
from cxcausal.core.spec.library import config_files
from cxcausal.core.spec.load import load_experiment
from cxcausal.core.spec.project import find_root
from cxcausal.core.spec.reference import plan_reference
from cxcausal.core.spec.resolve import BUILT_IN, Resolved
from cxcausal.core.spec.scalars import is_slug
from cxcausal.core.spec.schema import plan_schema
from cxcausal.pipeline.support import unsupported
from cxcausal.pipeline.whom_ahead import whom_ahead
from cxcausal.tracking.files import write_atomic

_JSON = click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """One plan file: resolved, or with what is wrong."""

    path: Path
    resolved: Resolved | None
    problems: tuple[Problem, ...]


def _check(path: Path) -> _Checked:
    try:
        return _Checked(path=path, resolved=load_experiment(path), problems=())
    except PlanError as error:
        return _Checked(path=path, resolved=None, problems=error.problems)


def _all_checked(paths: Sequence[Path]) -> list[_Checked]:
    with progress().stage("checking plans", total=len(paths)) as checking:
        found = []
        for path in paths:
            found.append(_check(path))
            checking.advance()
    return found


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@_JSON
@click.pass_context
def validate(ctx: click.Context, paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Check plans without reading any data, and tell everything that is wrong at once.

    \b
    Example:
      cxcausal validate experiments/*.yaml
    """  # noqa: D301 - click's mark for text that must keep its lines
    checked = _all_checked(paths)
    problems = [problem for item in checked for problem in item.problems]
    tell(problems)
    if as_json:
        emit({"plans": [_as_json(item) for item in checked]}, problems)
    else:
        for line in (line for item in checked if item.resolved for line in _summary(item.path, item.resolved)):
            click.echo(line)
    if problems:
        ctx.exit(ExitCode.PLAN)


def _summary(path: Path, resolved: Resolved) -> Iterator[str]:
    yield f"ok {path}: {resolved.spec.id}, sha256 {resolved.plan_hash}"
    for source, keys in _inherited(resolved).items():
        yield f"   from {source}: {', '.join(keys)}"
    for note in _notes(resolved):
        yield f"   note: {note}"


def _notes(resolved: Resolved) -> tuple[str, ...]:
    """Return the plan's notes, and why `run` would refuse it: after its data have come it is too late to mend."""
    refused = (f"`run` will refuse it: {resolved.placed(found)}" for found in unsupported(resolved.spec))
    return (*resolved.notes, *refused)


def _inherited(resolved: Resolved) -> dict[str, list[str]]:
    """Return the defaults in force: by file, the keys that came from it and not from the plan."""
    own = resolved.provenance["id"].rsplit(":", 2)[0]
    found: dict[str, list[str]] = {}
    for path, source in resolved.provenance.items():
        file = source.rsplit(":", 2)[0]
        key = ".".join(path.split("[")[0].split(".")[:2])
        if file not in (own, BUILT_IN) and key not in found.setdefault(file, []):
            found[file].append(key)
    return found


def _as_json(item: _Checked) -> dict[str, object]:
    resolved = item.resolved
    if resolved is None:
        return {"path": str(item.path), "valid": False, "errors": [told(problem) for problem in item.problems]}
    return {
        "path": str(item.path),
        "valid": True,
        "id": resolved.spec.id,
        "plan_hash": resolved.plan_hash,
        "defaults": _inherited(resolved),
        "notes": list(_notes(resolved)),
        "errors": [],
    }


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--sql", is_flag=True, help="Show instead every statement that a run sends to the engine.")
@click.option("--on", metavar="PATH", help="With --sql: a data file, glob or table to read in place of data.source.")
@_JSON
def explain(path: Path, *, sql: bool, on: str | None, as_json: bool) -> None:
    """Show a plan with everything it inherits, and the file and line of every value.

    With --sql, show what a run asks of the data, in the dialect of the engine that reads them. Levels and bounds are
    read first and decide what is asked later, so the statements are sent; only sums and counts come back, and nothing
    is recorded.

    \b
    Example:
      cxcausal explain experiments/callback_2026q4.yaml
      cxcausal explain experiments/callback_2026q4.yaml --sql > callback.sql
    """  # noqa: D301 - see validate
    if on is not None and not sql:
        what, mend = "--on says which data to read, and without --sql none are", "add --sql, or leave --on out"
        raise UsageError(Problem(where="--on", code="U204", what=what, mend=mend))
    if sql:
        sent = api.statements(path, on=on)
        if as_json:
            emit({"statements": [{"purpose": one.purpose, "sql": one.sql} for one in sent]})
        else:
            click.echo(shown_statements(sent), nl=False)
        return
    resolved = load_experiment(path)
    whom = whom_ahead(resolved.spec)
    if as_json:
        facts = {"plan_hash": resolved.plan_hash, "notes": list(resolved.notes), "whom": list(whom)}
        emit({"plan": resolved.plan, "provenance": dict(resolved.provenance), **facts})
    else:
        click.echo(explained(resolved), nl=False)
        for line in whom:
            click.echo(f"# {line}")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Write to a file in place of stdout.")
@click.option("--markdown", is_flag=True, help="The same as a page to read.")
@_JSON
def schema(out: Path | None, *, markdown: bool, as_json: bool) -> None:
    """Print the JSON Schema of plans, with which editors complete and check keys.

    \b
    Example:
      cxcausal schema --out .vscode/cxcausal.schema.json
      cxcausal schema --markdown | less
    """  # noqa: D301 - see validate
    text = plan_reference() if markdown else json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    _write(out, text, replace=True)
    _written(out, as_json=as_json)


@click.command()
@click.argument("experiment", metavar="ID")
@click.option("--design", type=click.Choice(DESIGN_TYPES), default=DESIGN_TYPES[0], show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="The file; experiments/ID.yaml by default.")
@_JSON
def new(experiment: str, design: str, out: Path | None, *, as_json: bool) -> None:
    """Write a commented first plan that is valid as it is.

    \b
    Example:
      cxcausal new callback-2026q4 --design encouragement
    """  # noqa: D301 - see validate
    if not is_slug(experiment):
        mend = "use lower-case letters, digits, '-', '_' and '.', such as callback-2026q4"
        raise UsageError(Problem(where="ID", code="U201", what=f"{experiment!r} can't name an experiment", mend=mend))
    file = out or (find_root(Path.cwd()) or Path.cwd()) / "experiments" / f"{experiment.replace('-', '_')}.yaml"
    _write(file, starter_plan(experiment, design), replace=False)
    _written(file, as_json=as_json)
    hint(f"next: name your data and columns in it, then `cxcausal validate {file}`")


def _write(path: Path, text: str, *, replace: bool) -> None:
    """Write a text file; an existing one is kept unless it may be replaced."""
    if path.exists() and not replace:
        mend = "choose another ID, or give --out"
        raise UsageError(Problem(where=str(path), code="U202", what="the file exists already", mend=mend))
    with held():
        write_atomic(path, text.encode("utf-8"))


def _written(path: Path, *, as_json: bool) -> None:
    if as_json:
        emit({"path": str(path)})
    else:
        click.echo(f"wrote {path}")


@click.command("list")
@_JSON
def list_plans(*, as_json: bool) -> None:
    """List the plans under experiments/: whether each is valid, how far it has come, its latest verdict, and its id.

    Runs are named by `cxcausal audit log`, and the latest one by --json.

    \b
    Example:
      cxcausal list --json
    """  # noqa: D301 - see validate
    root = find_root(Path.cwd()) or Path.cwd()
    files = config_files(root / "experiments")
    checked = _all_checked(files)
    with progress().stage("looking for runs", total=len(checked)) as looking:
        rows = []
        states = _states(root)
        for item in checked:
            rows.append(_listed(item, root, states))
            looking.advance()
    if as_json:
        emit({"experiments": rows})
        return
    width = max((len(str(row["id"] or "-")) for row in rows), default=0)
    for row in rows:
        question = visible(str(row["question"] or ""))
        standing = f"{row['plan']:<4} {row['state'] or '-':<11}{row['verdict'] or '-':<21}"
        click.echo(f"{standing}{row['id'] or '-':<{width}}  {row['path']}  {question}".rstrip())
    if not checked:
        hint(f"no plans under {root / 'experiments'}; `cxcausal new ID` writes a first one")


def _states(root: Path) -> Mapping[str, str]:
    """Return how far each experiment has come; a broken ledger is told, and keeps nobody from the list."""
    try:
        return api.states(root)
    except IntegrityError as error:
        tell(error.problems)
        return {}


def _listed(item: _Checked, root: Path, states: Mapping[str, str]) -> dict[str, object]:
    spec = item.resolved.spec if item.resolved is not None else None
    runs = api.list_runs(root, spec.id) if spec is not None else ()
    latest = next((run for run in runs if run.status == "FINISHED"), None)
    return {
        "path": item.path.relative_to(root).as_posix(),
        "plan": "ok" if spec is not None else "bad",
        "id": spec.id if spec is not None else None,
        "question": spec.question if spec is not None else None,
        "problems": len(item.problems),
        "state": states.get(spec.id, "draft") if spec is not None else None,
        "runs": len(runs),
        "verdict": latest.verdict if latest is not None else None,
        "run_id": latest.run_id if latest is not None else None,
        "report": str(latest.report) if latest is not None else None,
    }
