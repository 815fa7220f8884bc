"""The command line: it parses, prints and returns exit codes; every verb is imported only when it is called."""

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from cxcausal.cli.errors import as_they_are, report_bugs, run_guarded
from cxcausal.cli.manner import manner_of, manner_options, refuse_contradiction, with_manner
from cxcausal.cli.session import new_session
from cxcausal.cli.streams import prepare
from cxcausal.core.errors import Problem, UsageError

__all__ = ["main", "verbs"]

VERBS: dict[str, tuple[str, str]] = {
    "new": ("cxcausal.cli.plan_commands:new", "Write a first plan to fill in."),
    "validate": ("cxcausal.cli.plan_commands:validate", "Check plans, and tell everything that is wrong at once."),
    "explain": ("cxcausal.cli.plan_commands:explain", "Show a resolved plan, and where each value came from."),
    "schema": ("cxcausal.cli.plan_commands:schema", "Print the JSON Schema of plans, for editors."),
    "plan": (
        "cxcausal.cli.planning_commands:plan",
        "Tell whether an experiment can answer its question: power, size, weeks.",
    ),
    "aa": ("cxcausal.cli.aa_command:aa", "Tell how often a plan would alarm for nothing, on your own data."),
    "assign": ("cxcausal.cli.planning_commands:assign", "Put units into arms, or check who was put where."),
    "register": ("cxcausal.cli.run_commands:register", "Lock a plan in the audit ledger before its data."),
    "amend": ("cxcausal.cli.record_commands:amend", "Change a registered plan, with the reason and the difference."),
    "run": ("cxcausal.cli.run_commands:run", "Analyse an experiment: checks, effects, money, verdict, report."),
    "rerun": ("cxcausal.cli.rerun_command:rerun", "Analyse again on fresh data, and tell what moved and why."),
    "score": ("cxcausal.cli.score_command:score", "Choose among fresh customers whom to contact, by a run's model."),
    "stop": ("cxcausal.cli.record_commands:stop", "Write down that an experiment takes no more customers."),
    "approve": ("cxcausal.cli.record_commands:approve", "Approve a run, as one of the plan's approvers."),
    "decide": ("cxcausal.cli.record_commands:decide", "Write down what was decided upon a run."),
    "report": ("cxcausal.cli.record_commands:report", "Print a run's page again, with what stands on record by now."),
    "compare": (
        "cxcausal.cli.compare_command:compare",
        "Show two runs side by side: effects, verdicts, data, plan, code, environment.",
    ),
    "simulate": ("cxcausal.cli.run_commands:simulate", "Draw a customer world with known truth."),
    "replay": ("cxcausal.cli.replay_command:replay", "Make a recorded run once more, and tell why a number differs."),
    "sync": ("cxcausal.cli.run_commands:sync", "Send to MLflow the runs that it doesn't have yet."),
    "audit": (
        "cxcausal.cli.audit_commands:audit",
        "Check, read or hand out the record: verify, log, anchor, export, merge.",
    ),
    "erase": (
        "cxcausal.cli.erase_command:erase",
        "Take customers out of what runs kept, and record it without an id.",
    ),
    "list": ("cxcausal.cli.plan_commands:list_plans", "List the experiments of this project."),
}
"""Every verb: where its command is, and the line that `--help` shows without importing it."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Plans": ("new", "validate", "explain", "schema", "list"),
    "Before the data": ("plan", "aa", "assign", "simulate", "register", "amend"),
    "Analyses": ("run", "rerun", "compare", "replay", "score"),
    "The record": ("stop", "approve", "decide", "report", "audit", "sync", "erase"),
}
"""The verbs as `--help` shows them: by what they are for, in the order of their use."""
_WIDEST = max(map(len, VERBS))

_EPILOG = """\b
A first experiment:
  cxcausal new callback-2026q4
  cxcausal validate experiments/callback_2026q4.yaml
  cxcausal register experiments/callback_2026q4.yaml
  cxcausal run experiments/callback_2026q4.yaml

\b
The same experiment on the data of next week, and what moved:
  cxcausal rerun callback-2026q4
"""


class LazyVerbs(click.Group):
    """A group whose commands are imported when they are called, and not for `--help`."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Read the command line, so that Ctrl-C stays what it is."""
        with as_they_are():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run a verb, so that Ctrl-C and a closed stdout stay what they are."""
        with as_they_are():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order of their use."""
        return [name for names in GROUPS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - see above
        """Import and return one verb."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return with_manner(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that was called, or say which one was meant."""
        if args[0] not in VERBS:
            close = get_close_matches(args[0], VERBS, n=1)
            mend = f"did you mean '{close[0]}'?" if close else f"use one of: {', '.join(VERBS)}"
            raise UsageError(
                Problem(where="command line", code="U203", what=f"there is no verb {args[0]!r}", mend=mend)
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - see above
        """Write the table of verbs."""
        for heading, names in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:<{_WIDEST}}", VERBS[name][1]) for name in names])


@click.group(cls=LazyVerbs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cxcausal")
def verbs() -> None:
    """What is human contact worth? From one reviewed plan to one honest page.

    Exit codes: 0 fine, 2 usage, 3 plan, 4 data, 5 a validity gate, 6 environment, 7 integrity, 8 a rerun came to
    another decision, 130 Ctrl-C, 141 nobody read stdout, 143 SIGTERM, 1 our bug. Every verb takes --json: one object on
    stdout, everything else on stderr. The options below stand before or after the verb. Work of more than two seconds
    tells how far it is; Ctrl-C says what was kept. Paths of plans start at the working folder; paths in plans start at
    the project's root, the nearest folder above with configs/project.yaml.
    """


verbs.params.extend(manner_options())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and leave with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    manner = manner_of(given)
    prepare()
    here = new_session(manner, next((word for word in given if word in VERBS), None))
    report_bugs(here)

    def call() -> object:
        refuse_contradiction(manner)
        return verbs.main(given, "cxcausal", standalone_mode=False, obj=here)

    sys.exit(run_guarded(call, as_json=manner.as_json, of=here))
