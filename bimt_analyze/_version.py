"""The version of the installed distribution, which holds both packages."""

from bimt_train import __version__ as __version__
