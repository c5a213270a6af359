"""What a run trains: a network's own tensors, rules that generate them, or what is added to a network that is kept."""
