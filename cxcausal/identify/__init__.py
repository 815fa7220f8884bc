"""Identification: what must be adjusted for, and whether that is enough, by the graph or the declared roles."""
