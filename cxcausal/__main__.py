"""`python -m cxcausal` is the command line."""

from cxcausal.cli import main

main()
