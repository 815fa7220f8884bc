"""The column that says in which epoch of a ramp-up a unit was enrolled: one name, for whoever asks and answers."""

EPOCH = "epoch of enrolment"
"""A text column of the units, made at the data edge from time zero; its values are the first days of the epochs."""
