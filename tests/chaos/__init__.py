"""Runs that are killed at random: what is left is true, and goes on to the very same numbers."""
