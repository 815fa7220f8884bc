"""The ladder of proof: each bar simulates worlds with a known truth and holds the estimators to a stated number."""
