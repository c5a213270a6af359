"""The words for a formula: as a law of the data, and for how far a network follows it."""
