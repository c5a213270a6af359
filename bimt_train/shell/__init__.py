"""What the command lines of both packages share: how a command runs, its options, its help, its words."""
