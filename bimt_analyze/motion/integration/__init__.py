"""Right-hand sides integrated: whole trajectories, and pieces of them to which constants are fitted."""
