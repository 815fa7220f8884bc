"""The verbs below `audit`: verify, log, anchor, export and merge."""

from pathlib import Path

import click

from cxcausal import api
from cxcausal.cli.errors import emit, tell
from cxcausal.cli.session import hint, progress, warn
from cxcausal.core.errors import ExitCode
from cxcausal.core.signs import visible

_JSON = click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
_ACTOR = click.option("--as", "actor", metavar="WHO", help="Who acts, for the ledger; CXCAUSAL_ACTOR or git otherwise.")
_KEEP = (
    "keep it where whoever has this project can't change it: in a commit that is pushed, in a store with object lock, "
    "or stamped by a time authority (RFC 3161: `openssl ts -query -data FILE -sha256`)"
)


@click.group()
def audit() -> None:
    """Check, read and hand out the record: what was registered, analysed, approved and decided."""


@audit.command()
@click.option(
    "--anchor", metavar="HEAD|FILE", help="What was kept elsewhere: a ledger head, or a file of audit anchor."
)
@_JSON
@click.pass_context
def verify(ctx: click.Context, anchor: str | None, *, as_json: bool) -> None:
    """Check ledger, runs, claims, pages and MLflow against one another; exit with 7 where something differs.

    A chain shows tampering only to someone who kept an earlier head: give it as --anchor.

    \b
    Example:
      cxcausal audit verify --anchor kept/anchor.json
    """  # noqa: D301 - click's mark for text that must keep its lines
    found = api.audit(Path.cwd(), anchor=anchor, progress=progress())
    tell(found.problems)
    for note in found.notes:
        warn(note)
    if as_json:
        counts = {"lines": found.lines, "runs": found.runs, "in_mlflow": found.in_mlflow}
        emit({**counts, "absent": found.absent, "notes": found.notes, "head": found.head}, found.problems)
    elif not found.problems:
        absent = f"; not on this disk: {len(found.absent)}" if found.absent else ""
        click.echo(f"sound: {found.lines} ledger lines, {found.runs} runs, {found.in_mlflow} in MLflow{absent}")
        click.echo(f"head {found.head or 'none yet'}")
    if found.problems:
        ctx.exit(ExitCode.INTEGRITY)


@audit.command()
@click.argument("experiment", required=False)
@_JSON
def log(experiment: str | None, *, as_json: bool) -> None:
    """Tell the ledger in words, the newest last.

    \b
    Example:
      cxcausal audit log callback-2026q4
    """  # noqa: D301 - see verify
    lines = api.audit_log(Path.cwd(), experiment)
    if as_json:
        emit({"lines": [vars(line) for line in lines]})
        return
    for line in lines:
        click.echo(visible(line.text))
    if not lines:
        about = "" if experiment is None else f" about '{visible(experiment)}'"
        hint(f"the ledger has no line{about} yet; `cxcausal list` shows the ids of experiments")


@audit.command()
@click.option("--out", type=click.Path(path_type=Path), help="Write the anchor to a file, with the hash of every line.")
@_JSON
def anchor(out: Path | None, *, as_json: bool) -> None:
    """Print the ledger's head, to be kept elsewhere: it shows later whether lines were cut off or rewritten.

    \b
    Example:
      cxcausal audit anchor --out anchor.json
    """  # noqa: D301 - see verify
    kept = api.audit_anchor(Path.cwd(), out)
    if as_json:
        emit({"head": kept.head, "lines": len(kept.lines), "at": kept.at, "path": None if out is None else str(out)})
    else:
        click.echo(f"head {kept.head}\nat {kept.at}, {len(kept.lines)} lines")
        if out is not None:
            click.echo(f"wrote {out}")
    hint(_KEEP)


@audit.command()
@click.argument("name", metavar="RUN|EXPERIMENT")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The archive, such as callback.zip.")
@_JSON
def export(name: str, out: Path, *, as_json: bool) -> None:
    """Write an archive that an auditor checks with sha256sum and a page of plain Python; it has no rows.

    \b
    Example:
      cxcausal audit export callback-2026q4 --out callback.zip
    """  # noqa: D301 - see verify
    done = api.audit_export(Path.cwd(), name, out, progress=progress())
    if done.absent:
        warn(f"not on this disk and left out: {', '.join(done.absent)}")
    if as_json:
        emit({**vars(done), "path": str(done.path)})
    else:
        click.echo(f"wrote {done.path}: {len(done.runs)} runs, sha256 {done.sha256}")


@audit.command()
@_ACTOR
@_JSON
def merge(actor: str | None, *, as_json: bool) -> None:
    """Join the ledgers of two git branches with a line that names both heads.

    \b
    Example:
      cxcausal audit merge
    """  # noqa: D301 - see verify
    head = api.audit_merge(Path.cwd(), actor=actor)
    if as_json:
        emit({"merged": head is not None, "head": head})
    else:
        click.echo("the ledger has one head already" if head is None else f"joined: head {head}")
