"""Second opinions: effects by other methods, from the same folds and nuisances, each with its influence values."""
