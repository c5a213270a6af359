"""Labels of neurons, and which permutations the demands on them leave."""
