"""Which laws are found: in tables, noisy or not, in groups of rows, in trajectories."""
