"""The verbs by which people act upon the record: amend, approve, decide, stop and report."""

from pathlib import Path
from typing import get_args

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import hint, progress
from cxcausal.core.results import Verdict
from cxcausal.core.signs import visible

_JSON = click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
_ACTOR = click.option("--as", "actor", metavar="WHO", help="Who acts, for the ledger; CXCAUSAL_ACTOR or git otherwise.")
_REASON = click.option("--reason", metavar="TEXT", help="Why, in a sentence.")
_DECISIONS = [one for one in get_args(Verdict) if one != "no_decision"]
_COMMIT = "commit audit/ledger.jsonl, so that others can see it"


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--reason", metavar="TEXT", required=True, help="Why the plan changes, in a sentence.")
@click.option("--results-seen/--results-not-seen", "results_seen", default=None, help="Whether anybody saw results.")
@_ACTOR
@_JSON
def amend(path: Path, reason: str, actor: str | None, *, results_seen: bool | None, as_json: bool) -> None:
    """Put a changed plan in the place of the registered one; every report then lists what was changed.

    Where the ledger has an analysis already, results were seen, and the verdict is at most a pilot.

    \b
    Example:
      cxcausal amend experiments/callback_2026q4.yaml --reason 'a wrong column' --results-not-seen
    """  # noqa: D301 - click's mark for text that must keep its lines
    done = api.amend(path, reason, results_seen=results_seen, actor=actor, progress=progress())
    _tell(done, "amended", as_json=as_json)


@click.command()
@click.argument("run", metavar="RUN|EXPERIMENT")
@_ACTOR
@_JSON
def approve(run: str, actor: str | None, *, as_json: bool) -> None:
    """Approve a run, as one of the plan's approvers who neither owns, registered nor ran it.

    \b
    Example:
      cxcausal approve callback-2026q4 --as bea@example.com
    """  # noqa: D301 - see amend
    _tell(api.approve(Path.cwd(), run, actor=actor), "approved", as_json=as_json)


@click.command()
@click.argument("run", metavar="RUN|EXPERIMENT")
@click.argument("decision", type=click.Choice(_DECISIONS))
@_REASON
@_ACTOR
@_JSON
def decide(run: str, decision: Verdict, reason: str | None, actor: str | None, *, as_json: bool) -> None:
    """Write down what was decided upon a run; against the rule's verdict only with a reason.

    \b
    Example:
      cxcausal decide callback-2026q4 pilot --reason 'the call centre has no room yet' --as cem@example.com
    """  # noqa: D301 - see amend
    _tell(api.decide(Path.cwd(), run, decision, reason=reason, actor=actor), f"decided, {decision},", as_json=as_json)


@click.command()
@click.argument("experiment")
@_REASON
@_ACTOR
@_JSON
def stop(experiment: str, reason: str | None, actor: str | None, *, as_json: bool) -> None:
    """Write down that an experiment takes no more customers.

    \b
    Example:
      cxcausal stop callback-2026q4 --reason 'the planned number is reached'
    """  # noqa: D301 - see amend
    _tell(api.stop(Path.cwd(), experiment, reason=reason, actor=actor), "stopped", as_json=as_json)


@click.command()
@click.argument("run", metavar="RUN|EXPERIMENT")
@_ACTOR
@_JSON
def report(run: str, actor: str | None, *, as_json: bool) -> None:
    """Print a run's page again, with approvals and decisions made since; the run's own page never changes.

    \b
    Example:
      cxcausal report callback-2026q4
    """  # noqa: D301 - see amend
    done = api.report(Path.cwd(), run, actor=actor)
    if as_json:
        emit({**vars(done), "path": str(done.path)})
    else:
        click.echo(f"report: {done.path}")


def _tell(done: api.Acted, how: str, *, as_json: bool) -> None:
    """Say what the ledger has now."""
    if as_json:
        emit(vars(done))
        return
    upon = f", run {done.run_id}" if done.run_id else ""
    click.echo(f"{visible(done.experiment)}{upon}: {how} on {done.at[:10]} by {visible(done.by)}")
    hint(_COMMIT)
