"""Targets that a network gave itself."""

OWN_OUTPUTS = "own outputs"
"""What a checkpoint's config says under ``targets`` where the network gave them itself."""
