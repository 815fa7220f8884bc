"""Learners of effects, by name: each turns outcomes, scores and chances into formulas for the gain of every arm."""
