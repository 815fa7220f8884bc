"""Reruns: what moved, and why."""
