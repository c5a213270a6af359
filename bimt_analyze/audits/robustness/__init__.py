"""Whether the modules depend on choices of the analysis."""
