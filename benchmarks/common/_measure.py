"""What the benchmarks share: where a result comes from, and how it is written down."""

import argparse
import datetime
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "RESULTS.md"


def no_options(description: str | None) -> None:
    """Answer --help, and refuse everything else: a measurement must not begin by mistake."""
    argparse.ArgumentParser(description=description).parse_args()


def write_section(title: str, lines: Sequence[str]) -> None:
    """Print a section of RESULTS.md and put it in place of the section of the same title."""
    script = ".".join(Path(sys.argv[0]).resolve().with_suffix("").relative_to(RESULTS.parents[1]).parts)
    command = " ".join(["python", "-m", script, *sys.argv[1:]])
    where = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    date = datetime.datetime.now(datetime.UTC).date()
    section = "\n".join([f"## {title}", "", f"`{command}` on {where}, {date}.", "", *lines, ""])
    print(section)
    text = (
        RESULTS.read_text() if RESULTS.exists() else "# Results\n\nEach section is written by the command it names.\n"
    )
    rest = re.split(r"(?m)^(?=## )", text)
    kept = [piece for piece in rest if not piece.startswith(f"## {title}\n")]
    RESULTS.write_text("\n".join(piece.strip() + "\n" for piece in [*kept, section]))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(map(str, row))} |" for row in (head, ["---"] * len(head), *rows)]
