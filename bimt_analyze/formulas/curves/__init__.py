"""Functions of one argument beyond the library: many short expressions of u are held against values at once."""
