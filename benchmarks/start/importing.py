"""Time to import each package in a fresh interpreter, whether that brings torch, and the time of whole commands."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common._measure import no_options, table, write_section

TIMES = 5


def median(program: str, words: Sequence[str] = ()) -> tuple[float, str]:
    """Seconds of a program in a fresh interpreter, and what it prints."""
    spent, said = [], ""
    for _ in range(TIMES):
        began = time.perf_counter()
        said = subprocess.check_output([sys.executable, "-c", program, *words], text=True).strip()
        spent.append(time.perf_counter() - began)
    return sorted(spent)[TIMES // 2], said


def imports() -> list[str]:
    rows = []
    for package in ("bimt_train", "bimt_analyze"):
        seconds, brought = median(f"import sys, {package}; print('torch' in sys.modules)")
        rows.append([package, f"{seconds:.2f} s", "0.3 s", brought])
    return table([f"package, median of {TIMES}", "interpreter included", "target", "imports torch"], rows)


def commands() -> list[str]:
    train, analyze = (f"from bimt_{name}._cli import main; raise SystemExit(main())" for name in ("train", "analyze"))
    with tempfile.TemporaryDirectory() as folder:
        out, page = Path(folder) / "runs", str(Path(folder) / "page.html")
        subprocess.run(
            [sys.executable, "-c", train, "independence", "--seeds", "1", "--out", str(out), "--quiet"], check=True
        )
        file, audit = str(out / "seed-000.safetensors"), ("--audit", "--html", page)
        rows = [
            [said, f"{median(analyze, [file, '--quiet', *words])[0]:.1f} s", target]
            for said, words, target in (
                ("`bimt-analyze FILE`", (), "-"),
                ("`bimt-analyze FILE --html PAGE`", ("--html", page), "4 s"),
                ("`bimt-analyze FILE --audit --html PAGE`", audit, "-"),
            )
        ]
    return table(
        [f"command, median of {TIMES}, on a network of the task independence", "whole process", "target"], rows
    )


def main() -> None:
    no_options(__doc__)
    write_section("Import", [*imports(), "", *commands()])


if __name__ == "__main__":
    main()
