"""``bimt-analyze trajectories.csv --time t``: the laws of motion behind a table of trajectories."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from bimt_train import InputError
from bimt_train.tasks.tables.table_flags import TABLE_WORDS, table_options
from bimt_train.tasks.tables.table_options import speeds_of_word

from ._saying import is_given, tell_found, telling

if TYPE_CHECKING:  # brings pandas, which the other calls do without
    from bimt_train.tasks import TrajectoryTable

    from ..motion import Motion

_OWN = {"time", "trajectory", "order", "second_order"}
MOTION_TAKES = frozenset(
    {"checkpoint", *_OWN, "json", "html", "markdown", "time_limit", "seed", "quiet", *TABLE_WORDS} - {"sigma"}
)
"""The parameters of the command that trajectories have a use for."""

_SECONDS = 60.0  # where no --time-limit is given


def is_motion(given: Mapping[str, Any]) -> bool:
    """Whether a call is for the laws of motion of a table.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.
    """
    return given["order"] != 1 or any(given[name] is not None for name in ("time", "trajectory", "second_order"))


def laws_of_motion(context: click.Context) -> int:
    """Find the laws of motion behind the table that a call names.

    Parameters
    ----------
    context : click.Context
        The call.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    InputError
        No column of times, or a table that cannot be used.
    """
    from bimt_train.tasks import read_trajectories

    from ..motion import find_motion

    given: Mapping[str, Any] = context.params
    if given["time"] is None:
        own = [name for name in ("trajectory", "second_order") if given[name] is not None]
        got = f"--{own[0].replace('_', '-')}" if own else "--order"
        raise InputError("an option for trajectories", got=got, hint="say which column has the times: --time COLUMN")
    if len(given["checkpoint"]) > 1:
        raise InputError("--time is for one table", got=f"{len(given['checkpoint'])} sources")
    table = read_trajectories(
        given["checkpoint"][0], time=given["time"], trajectory=given["trajectory"], table=table_options(given)
    )
    seconds = given["time_limit"] if is_given(context, "time_limit") else _SECONDS
    with telling(given["quiet"]) as tell:
        motion = find_motion(
            table.trajectories,
            names=table.names,
            order=given["order"],
            second_order=speeds_of_word(given["second_order"]),
            time_limit=seconds,
            seed=given["seed"],
            progress=tell,
        )
    texts = {}
    if given["json"] is not None:
        drivers = {name: list(by) for name, by in motion.drivers.items()}
        record = {**motion.to_json(), "variables": list(motion.variables), "drivers": drivers, "assumed": table.assumed}
        texts[given["json"]] = json.dumps(record, indent=2, default=list) + "\n"
    if given["markdown"] is not None:
        texts[given["markdown"]] = _markdown(motion, table)
    if given["html"] is not None:
        texts[given["html"]] = _page(motion, table)
    return tell_found("\n".join(_lines(motion, table)), texts)


def _lines(motion: "Motion", table: "TrajectoryTable") -> list[str]:
    """What the terminal says."""
    return [
        *(f"assumed: {sentence}" for sentence in table.assumed),
        *map(str, motion.equations),
        f"{motion.word}: {motion.message}",
        *(f"conserved: {one}" for one in motion.conserved),
        *(f"as good: {one}" for one in motion.rival),
        *(f"{name} is driven by {', '.join(by) or 'nothing'}" for name, by in motion.drivers.items()),
    ]


def _markdown(motion: "Motion", table: "TrajectoryTable") -> str:
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


def _page(motion: "Motion", table: "TrajectoryTable") -> str:
    from ..report.page._set_formula import set_formula
    from ..report.page._templates import page_templates

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
