"""What a newcomer meets first: installation, imports, the two commands, input that is no good."""
