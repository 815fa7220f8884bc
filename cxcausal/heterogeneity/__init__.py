"""Who responds: effects that differ between customers, learned in turns and judged on those not learned from."""
