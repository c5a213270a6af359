"""The version of the project in the foot of every page of the site."""

from mkdocs.config.defaults import MkDocsConfig

from bimt_train import __version__


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Write the version into the site's foot."""
    config.copyright = f"bimt {__version__}"
    return config
