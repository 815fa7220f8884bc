"""The verbs that touch data or the record: register, run, simulate and sync."""

from pathlib import Path
from typing import Any

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import hint, progress, warn
from cxcausal.core.errors import ExitCode
from cxcausal.core.signs import visible

_JSON = click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
_WORLDS = ("outreach", "handoff", "handoff-hidden", "handoff-late", "moments")
_ACTOR = click.option("--as", "actor", metavar="WHO", help="Who acts, for the ledger; CXCAUSAL_ACTOR or git otherwise.")


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@_ACTOR
@_JSON
def register(path: Path, actor: str | None, *, as_json: bool) -> None:
    """Lock a plan in the audit ledger before its outcomes exist.

    Only a plan that was registered first can reach `ship`. Registering the same plan again changes nothing.

    \b
    Example:
      cxcausal register experiments/callback_2026q4.yaml
    """  # noqa: D301 - click's mark for text that must keep its lines
    done = api.register(path, actor=actor, progress=progress())
    for warning in done.warnings:
        warn(warning)
    if as_json:
        emit({**vars(done)})
        return
    how = "registered" if done.new else "was registered already, unchanged"
    click.echo(f"{done.experiment} {how}: {done.at[:19]} by {done.actor}, plan sha256 {done.plan_hash}")
    hint("commit audit/ledger.jsonl, so that others can see that the plan came first")


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--on", metavar="DATA", help="A file or glob to read in place of the plan's data.source.")
@click.option("--resume", metavar="[RUN]", is_flag=False, flag_value="", help="Go on with a run that ended early.")
@_ACTOR
@_JSON
@click.pass_context
def run(
    ctx: click.Context, path: Path, on: str | None, resume: str | None, actor: str | None, *, as_json: bool
) -> None:
    """Analyse an experiment: check it, estimate, value, decide, write the report, and track it all.

    Exits with 0 when there is a verdict, whatever it is, and with 5 when a validity gate withheld it. After the plan,
    --resume goes on with the newest run of it that was killed or failed on the same data: what it had found is not
    computed again, and the results are the same to the bit.

    \b
    Example:
      cxcausal run experiments/proactive_outreach.yaml
      cxcausal run experiments/proactive_outreach.yaml --on fresh.parquet --json
      cxcausal run experiments/proactive_outreach.yaml --resume
    """  # noqa: D301 - see register
    done = api.run_tracked(path, on=on, actor=actor, progress=progress(), resume=resume)
    if resume is not None:
        hint(f"went on with the run {done.result.run_id}")
    for warning in done.warnings:
        warn(warning)
    if as_json:
        emit(done.result.to_dict())
    else:
        _tell(done)
    if done.result.verdict == "no_decision":
        ctx.exit(ExitCode.GATE)


def _tell(done: api.Run) -> None:
    result = done.result
    click.echo(f"{result.experiment}: {result.verdict.replace('_', ' ').upper()}, evidence grade {result.grade}")
    click.echo(done.summary)
    if result.capped_by:
        click.echo(f"Capped, because {result.capped_by}.")
    for check in result.checks:
        if check.verdict in {"fail", "warn"}:
            click.echo(f"{check.verdict}: {check.name}: {visible(check.text)}")
    for text in done.caveats:
        click.echo(f"note: {visible(text)}")
    click.echo(f"run {result.run_id}")
    click.echo(f"report: {done.report}")


@click.command()
@click.argument("world", type=click.Choice(_WORLDS))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The Parquet file; truth goes beside it.")
@click.option("--n", type=click.IntRange(min=1), help="Customers; outreach 60,000, moments 50,000, else 20,000.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Equal seeds give equal bytes.")
@click.option("--arms", help="outreach: arms with their shares, such as none=1/2,gig=1/4,agent=1/4.")
@click.option("--effect-scale", type=float, default=1.0, show_default=True, help="0 plants no effect at all.")
@click.option("--immature", is_flag=True, help="outreach: leave the last weeks without a whole window.")
@click.option("--hidden-route", type=float, help="handoff-hidden: partial R² of the hidden cause with the route.")
@click.option("--hidden-churn", type=float, help="handoff-hidden: the same with churn.")
@click.option("--hidden-contacts", type=float, help="handoff-hidden: the same with last year's contacts.")
@_JSON
def simulate(world: str, out: Path, arms: str | None, *, immature: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - click's types
    """Draw a customer world with known truth: data to OUT, and the true effects beside them.

    `run` never reads the truth. `outreach` is a telecom's proactive outreach: households are randomised, contact is
    not always answered, some customers are harmed by it. `handoff` is observed only: customers in trouble are handed
    from a failing bot to a person; `handoff-hidden` hides one of the causes, `handoff-late` starts the clock too late.
    `moments` tosses a coin for who answers - a bot, an expert or an agent -, and an answer helps some and harms others.

    \b
    Examples:
      cxcausal simulate outreach --out data/outreach.parquet --seed 7
      cxcausal simulate handoff --out data/handoff.parquet
      cxcausal simulate moments --out data/moments.parquet
    """  # noqa: D301 - see register
    if arms:
        names, shares = _arms(arms)
        options |= {"arms": names, "shares": shares}
    if immature:
        options["mature"] = False
    given = {name: value for name, value in options.items() if value is not None}
    written = api.simulate(world, out, progress=progress(), **given)
    if as_json:
        emit({"data": str(written.data), "truth": str(written.truth), "rows": written.rows, "sha256": written.sha256})
    else:
        click.echo(f"{written.rows} customers: {written.data}\ntruth beside them: {written.truth}")


def _arms(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = [part.strip().partition("=") for part in text.split(",")]
    if any(not name or not share for name, _, share in pairs):
        mend = "write each arm as name=share, such as none=1/2,gig=1/4,agent=1/4"
        raise click.BadParameter(mend, param_hint="--arms")
    return tuple(name.strip() for name, _, _ in pairs), tuple(share.strip() for _, _, share in pairs)


@click.command()
@_JSON
@click.pass_context
def sync(ctx: click.Context, *, as_json: bool) -> None:
    """Send to MLflow the finished runs that it doesn't have yet, such as after its server was away.

    Exits with 6 while any run still waits for a store that does not take it, and with 7 where a run is not what its
    record says.

    \b
    Example:
      cxcausal sync
    """  # noqa: D301 - see register
    done = api.sync(Path.cwd(), progress=progress())
    for warning in done.warnings:
        warn(warning)
    if as_json:
        emit({"sent": done.sent, "pending": done.pending, "warnings": done.warnings})
    else:
        click.echo(f"sent {len(done.sent)}, still waiting {len(done.pending)}")
    if done.pending:
        ctx.exit(ExitCode.INTEGRITY if done.broken else ExitCode.ENVIRONMENT)
