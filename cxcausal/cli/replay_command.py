"""The verb `replay`: a recorded run made once more, and why any number is not what it was."""

from dataclasses import asdict
from pathlib import Path

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import hint, progress
from cxcausal.core.errors import ExitCode

_SHOWN = 20
_FEWEST = 10


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--on", metavar="DATA", help="Where the run's data lie now, where they were moved.")
@click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
@click.pass_context
def replay(ctx: click.Context, run: str, on: str | None, *, as_json: bool) -> None:
    """Make a recorded run once more from its stored plan and data, and compare every number.

    Each difference is told with its class: IDENTICAL, WITHIN_TOLERANCE (1e-9 of the number or of its standard error),
    DATA_ERASED, DATA_LATE, DATA_RESTATED, ENV_CHANGED, CODE_CHANGED or UNEXPLAINED. Nothing is written. Exits with 7
    where a difference is UNEXPLAINED, or the record itself was changed.

    \b
    Example:
      cxcausal replay 01KB3N5Q8Z6T0V9W2X4Y7A1C3D
    """  # noqa: D301 - click's mark for text that must keep its lines
    found = api.replay(Path.cwd(), run, on=on, progress=progress())
    if as_json:
        emit(asdict(found))
    else:
        _tell(found)
    if found.outcome == "UNEXPLAINED":
        ctx.exit(ExitCode.INTEGRITY)


def _tell(found: api.Replay) -> None:
    differ = len(found.differences)
    click.echo(f"{found.experiment} {found.run_id}: {found.outcome}")
    click.echo(f"{found.compared} values compared, {differ} {'differs' if differ == 1 else 'differ'}")
    for one in found.changed:
        click.echo(f"changed: {one.part}, {one.what}: {one.then} -> {one.now}")
    if found.units is not None:
        click.echo("units: " + ", ".join(f"{name} {_count(n)}" for name, n in asdict(found.units).items()))
    for note in found.notes:
        click.echo(note)
    for difference in found.differences[:_SHOWN]:
        click.echo(f"{difference.kind}  {difference.name}: {difference.then} -> {difference.now}")
    if differ > _SHOWN:
        hint(f"{differ - _SHOWN} more differences: --json has them all")


def _count(units: int) -> str:
    return str(units) if units >= _FEWEST or units == 0 else f"fewer than {_FEWEST}"
