"""A report as plain records: what its JSON holds, and the schema of that."""
