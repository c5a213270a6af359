"""Reports: what an analysis found, as JSON, Markdown and one page of HTML."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
