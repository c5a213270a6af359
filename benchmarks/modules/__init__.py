"""What audits, certificates and formulas of modules find in networks whose answer is known, and how they grow."""
