"""The search through all short expressions."""
