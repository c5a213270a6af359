"""The measures of an audit, one file a question: how it is answered, said, recorded and shown.

A measure from outside is registered in the same way; docs/extending.md shows one.
"""
