"""A report as Markdown and as one page of HTML."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from bimt_train.showing import to_cell

from ..formulas import to_mathml
from ..formulas.export._cells import set_formulas
from ..modules._module_names import listed
from ..plots import module_colour
from ._matches_decomposition import modules_line
from ._pictures import drawn_circuit, measure_sections, pictures
from ._report_record import record
from ._words import agreement_rows, significance_rows

if TYPE_CHECKING:
    import sympy

    from ._content import ReportContent


def render_html(report: "ReportContent") -> str:
    """One page that holds everything: pictures as SVG, formulas as MathML, no script.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    str
        The page.
    """
    drawn = {name: Markup(svg) for name, svg in pictures(report).items()}
    formulas = _set({name: formula.expression for name, formula in report.formulas.items()})
    own = {name: f.of_network.expression for name, f in report.formulas.items() if f.of_network is not None}
    written = () if report.module_formulas is None else report.module_formulas.quantities
    quantities = _set({one.name: one.expression for one in written})
    parts = {} if report.shared is None else _set(report.shared.parts)
    outputs = {} if report.shared is None else _set(report.shared.outputs)
    sections = () if report.audit is None else measure_sections(report.audit)
    page = _environment().get_template("report.html")
    return page.render(
        **_facts(report),
        pictures=drawn,
        set_formulas=formulas,
        set_parts=parts,
        set_outputs=outputs,
        set_quantities=quantities,
        set_network_formulas=_set(own),
        sections=sections,
    )


def render_cell(report: "ReportContent") -> str:
    """What a notebook shows of a report: formulas, verdicts and modules, and of a small network the circuit.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    str
        One ``<div>``.
    """
    formulas = set_formulas({name: formula.expression for name, formula in report.formulas.items()})
    rows = [(formulas[name], formula.verdict()) for name, formula in report.formulas.items()]
    lines = [] if report.fit is None else [report.fit.statement]
    lines.append(modules_line(report.modules, report.matches_decomposition))
    lines += [] if report.audit is None else report.audit.summary()[:1]
    cell = to_cell(f"Report of {report.checkpoint.task.name}", lines=lines, columns=("formula", "verdict"), rows=rows)
    return cell + drawn_circuit(report)


def _set(expressions: Mapping[str, "sympy.Basic"]) -> dict[str, Markup]:
    return {name: Markup(to_mathml(expression, output=name)) for name, expression in expressions.items()}


def render_markdown(report: "ReportContent") -> str:
    """The report as headings, lists and tables, as GitHub reads them.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    str
        The text.
    """
    text = _environment().get_template("report.md").render(**_facts(report))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _facts(report: "ReportContent") -> dict[str, Any]:
    plain = record(report).model_dump(mode="json")
    return {
        "report": plain,
        "modules_line": modules_line(report.modules, report.matches_decomposition),
        "agreement": agreement_rows(plain["agreement"]),
        "significance": significance_rows(plain["significance"]),
        "colours": [_hex(module_colour(number)) for number in range(len(plain["modules"]))],
    }


def _hex(colour: Any) -> str:
    return colour if isinstance(colour, str) else "#" + "".join(f"{round(255 * part):02x}" for part in colour)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bimt_analyze.report", package_path=""),
        autoescape=jinja2.select_autoescape(("html",), default_for_string=True, default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "cell": _cell, "json": _json, "groups": _groups}
    return environment


def _number(value: Any) -> str:
    """A number as it is read: four significant digits, whole numbers whole; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _groups(groups: Sequence[Sequence[str]]) -> str:
    """Groups of names, as ``{x1, x2}, {x3}``; of long ones the first names."""
    named = ["{" + listed(group) + "}" for group in groups]
    return ", ".join(named) or "none"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(text: Any) -> str:
    """Text that cannot break a Markdown table or start markup."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))
