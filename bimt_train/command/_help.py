"""What ``bimt-train --help`` says before its list of options."""

import textwrap

from ..tasks import TASKS

HELP = """Train sparse, locally arranged networks: many seeds at once, each connection charged for its length.

TASK is one of

\b
{tasks}
      a name; --list-tasks says what each is
  "y1 = (x1+x3)**3" "y2 = x2**2 + sin(pi*x4)"      one or more formulas of your own
  data.csv --target y1 y2                          a table: text, Excel, Parquet, Feather, HDF5, NumPy
  trajectories.csv --time t --trajectory run       a table of trajectories: the derivatives are learned
  language --data text.txt                         the next character of a text
  file.py:NAME                                     a task of your own: a Task, or what makes one

It writes one checkpoint a seed and runs.json into the output folder, and prints a table, best seed first. Results
differ from seed to seed, so train several and look at the spread.

\b
Examples:
  bimt-train independence
  bimt-train "y = exp(-x1**2)*cos(x2)" --range -2 2 --seeds 8
  bimt-train measurements.csv --target lift drag --out runs/wing --resume     # goes on after Ctrl-C
  bimt-train independence --sweep lambda=1e-3,1e-2,1e-1 --out runs/lambdas    # one table of three recipes
  bimt-analyze runs/independence --html report.html                           # then: read what was trained
"""


def help_text() -> str:
    """The help with the names of the tasks that there are, installed ones among them."""
    lines = textwrap.wrap(" | ".join(TASKS.names()), 100, break_on_hyphens=False)
    return HELP.format(tasks=textwrap.indent("\n".join(lines), "  "))
