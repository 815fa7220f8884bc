"""The first plan that `new` writes: complete, commented, and valid before anything is filled in."""

from collections.abc import Mapping

_HEAD = """# {id}: what is being tried, for whom, and why now. `cxcausal validate` tells what is missing.
schema_version: 1
id: {id}
question: Does the new contact keep customers, and does it pay?    # in the words of the person who decides
owner: team@example.com
approvers: [head-of-cx@example.com]
hypothesis: Customers who are contacted leave less often, because problems are solved before they give up.
data:
  source: data/{id}.parquet        # under the project, or under a folder of data_roots
  unit: customer_id                # one row per customer
  randomization_unit: household_id # what the coin was tossed for; leave it out where that was the customer
"""

_DESIGNS: Mapping[str, str] = {
    "randomized": """design:
  type: randomized                 # a coin decided who is treated
  treatment:
    column: arm
    control: none                  # the others are compared with this arm
    arms:
      none: {label: Business as usual, share: 1/2}
      agent: {label: An agent calls, share: 1/2, unit_cost: 9.0}
""",
    "observational": """design:
  type: observational              # nobody tossed a coin: the confounders must make the arms comparable
  treatment:
    column: route
    control: bot
    arms:
      bot: {label: Stay with the bot}
      human: {label: Handed to a person, unit_cost: 6.4}
  confounders: [tenure_months, tier]
""",
    "encouragement": """design:
  type: encouragement              # the offer was random, taking it was not
  instrument: {column: offered, control: 0, share: 1/2}
  treatment:
    column: took_it
    control: 0
    arms:
      0: {label: Not taken}
      1: {label: Taken, unit_cost: 6.4}
""",
    "staggered_rollout": """design:
  type: staggered_rollout          # branches got it one after the other
  panel: {unit: branch, period: month, first_treated: opened_month}
  treatment:
    column: open
    control: 0
    arms:
      0: {label: Not yet}
      1: {label: Open, unit_cost: 0.9}
""",
    "threshold": """design:
  type: threshold                  # a score above a cut-off decided
  running: {column: risk_score, cutoff: 0.35, treated: above}
  treatment:
    column: got_it
    control: 0
    arms:
      0: {label: No offer}
      1: {label: Offer, unit_cost: 12}
""",
}

_TAIL = """segments: [region]                 # every value of these gets its own effect
metrics:
  success:                         # what the treatment is for; `mde` is what the trial was sized to find
    - {name: churn, type: proportion, column: churned_90d, desired_direction: decrease, mde: {absolute: 0.01}}
  guardrails:                      # what must not get worse by more than its margin
    - {name: complaint, type: proportion, column: complained_30d, desired_direction: decrease, margin: {absolute: 0.01}}
decision:
  minimum_worthwhile_effect: {metric: churn, absolute: 0.005}
  actions: {ship: Roll it out, hold: Keep enrolling, stop: End it}
"""

DESIGN_TYPES = tuple(_DESIGNS)


def starter_plan(experiment: str, design: str) -> str:
    """Return a commented plan for a design.

    Args:
        experiment: the experiment's id.
        design: one of `DESIGN_TYPES`.

    Example:
        >>> "type: threshold" in starter_plan("offer", "threshold")
        True
    """
    return _HEAD.replace("{id}", experiment) + _DESIGNS[design] + _TAIL
