"""The plain installation in an empty environment: its size, the time to import it, what runs in it, what it says."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common._measure import no_options, table, write_section

ROOT = Path(__file__).resolve().parents[2]
LIMIT, IMPORT = 350, 0.3  # MB, seconds
TIMES = 5

FORMULA = """
import numpy as np
from bimt_analyze.formulas import find_formula
x = np.random.default_rng(0).uniform(1, 3, (200, 2))
print(find_formula(x, x[:, 0] * np.exp(-x[:, 1]), names=["a", "b"], output="y", time_limit=10).expression)
"""
AUDIT = ("--activation", "silu", "--range", "-1", "1", "--audit", "--quiet")
RUN = {  # what is done -> the words after python
    "the formula of a table, `find_formula(x, y)`": ("-c", FORMULA),
    "`bimt-analyze net.npz --audit`, by weights": ("-m", "bimt_analyze", "net.npz", *AUDIT),
    "`bimt-analyze net.npz --audit --html page.html`": ("-m", "bimt_analyze", "net.npz", *AUDIT, "--html", "page.html"),
}
SAID = {
    "`bimt-train independence`": ("-m", "bimt_train", "independence"),
    "`bimt-analyze net.npz --probe table.csv`": (
        "-m", "bimt_analyze", "net.npz", "--activation", "silu", "--probe", "table.csv",
    ),
    "`from bimt_analyze.plots import draw_network`": ("-c", "from bimt_analyze.plots import draw_network"),
}  # fmt: skip


def megabytes(folder: Path) -> dict[str, float]:
    """Of each entry of a folder, as it lies on the disk."""
    said = subprocess.check_output(["du", "-sk", *sorted(map(str, folder.iterdir()))], text=True)
    return {Path(line.split("\t")[1]).name: int(line.split()[0]) / 1024 for line in said.splitlines()}


def installed(place: Path) -> tuple[Path, dict[str, float], float]:
    """The Python of an environment with the wheel in it, what the installation added, in MB, and its seconds."""
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source = place / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".venv", ".git", "build", "*.so", "*.egg-info", "runs"))
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(place), str(source)], check=True)
    (wheel,) = place.glob("bimt-*.whl")
    packages = place / "venv" / sysconfig.get_path("purelib", vars={"base": ""}).lstrip("/")
    before, began = megabytes(packages), time.perf_counter()
    subprocess.run([*pip, "install", "--constraint", str(ROOT / "constraints.txt"), str(wheel)], check=True)
    seconds = time.perf_counter() - began
    after = megabytes(packages)
    return python, {name: size - before.get(name, 0.0) for name, size in after.items()}, seconds


def sizes(added: dict[str, float], seconds: float) -> list[str]:
    total, bare = sum(added.values()), {name: size for name, size in added.items() if ".dist-info" not in name}
    largest = sorted(bare.items(), key=lambda pair: -pair[1])[:12]
    assert total <= LIMIT, f"{total:.0f} MB"
    rows = [
        ["all", f"{total:.0f} MB", f"{LIMIT} MB"],
        *([f"`{name}`", f"{size:.0f} MB", "-"] for name, size in largest),
    ]
    return [f"Installed in {seconds:.0f} s.", "", *table(["on the disk, compiled by pip", "size", "limit"], rows)]


def times(go: "Go") -> list[str]:
    rows = []
    for program in (
        "import bimt_train, bimt_analyze",
        "from bimt_analyze import audit",
        "from bimt_train import tasks",
    ):
        spent = sorted(go(("-c", program))[0] for _ in range(TIMES))[TIMES // 2]
        limit = f"{IMPORT} s" if program.startswith("import") else "-"
        rows.append([f"`{program}`", f"{spent:.2f} s", limit])
    return table([f"imported, median of {TIMES}", "interpreter included", "limit"], rows)


class Go:
    """Runs the environment's Python in a folder with a network and a table."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        weights = np.random.default_rng(0).normal(size=(2, 12, 2))
        first, second = np.kron(np.eye(2), weights[0]), np.kron(np.eye(2), weights[1].T)
        np.savez(folder / "net.npz", **{"0.weight": first, "2.weight": second})
        (folder / "table.csv").write_text("x1,x2,x3,x4\n" + "1,2,3,4\n" * 20)

    def __call__(self, words: tuple[str, ...]) -> tuple[float, int, str]:
        """Seconds, exit status, and the last line that was said."""
        began, alone = time.perf_counter(), {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [self.python, *words], cwd=self.folder, capture_output=True, text=True, check=False, env=alone
        )
        lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
        return time.perf_counter() - began, done.returncode, lines[-1] if lines else ""


def main() -> None:
    no_options(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        python, added, seconds = installed(Path(folder))
        go = Go(python, Path(folder))
        ran, refused = (
            {what: go(words) for what, words in RUN.items()},
            {what: go(words) for what, words in SAID.items()},
        )
        assert all(status == 0 for _, status, _ in ran.values()) and all(status for _, status, _ in refused.values())
        lines = [
            *sizes(added, seconds), "", *times(go), "",
            *table(["what runs in it", "whole process", "its last line"],
                   [[what, f"{spent:.1f} s", f"`{said}`"] for what, (spent, _, said) in ran.items()]), "",
            *table(["what needs an extra", "exit status", "its last line"],
                   [[what, status, f"`{said}`"] for what, (_, status, said) in refused.items()]),
        ]  # fmt: skip
        write_section("Light installation", lines)


if __name__ == "__main__":
    main()
