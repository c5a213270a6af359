"""Are the modules that were found those of the task, more than chance, and what do they do?"""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
