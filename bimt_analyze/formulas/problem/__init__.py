"""What a generator of formulas may use: the search problem, templates, constants, algebra."""
