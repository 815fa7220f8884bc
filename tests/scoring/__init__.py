"""Tests of answers to score queries."""
