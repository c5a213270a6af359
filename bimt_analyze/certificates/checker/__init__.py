"""The checker of certificates. It needs numpy and Python's own library, and nothing else of this project."""
