"""The flags of the command line, in the order and the groups of its help."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from bimt_train.losses import LOSSES
from bimt_train.registry import Registry
from bimt_train.shell.completion import completion_options
from bimt_train.shell.config_file import config_option
from bimt_train.shell.list_names import list_names_option
from bimt_train.shell.options import OTHER, Choice, in_group
from bimt_train.tasks.tables.table_flags import table_flags

from ..audits import MEASURES, NULL_MODELS
from ..audits.chance._statistics import STATISTICS
from ..export._formats import EXPORT_FORMATS
from ..graph import EDGE_WEIGHTS
from ..graph.exchange._graph_format import GRAPH_FORMATS
from ._analysis_flags import analysis_flags

_FILE = click.Path(path_type=Path)
_LISTED: Mapping[str, Registry[Any]] = {
    "--edge-weight": EDGE_WEIGHTS,
    "--null-model": NULL_MODELS,
    "--statistic": STATISTICS,
    "--measure": MEASURES,
    "--loss": LOSSES,
    "--graph": GRAPH_FORMATS,
    "--export": EXPORT_FORMATS,
}
_files, _elsewhere, _other = in_group("Files"), in_group("A network trained elsewhere"), in_group(OTHER)
_law = in_group("A table without a network")
_checks, _many_files = in_group("Checks"), in_group("Many networks")
_motion = in_group("Laws of motion")

_FLAGS: tuple[Callable[[Callable[..., int]], Callable[..., int]], ...] = (
    _files("--html", type=_FILE, metavar="FILE", help="Write the report as one self-contained page."),
    _files("--json", type=_FILE, metavar="FILE", help="Write the report for other programs."),
    _files("--markdown", type=_FILE, metavar="FILE", help="Write the report as Markdown."),
    _files("--view", type=_FILE, metavar="FILE", help="Write the circuit as an interactive page, modules first."),
    _files(
        "--film",
        type=_FILE,
        metavar="FILE",
        help="Write the training as an interactive page; bimt-train --film keeps what it shows.",
    ),
    _files(
        "--graph",
        type=_FILE,
        metavar="FILE",
        help="Write the circuit as a graph for other programs, its modules as numbers; the ending says the format.",
    ),
    _files("--front", is_flag=True, help="Tell the front of length against error of each formula, and the choice."),
    _files(
        "--export",
        type=_FILE,
        metavar="FILE",
        help="Write the circuit as a program that runs by itself: .c, .onnx, .pt2 or .safetensors.",
    ),
    _files("--apart", is_flag=True, help="Export each module to a file of its own, for separate machines."),
    _checks("--require", multiple=True, metavar="CONDITION", help="End with status 1 unless this holds."),
    _checks(
        "--certify",
        type=_FILE,
        metavar="FILE",
        help="Prove how far the network lies from each formula; write the proof.",
    ),
    _checks(
        "--check", type=_FILE, metavar="FILE", help="Check a proof, and that CHECKPOINT, if given, is its network."
    ),
    analysis_flags,
    _many_files("--out", type=_FILE, metavar="FOLDER", help="Write a page over all files, and a report each, in here."),
    _many_files(
        "--all",
        "every",
        is_flag=True,
        help="Analyse every seed of the folder; each report's file is named after its seed.",
    ),
    _many_files(
        "--time-budget",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="Give up a file that takes longer; the others go on.",
    ),
    _elsewhere("--activation", help="Activation between the layers of a network trained elsewhere, for instance silu."),
    _elsewhere(
        "--model",
        metavar="FILE.py:NAME",
        help="The function that makes the module of a file of weights, or a kind of model of your own.",
    ),
    _elsewhere("--probe", type=_FILE, metavar="TABLE", help="Rows to ask a network trained elsewhere about."),
    _elsewhere("--target", multiple=True, metavar="NAME...", help="Columns of the table that are outputs."),
    _elsewhere(
        "--range", "ranges", type=float, nargs=2, multiple=True, metavar="LOW HIGH", help="In place of a table."
    ),
    _elsewhere(
        "--final", default="auto", metavar="NAME", help="What follows its last layer: none, sigmoid, softmax, tanh."
    ),
    _elsewhere("--loss", default="auto", metavar="NAME", names=LOSSES, help="What its outputs are judged by: NAMES."),
    _elsewhere(
        "--standardize",
        type=Choice(["raw", "inputs", "outputs", "both"]),
        default="raw",
        help="Columns of the table that it saw with mean 0 and deviation 1.",
    ),
    _elsewhere(
        "--key", metavar="NAME", help="Which of several networks in a file: the path of its entry, as state.ema."
    ),
    _elsewhere(
        "--orientation",
        type=Choice(["out-in", "in-out"]),
        help="How the weights of a network trained elsewhere are stored.",
    ),
    _elsewhere(
        "--role",
        "roles",
        multiple=True,
        metavar="TENSOR=ROLE",
        help="What a tensor of the file is: weight, kernel (stored [in, out]), bias or ignore; of all weights, their "
        "order too.",
    ),
    _elsewhere(
        "--batch-norm",
        type=Choice(["before", "after"]),
        help="Whether its batch norms stand before or after the activation.",
    ),
    _elsewhere("--lora-scale", type=float, help="What low-rank products are multiplied by: alpha / rank."),
    _elsewhere(
        "--layout",
        type=_FILE,
        metavar="TOML",
        help="The layout of the module that --model makes; left out, it is traced.",
    ),
    _elsewhere("--parts", metavar="TEXT", help="The known decomposition of the task."),
    table_flags,
    _law("--groups", metavar="NAME", help="Column of groups: one law, with constants of its own in each group."),
    _law(
        "--functions",
        metavar="NAME,...",
        help="The functions that may occur, such as sin,exp,sqrt; sums, products and whole powers always may.",
    ),
    _law(
        "--form",
        metavar="TEXT",
        help='The form to fit, such as "a*exp(-b*t) + c"; names that are no columns are constants.',
    ),
    _law(
        "--discrete",
        is_flag=True,
        help="The rule of truth values or whole numbers: minimal logic, a sum modulo a number, a recurrence.",
    ),
    _motion("--time", metavar="COLUMN", help="CHECKPOINT is a table of trajectories; this is its column of times."),
    _motion("--trajectory", metavar="COLUMN", help="Its column that says to which trajectory a row belongs."),
    _motion(
        "--second-order",
        metavar="POSITION:SPEED,...",
        help="x:v says that the column v is the derivative of x, which is then not searched.",
    ),
    _motion("--order", type=click.IntRange(1, 2), default=1, help="Which derivative by time the equations give."),
    config_option("Files"),
    _files("--dry-run", is_flag=True, help="Say what would be read, computed and written, and do nothing."),
    _other("--dask", metavar="URL", help="Compute on the cluster of this Dask scheduler."),
    _other("--quiet", is_flag=True, help="Do not tell what is done now."),
    list_names_option(_LISTED),
    completion_options,
)


def flags(command: Callable[..., int]) -> Callable[..., int]:
    """Add every option of the command line.

    Parameters
    ----------
    command : callable
        The function of the command.

    Returns
    -------
    callable
        The function, with the options.
    """
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command
