"""How networks are trained: recipes, their parts and fields, and those of the tasks and of the paper."""
