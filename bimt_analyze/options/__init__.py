"""What may be asked of an analysis: its options, and how the rows of a network are made."""
