"""The order of the stages, known here and nowhere else."""
