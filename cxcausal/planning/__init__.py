"""Before the data: can the experiment answer its question, and who goes into which arm."""
