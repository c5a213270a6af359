"""What to type next, fitting what an analysis found."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import Report

_RUN = "run.toml"  # that a run of bimt-train leaves beside its checkpoints


def after_analysis(report: "Report", file: Path, *, formats: Sequence[str], audit: bool, certify: bool) -> str:
    """What follows the analysis of one network: first what is wrong with it, then what was not asked for yet.

    Parameters
    ----------
    report : Report
        What was found.
    file : Path
        The network's file.
    formats : sequence of str
        The forms in which the report was wanted.
    audit, certify : bool
        Whether an audit, and proofs, were asked for.

    Returns
    -------
    str
        A command, or an option for the same command, with the reason; empty where nothing is left to ask.
    """
    fit = report.fit
    if fit is not None and fit.better_readings:
        options = fit.better_readings[0].options.items()
        return f"add {' '.join(f'--{name} {value}' for name, value in options)}: so its rows fit better"
    if fit is not None and fit.fits is False:
        return _trained_longer(report, file)
    exact = [name for name, formula in report.formulas.items() if formula.exact]
    left = (
        ("add --html report.html: every number, with its picture", not formats),
        ("add --audit: whether the modules are more than chance", not audit),
        ("add --certify proof.json: how far the network lies from its formulas", exact and not certify),
        (f"bimt-analyze --check PROOF {shlex.quote(str(file))}: whether a proof holds", certify),
    )
    return next((words for words, is_left in left if is_left), "")


def _trained_longer(report: "Report", file: Path) -> str:
    """The command that trains such a network with twice the steps, where its folder says how it was trained."""
    run, recipe = file.parent / _RUN, report.checkpoint.config.get("recipe")
    if not run.is_file() or not isinstance(recipe, dict):
        return ""
    return f"bimt-train --config {shlex.quote(str(run))} --steps {2 * recipe['steps']}    # its task is done in part"
