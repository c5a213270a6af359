"""What the neurons of a network stand for, where the task says it in its own terms: frequencies, representations."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
