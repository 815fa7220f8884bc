"""The decision: one verdict per arm by the first rule that applies, capped by the evidence."""
