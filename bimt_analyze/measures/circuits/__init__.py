"""The measures that ask what pruning did: what the circuit keeps, and whether it means anything."""
