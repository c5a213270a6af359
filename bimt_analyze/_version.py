"""The version of the installed distribution, which is that of bimt_train too."""

from importlib.metadata import version

__version__ = version("bimt")
"""The version, as ``--version`` tells it."""
