"""Networks that were never trained, each with a true table that is not theirs."""
