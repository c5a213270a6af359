"""Networks in C99: products of matrices, activations, and the file around them."""
