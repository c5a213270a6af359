"""Small GPT-2 folders of transformers, from the folder to the audit: how long, what is left, and whether logits agree.

Logits are compared in double precision with those of transformers' own GPT2LMHeadModel, where it is installed.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common._measure import table, write_section
from bimt_train.checkpoints import read_foreign

TARGET = 60  # seconds a folder, on two cores
ROWS = 16


def difference(folder: Path) -> str:
    """The greatest difference of a logit from transformers' own."""
    try:
        from transformers import GPT2LMHeadModel
    except ImportError:
        return "-"
    found = read_foreign(folder)
    module = GPT2LMHeadModel.from_pretrained(folder, local_files_only=True).double().eval()
    x = found.probe.x_test[:ROWS]
    with torch.no_grad():
        right = module(torch.tensor(x).long()).logits.numpy()
    return f"{np.abs(found.predict(x) - right).max():.0e}"


def audited(folder: Path, place: Path) -> tuple[float, float, dict[str, Any]]:
    """Seconds of the command, interpreter included, those of them on a core, and its report."""
    report = place / "report.json"
    words = [sys.executable, "-m", "bimt_analyze", folder, "--audit", "--quiet", "--json", report]
    began, before = time.perf_counter(), on_a_core()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - began, on_a_core() - before, json.loads(report.read_text())


def on_a_core() -> float:
    """Seconds that the processes which are done have had a core: on a busy machine less than they took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a folder of folders, each with config.json and weights")
    folders = sorted(path.parent for path in parser.parse_args().data.glob("*/config.json"))
    rows, slow = [], 0
    with tempfile.TemporaryDirectory() as place:
        for folder in folders:
            seconds, busy, report = audited(folder, Path(place))
            slow += seconds > TARGET
            edges, weights = report["circuit"]["edges"], read_foreign(folder).network.edges(-1.0)
            rows.append(
                [
                    folder.name, f"{seconds:.0f} s", f"{busy:.0f} s", weights, edges,
                    len(report["modules"]), "modular" if report["audit"]["modular"] else "not modular",
                    difference(folder),
                ]
            )  # fmt: skip
            print(*rows[-1], flush=True)
    head = ["folder", "took", "on a core", "weights", "edges", "modules", "verdict", "logits differ by"]
    summary = f"{len(rows)} folders, {slow} of them slower than {TARGET} s."
    write_section("GPT-2 folders", [summary, "", *table(head, rows)])


if __name__ == "__main__":
    main()
