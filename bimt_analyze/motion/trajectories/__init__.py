"""Trajectories: read from a table, checked, and smoothed as far as their noise asks for."""
