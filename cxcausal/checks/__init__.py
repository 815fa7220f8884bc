"""Questions about validity: each a frozen dataclass whose fields are its options in YAML."""
