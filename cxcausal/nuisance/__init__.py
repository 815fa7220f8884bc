"""Nuisances: outcome and propensity models, fitted once per experiment on recorded folds, each unit out of fold."""
