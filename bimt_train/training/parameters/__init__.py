"""What a run trains: a network's own tensors, or rules that generate them."""
