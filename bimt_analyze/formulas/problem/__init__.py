"""The search problem: what may a generator of formulas use? Rows, hints, templates, constants and linear algebra."""
