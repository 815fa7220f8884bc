"""The plan: strict YAML, scalar rules, models, resolution with provenance, semantic rules and its hash."""
