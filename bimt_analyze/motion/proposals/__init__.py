"""Right-hand sides that are proposed for one variable, before anything is integrated."""
