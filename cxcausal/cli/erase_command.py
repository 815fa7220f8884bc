"""The verb erase: customers who want to be forgotten."""

from pathlib import Path

import click

from cxcausal import api
from cxcausal.cli.errors import emit
from cxcausal.cli.session import hint, progress
from cxcausal.core.wording import counted


@click.command()
@click.option("--ids", type=click.Path(path_type=Path), required=True, help="A text file with one id a line.")
@click.option("--column", metavar="NAME", help="The id's column in the data; each plan's data.unit by default.")
@click.option("--reason", metavar="TEXT", required=True, help="Why, for the ledger; without an id or a name.")
@click.option("--as", "actor", metavar="WHO", help="Who acts, for the ledger; CXCAUSAL_ACTOR or git otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Write exactly one JSON object to stdout.")
def erase(ids: Path, column: str | None, reason: str, actor: str | None, *, as_json: bool) -> None:
    """Take customers out of what runs kept of their units, and record it without an id.

    The ledger keeps how many ids were listed and a keyed hash of the list; runs still verify. Your data sources are not
    touched: erase there, too. Results stay, as no customer can be told from them.

    \b
    Example:
      cxcausal erase --ids forget.txt --reason "requests of November" --as privacy@example.com
    """  # noqa: D301 - click's mark for text that must keep its lines
    done = api.erase(ids, reason=reason, column=column, actor=actor, progress=progress())
    if as_json:
        emit({**vars(done)})
        return
    rows = "fewer than 10" if done.rows is None else str(done.rows)
    gone = (
        f"{rows} rows are gone from what {counted(done.runs, 'run')} kept" if done.runs else "no run kept any of them"
    )
    click.echo(f"{counted(done.listed, 'id')} listed: {gone}; on record since {done.at[:19]} by {done.actor}")
    hint("erase them in your data sources, too, and delete the list")
