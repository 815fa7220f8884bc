"""Random tampers with a project's record, each of which the audit must find and locate, and honest records."""
