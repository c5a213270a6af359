"""One interpretation a file: when it applies, and the table that it makes."""
