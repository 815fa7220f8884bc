"""The verb that analyses an experiment again and tells what moved."""

from pathlib import Path

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import progress, warn
from cxcausal.core.errors import ExitCode, exit_code_of
from cxcausal.core.signs import visible


@click.command()
@click.argument("experiment")
@click.option("--on", metavar="DATA", help="A file or glob to read in place of the plan's data.source.")
@click.option("--data-cut", metavar="DATE", help="Until when outcomes are known, in place of data.observed_until.")
@click.option("--parent", metavar="RUN", help="The run to be held against; the newest one otherwise.")
@click.option("--holdout", is_flag=True, help="Compare what the run promised with customers held out of the roll-out.")
@click.option("--accept-changes", metavar="REASON", help="Why data or a plan that would be refused are right.")
@click.option("--as", "actor", metavar="WHO", help="Who acts, for the ledger; CXCAUSAL_ACTOR or git otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
@click.pass_context
def rerun(ctx: click.Context, /, experiment: str, *, holdout: bool, as_json: bool, **options: str | None) -> None:
    """Analyse an experiment again on the data of now, and tell what moved since the run before, and why.

    EXPERIMENT is the path of a plan, or the id of one in experiments/. Earlier runs stay as they are. Exits with 8
    when the decision is another one than before, so that a scheduler can tell somebody, and with 5 when a validity gate
    withheld it; the run is recorded either way.

    \b
    Example:
      cxcausal rerun callback-2026q4
      cxcausal rerun callback-2026q4 --on fresh.parquet --data-cut 2026-11-15 --json
      cxcausal rerun callback-2026q4 --holdout --on after_rollout.parquet
    """  # noqa: D301 - click's mark for text that must keep its lines
    if holdout:
        _hold_out(experiment, api.Query(**options), as_json=as_json)
        return
    done = api.rerun(Path(experiment), api.Query(**options), progress=progress())
    for warning in done.run.warnings:
        warn(warning)
    if as_json:
        emit(done.run.result.to_dict())
    else:
        _tell(done)
    flip = ExitCode.FLIP if done.movement.flipped else ExitCode.OK
    gate = ExitCode.GATE if done.run.result.verdict == "no_decision" else ExitCode.OK
    code = exit_code_of([flip, gate])
    if code is not ExitCode.OK:
        ctx.exit(code)


def _hold_out(experiment: str, asked: api.Query, *, as_json: bool) -> None:
    found = api.hold_out(Path(experiment), asked, progress=progress())
    if as_json:
        emit(found.to_dict())
        return
    click.echo(f"{found.experiment}: “{found.arm}” after the roll-out, held against the run {found.parent}")
    for promise in found.promises:
        click.echo(visible(promise.sentence))


def _tell(done: api.Rerunned) -> None:
    result, movement = done.run.result, done.movement
    click.echo(f"{result.experiment}: {result.verdict.replace('_', ' ').upper()}, evidence grade {result.grade}")
    click.echo(done.run.summary)
    if result.capped_by:
        click.echo(f"Capped, because {result.capped_by}.")
    click.echo(f"What moved: {visible(movement.sentence)}")
    for text in dict.fromkeys((*movement.notes, *done.run.caveats)):
        if text == movement.sentence:
            continue
        click.echo(f"note: {visible(text)}")
    click.echo(f"run {result.run_id}, held against {movement.parent}")
    click.echo(f"report: {done.run.report}")
