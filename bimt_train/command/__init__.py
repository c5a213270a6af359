"""What the command line bimt-train says and reads besides its work: help, options, dry runs, what to do next."""
