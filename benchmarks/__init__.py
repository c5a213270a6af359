"""Measurements: each script writes a section of RESULTS.md, and names itself there."""
