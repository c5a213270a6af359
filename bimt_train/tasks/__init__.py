"""Tasks: data, model, loss, and the parts the task is known to be made of."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
