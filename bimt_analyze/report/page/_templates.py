"""The templates of pages and the style that they share."""

from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup

from .._facts import FILTERS

HERE = "bimt_analyze.report.page"


@cache
def page_templates(package: str = HERE) -> jinja2.Environment:
    """The templates of a package, and those that all pages share.

    Parameters
    ----------
    package : str, default "bimt_analyze.report.page"
        The package whose folder has the templates.

    Returns
    -------
    jinja2.Environment
        Where they are found. Their text is escaped; ``style`` is the style of all pages.

    Examples
    --------
    >>> "@media print" in page_templates().globals["style"]
    True
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(each, package_path="") for each in dict.fromkeys((package, HERE))]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.globals["style"] = Markup(files(HERE).joinpath("style.css").read_text(encoding="utf-8"))
    return environment
