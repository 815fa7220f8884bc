"""The shared vocabulary: plans, queries, results, protocols, errors and the registry, with no heavy import."""
