"""Tables in files, as columns that nobody has judged yet."""
