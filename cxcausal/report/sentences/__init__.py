"""Plain sentences, made by rule from the result and the plan."""
