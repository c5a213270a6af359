"""Tables of products: whether the targets of rows are a group's, and which representations that group has."""
