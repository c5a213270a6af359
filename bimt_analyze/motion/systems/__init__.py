"""Whole systems fitted by integration: which one is described shortest, what is near to it, and what it leaves."""
