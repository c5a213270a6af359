"""Whether the modules depend on choices of the analysis: threshold, edge weight, and pruning itself."""
