"""Who responds: effects that differ between customers, learned in turns and told on units that were not learned from."""  # noqa: E501 - one sentence
