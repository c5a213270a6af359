"""Units of measurement in the search: fewer inputs without units, and what units the constants have."""
