"""Estimators: from aggregates to effects, one metric at a time."""
