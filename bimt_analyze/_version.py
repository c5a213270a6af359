"""The version of the installed distribution, which holds both packages."""

from importlib.metadata import version

__version__ = version("bimt")
"""The version, as ``--version`` tells it."""
