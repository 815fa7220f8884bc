"""Pure functions from sufficient statistics to estimates, intervals and p-values; numpy and scipy only."""
