"""What the neurons of a network represent in the terms of its task: frequencies, representations, classes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
