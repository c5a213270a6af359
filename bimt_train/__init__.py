"""Brain-Inspired Modular Training: sparse, local, modular networks (arXiv 2305.08746).

The names used most often can be imported from here. All others are in these packages:

- ``layouts``: where neurons are, and a numerical certificate that a layout describes a module.
- ``models``: the networks that can be trained, each with its layout, and the registry of them.
- ``losses``: what a network is trained on and judged by, and the registry of them.
- ``expressions``: formulas as text, and the decomposition of a task into subfunctions.
- ``checkpoints``: trained networks as values and as files, and readers of files that other programs wrote.
- ``tasks``: what networks are trained on: data, a model, a loss and a decomposition.
- ``connection_cost``: what connections cost by their length, and relocation, which shortens them.
- ``training``: training of many seeds at once: recipes, restarts, snapshots and the record of each run.
- ``pruning``: the smallest circuit whose loss stays within a tolerance.
- ``integrations``: the connection cost in training loops that are not ours.
"""

import logging

from .extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)

logging.getLogger(__name__).addHandler(logging.NullHandler())  # what is shown is for the program to decide
