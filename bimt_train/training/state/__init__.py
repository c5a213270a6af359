"""The state of a run: as a value, as a file, and the folder it lies in."""
