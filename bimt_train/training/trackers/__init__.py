"""Experiment trackers: what a training tells them, and one file each."""
