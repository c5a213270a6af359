"""Products of powers with something around them or beside them, and sums of them."""
