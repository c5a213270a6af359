"""One file a kind of file that weights come in; each says by content whether it knows a file."""
