"""What a notebook shows of a report."""

from typing import TYPE_CHECKING

from bimt_train.extras import installed
from bimt_train.showing import to_cell

from ..formulas.export._cells import set_formulas
from ._matches_decomposition import modules_line

if TYPE_CHECKING:
    from ._content import ReportContent

IN_A_CELL = 2_000  # edges of a circuit up to which a notebook shows it


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
    formulas = set_formulas({name: formula.readable for name, formula in report.formulas.items()})
    rows = [(formulas[name], formula.verdict()) for name, formula in report.formulas.items()]
    lines = [] if report.fit is None else [report.fit.statement, *report.fit.given]
    lines.append(modules_line(report.modules, report.matches_decomposition))
    lines += [] if report.audit is None else report.audit.summary()[:1]
    cell = to_cell(f"Report of {report.checkpoint.task.name}", lines=lines, columns=("formula", "verdict"), rows=rows)
    return cell + _circuit(report)


def _circuit(report: "ReportContent") -> str:
    """The circuit as an ``<img>``; nothing where it is too large for a cell, or matplotlib is not installed."""
    if not installed("matplotlib") or report.graph.is_backbone or len(report.graph.edges.weight) > IN_A_CELL:
        return ""
    from ..plots import draw_network

    return draw_network(report.circuit.network, partition=report.module_sets).html()
