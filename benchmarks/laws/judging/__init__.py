"""When a formula counts as found, the programs that are compared, and the tables of counts."""
