"""What an exported network is made of: layers one after the other, each of which says all of itself."""
