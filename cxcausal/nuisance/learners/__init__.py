"""Learners by the name that plans give them: each predicts every unit by models that did not see it."""
