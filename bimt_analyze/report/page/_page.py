"""A report as one page of HTML."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bimt_train.extras import installed, missing_extra

from .._facts import facts
from ._headline import headline
from ._set_formula import set_formula
from ._templates import page_templates

if TYPE_CHECKING:
    import sympy
    from markupsafe import Markup

    from .._content import ReportContent

TITLES = {"law": "The law of the data", "network": "The network", "audit": "The audit", "about": "About this report"}
ORDERS = {
    "law": ("law", "network", "audit", "about"),
    "network": ("network", "audit", "about"),
    "audit": ("audit", "network", "law", "about"),
}
"""What was asked -> the parts of the page, what was asked first."""


def render_html(report: "ReportContent") -> str:
    """One page that holds everything: pictures as SVG, formulas as MathML, no script.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    str
        The page. It begins with what was asked: the audit where one was made, else the formulas, else the network.
    """
    known, top = facts(report), headline(report)
    tables = {
        name: [(row.name, row.value, row.meaning) for row in known[name]] for name in ("agreement", "significance")
    }
    formulas = {name: formula.readable for name, formula in report.formulas.items()}
    own = {name: f.of_network.readable for name, f in report.formulas.items() if f.of_network is not None}
    written = () if report.module_formulas is None else report.module_formulas.quantities
    classes = {} if isinstance(report.class_formulas, str) else report.class_formulas.formulas
    titles = TITLES if report.audit is not None else TITLES | {"audit": "Agreement and chance"}
    order = [part for part in ORDERS[top.asked] if part != "law" or formulas]
    return page_templates().get_template("page.html").render(
        **known | tables,
        parts=[(part, titles[part]) for part in order],
        headline=top,
        set_formulas=_set(formulas),
        set_network_formulas=_set(own),
        set_motion=() if report.motion is None else [
            set_formula(one.expression, output=one.left) for one in report.motion.equations
        ],
        set_classes=_set({f"log-odds of {name}": one.readable for name, one in classes.items()}),
        set_quantities=_set({one.name: one.expression for one in written}),
        set_parts={} if report.shared is None else _set(report.shared.parts),
        set_outputs={} if report.shared is None else _set(report.shared.outputs),
        **_drawn(report),
    )  # fmt: skip


def _drawn(report: "ReportContent") -> dict[str, Any]:
    """What is drawn; without matplotlib nothing, and the command that brings it."""
    if not installed("matplotlib"):
        return {"pictures": {}, "sections": (), "colours": ["transparent"] * len(report.modules), "unpictured": 0,
                "undrawn": missing_extra("matplotlib", "a picture").hint}  # fmt: skip
    from ...plots import module_colour
    from ._pictures import MOST_MISSED, measure_sections, pictures

    missed = sum(f.verification is not None and f.verification.divergence is not None for f in report.formulas.values())
    return {
        "pictures": pictures(report),
        "sections": () if report.audit is None else measure_sections(report.audit),
        "colours": [_hex(module_colour(number)) for number in range(len(report.modules))],
        "unpictured": max(0, missed - MOST_MISSED),
        "undrawn": "",
    }


def _set(expressions: "Mapping[str, sympy.Basic]") -> "dict[str, Markup]":
    return {name: set_formula(expression, output=name) for name, expression in expressions.items()}


def _hex(colour: Any) -> str:
    return colour if isinstance(colour, str) else "#" + "".join(f"{round(255 * part):02x}" for part in colour)
