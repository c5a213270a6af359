"""The law behind a table as a page of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from jaxtyping import Float64

from bimt_train.extras import installed, missing_extra

from ..formulas import Formula
from ..grouped_laws import GroupedLaw
from ..report.page._set_formula import set_formula
from ..report.page._templates import page_templates
from ..report.records._report_record import formula_record

if TYPE_CHECKING:
    from bimt_train.tasks import ProbeTable

    from ..discrete_laws import DiscreteLaw
    from ..report.page._pictures import PagePicture
    from ..report.records._formula_records import FormulaRecord

Law: TypeAlias = "GroupedLaw | Formula | DiscreteLaw | None"


@dataclass(frozen=True)
class _Told:
    """What the page says of one target.

    Attributes
    ----------
    law : GroupedLaw, Formula or DiscreteLaw, optional
        The law; None where none was found.
    formula : str
        The law, set.
    record : FormulaRecord, optional
        What else there is to say of a formula.
    groups : tuple of str
        The constants of each group.
    picture : PagePicture, optional
        True against predicted values.
    """

    law: Law
    formula: str = ""
    record: "FormulaRecord | None" = None
    groups: tuple[str, ...] = ()
    picture: "PagePicture | None" = None


def law_page(table: "ProbeTable", laws: Mapping[str, Law], *, source: str, nothing: str) -> str:
    """The page of the laws of a table.

    Parameters
    ----------
    table : ProbeTable
        The rows.
    laws : mapping of str to GroupedLaw, Formula or DiscreteLaw
        The law of each target, in their order; None where there is none.
    source : str
        What the table is called.
    nothing : str
        What is said of a target without a law.

    Returns
    -------
    str
        The page; without matplotlib it has no pictures, and says so.
    """
    told: dict[str, Any] = {name: _told(table, place, law) for place, (name, law) in enumerate(laws.items())}
    undrawn = "" if installed("matplotlib") else missing_extra("matplotlib", "a picture").hint
    page = page_templates("bimt_analyze.command").get_template("table_law.html")
    words = {"source": source, "rows": len(table.x), "nothing": nothing, "undrawn": undrawn}
    return page.render(table=table, laws=told, **words) + "\n"


def _told(table: "ProbeTable", place: int, law: Law) -> _Told:
    if law is None:
        return _Told(None)
    name = table.outputs[place]
    if isinstance(law, Formula):
        drawn = _picture(table, place, law.predict(table.x))
        return _Told(law, set_formula(law.readable, output=name), formula_record(law, table.units), picture=drawn)
    formula = set_formula(law.expression, output=name)
    if isinstance(law, GroupedLaw):
        drawn = _picture(table, place, law.predict(table.x, table.groups))
        return _Told(law, formula, groups=tuple(one.words() for one in law.groups), picture=drawn)
    return _Told(law, formula)


def _picture(table: "ProbeTable", place: int, predicted: Float64[np.ndarray, " rows"]) -> "PagePicture | None":
    """True against predicted, where a law gives numbers on some rows."""
    if table.y is None or not installed("matplotlib"):
        return None
    from ..plots import draw_predictions
    from ..report.page._in_words import predictions_in_words
    from ..report.page._pictures import page_picture

    given = np.isfinite(predicted)
    if not given.any():
        return None
    name, truth = table.outputs[place], table.y[given, place][:, None]
    said = {"formula": predicted[given][:, None]}
    axes = draw_predictions(truth, said, names=[name], units=[table.units.get(name, "")]).axes
    caption = "All rows of the table, also those that were held back from the search."
    return page_picture(f"law-{place}", axes, predictions_in_words(truth, said, [name]), caption)
