"""Pictures of networks and results: what does it look like?"""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
