"""Gathers what the preflight judges: describe, get, list and simulate calls only."""
