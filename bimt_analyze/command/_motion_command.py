"""``bimt-analyze trajectories.csv --time t``: the laws of motion behind a table of trajectories."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bimt_train import InputError

from ..motion import Motion, TrajectoryTable, find_motion, read_trajectories
from ..report.page._set_formula import set_formula
from ..report.page._templates import page_templates

TAKEN = frozenset(
    {"checkpoint", "time", "trajectory", "order", "json", "html", "markdown", "time_limit", "seed", "quiet"}
)
"""The parameters of the command that trajectories have a use for."""

_SECONDS = 60.0  # where no --time-limit is given
_ALL = 3  # trajectories from which one is held out


def motion_findings(context: click.Context, tell: Callable[[str], None]) -> tuple[str, dict[Path, str]]:
    """Find the laws of motion behind the table that a call names.

    Parameters
    ----------
    context : click.Context
        The call.
    tell : callable
        Called with the name of each stage.

    Returns
    -------
    said : str
        What was found.
    texts : dict of Path to str
        The reports that were asked for.

    Raises
    ------
    InputError
        An option that is for networks, or a table that cannot be used.
    """
    given: Mapping[str, Any] = context.params
    for option in context.command.params:
        name = str(option.name)
        if option.expose_value and _is_given(context, name) and name not in TAKEN:
            raise InputError(
                "an option for networks", where="with --time", got=option.opts[0], hint="leave one of the two out"
            )
    if len(given["checkpoint"]) > 1:
        raise InputError("--time is for one table", got=f"{len(given['checkpoint'])} sources")
    table = read_trajectories(given["checkpoint"][0], time=given["time"], trajectory=given["trajectory"])
    seconds = given["time_limit"] if _is_given(context, "time_limit") else _SECONDS
    motion = find_motion(
        table.trajectories,
        names=table.names,
        order=given["order"],
        time_limit=seconds,
        seed=given["seed"],
        progress=tell,
    )
    said = _lines(motion, table)
    texts = {}
    if given["json"] is not None:
        drivers = {name: list(by) for name, by in motion.drivers.items()}
        record = {**motion.to_json(), "variables": list(motion.variables), "drivers": drivers, "assumed": table.assumed}
        texts[given["json"]] = json.dumps(record, indent=2, default=list) + "\n"
    if given["markdown"] is not None:
        texts[given["markdown"]] = _markdown(motion, table)
    if given["html"] is not None:
        texts[given["html"]] = _page(motion, table)
    return "\n".join(said), texts


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)


def _lines(motion: Motion, table: TrajectoryTable) -> list[str]:
    """What the terminal says."""
    return [
        *(f"assumed: {sentence}" for sentence in table.assumed),
        *map(str, motion.equations),
        f"{motion.word}: {motion.message}",
        *(f"conserved: {one}" for one in motion.conserved),
        *(f"as good: {one}" for one in motion.rival),
        *(f"{name} is driven by {', '.join(by) or 'nothing'}" for name, by in motion.drivers.items()),
    ]


def _markdown(motion: Motion, table: TrajectoryTable) -> str:
    kept = [f"- conserved: `{one}`" for one in motion.conserved]
    rows = [f"| {name} | {', '.join(by) or '–'} |" for name, by in motion.drivers.items()]
    head = [
        "# Laws of motion",
        "",
        *(f"- `{one}`" for one in motion.equations),
        "",
        f"{motion.word}: {motion.message}.",
    ]
    said = [f"Assumed: {sentence}." for sentence in table.assumed]
    graph = ["| variable | driven by |", "| --- | --- |", *rows]
    return "\n".join([*head, *([""] * bool(kept)), *kept, *([""] * bool(said)), *said, "", *graph]) + "\n"


def _page(motion: Motion, table: TrajectoryTable) -> str:
    return (
        page_templates("bimt_analyze.command")
        .get_template("motion.html")
        .render(
            motion=motion,
            equations=[set_formula(one.expression, output=one.left) for one in motion.equations],
            table=table,
            noise=dict(zip(motion.variables, motion.noise, strict=True)),
        )
        + "\n"
    )
