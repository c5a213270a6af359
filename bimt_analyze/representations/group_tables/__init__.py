"""Tables of products: whether the targets of rows are a group's, and which representations that group has."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
