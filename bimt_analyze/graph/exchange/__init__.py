"""Graphs from and for other programs: files, and graphs that somebody else made."""
