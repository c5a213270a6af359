"""The viewer: a network as one interactive page, modules first, down to neurons and weights."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
