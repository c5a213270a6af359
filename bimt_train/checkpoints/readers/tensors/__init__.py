"""From named tensors to a chain of layers: names, roles, order, orientation, and what is refused by name."""
