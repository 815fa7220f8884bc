"""Designs: what happened, and what may therefore be claimed."""
