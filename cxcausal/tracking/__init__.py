"""The edge that remembers: run directories, manifests, the ledger and their projection into MLflow."""
