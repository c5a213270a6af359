"""What the command line bimt-analyze says and reads besides its work: help, flags, dry runs."""
