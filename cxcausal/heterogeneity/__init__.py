"""Who responds: effects that differ between customers, learned in turns and told on units that were not learned from."""  # noqa: E501 - one sentence
"""Who responds: effects that differ between customers, learned in turns and judged on those not learned from."""
