"""What is alive in a transformer, and which parts write what others read through its residual stream."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
