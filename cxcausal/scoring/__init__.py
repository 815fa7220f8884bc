"""The score road: from rows and cross-fitted nuisances to effects, distances and bounds, without a row."""
