"""A fleet of files of several kinds, ten of them broken, in one call: is there a row, and the right one, for each?"""

import argparse
import csv
import json
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from benchmarks.common._measure import table, write_section
from bimt_analyze._cli import main as analyze_main
from bimt_analyze.synthetic import block_network

Tensors = Mapping[str, np.ndarray]
BUDGET = 120  # seconds a file
SHAPES = {"two blocks": ((2, 3, 1),) * 2, "three blocks": ((2, 3, 3, 1),) * 3, "one block": ((4, 6, 2),)}


def _torch(path: Path, tensors: Tensors) -> None:
    torch.save({name: torch.tensor(array, dtype=torch.float32) for name, array in tensors.items()}, path)


def _lightning(path: Path, tensors: Tensors) -> None:
    state = {f"model.{name}": torch.tensor(array, dtype=torch.float32) for name, array in tensors.items()}
    torch.save({"epoch": 3, "state_dict": state}, path)


def _safetensors(path: Path, tensors: Tensors) -> None:
    save_file({name: np.ascontiguousarray(array, dtype=np.float32) for name, array in tensors.items()}, path)


def _npz(path: Path, tensors: Tensors) -> None:
    with path.open("wb") as file:
        np.savez(file, **tensors)


KINDS: Mapping[str, Callable[[Path, Tensors], None]] = {
    ".pt": _torch, ".ckpt": _lightning, ".safetensors": _safetensors, ".npz": _npz
}  # fmt: skip


def _healthy(folder: Path, count: int) -> list[dict[str, str]]:
    rows = []
    for n in range(count):
        shape, end = list(SHAPES)[n % len(SHAPES)], list(KINDS)[n % len(KINDS)]
        made = block_network(blocks=SHAPES[shape], crosstalk=0.0, seed=n)
        path = folder / f"{shape.replace(' ', '-')}-{n:03d}{end}"
        KINDS[end](path, made.network.tensors)
        rows.append({"file": path.name, "activation": "relu", "range": "-2 2"})
    return rows


def _broken(folder: Path, model: Path) -> list[dict[str, str]]:
    """Ten files, each broken in a way of its own."""
    whole, good = model.read_bytes(), {"activation": "relu", "range": "-2 2"}
    contents = {
        "truncated.pt": whole[: len(whole) // 2], "empty.pt": b"", "text.pt": b"not a network\n",
        "half.safetensors": (200).to_bytes(8, "little") + b'{"w"', "noise.npz": bytes(range(256)) * 4,
    }  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    torch.save({"epoch": 3}, folder / "no-tensors.pt")
    programs = {"sleeps.py": "import time\ntime.sleep(3600)\n", "dies.py": "import os\nos.kill(os.getpid(), 9)\n"}
    for name, program in programs.items():
        (folder / name).write_text(program)
    rows = [{"file": name, **good} for name in (*contents, "no-tensors.pt", "missing.pt")]
    rows.append({"file": model.name, "activation": "swish2", "range": "-2 2"})
    return rows + [{"file": model.name, **good, "model": f"{name}:Kind"} for name in programs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200, help="ten of them broken")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--budget", type=float, default=BUDGET)
    chosen = parser.parse_args()
    options = ["--audit", "--samples", str(chosen.samples), "--retrain", "0", "--time-limit", "0"]
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place), Path(place) / "audits"
        healthy = _healthy(folder, chosen.files - 10)
        rows = list(healthy)
        for place_of, broken in enumerate(_broken(folder, folder / healthy[0]["file"])):
            rows.insert((2 * place_of + 1) * chosen.files // 20, broken)  # among the others
        with (folder / "manifest.csv").open("w", newline="") as file:
            lines = csv.DictWriter(file, ("file", "activation", "range", "model"), restval="")
            lines.writeheader()
            lines.writerows(rows)
        began = time.perf_counter()
        words = [str(folder / "manifest.csv"), *options, "--time-budget", str(chosen.budget), "--out", str(out)]
        status = analyze_main([*words, "--quiet"])
        seconds = time.perf_counter() - began
        results = json.loads((out / "results.json").read_text())["members"]
        suite = ElementTree.parse(out / "junit.xml").getroot().find("testsuite")
        pages = len(list(out.glob("*.html"))) - 1
        audits = sum(json.loads(file.read_text()).get("audit") is not None for file in out.glob("*-*.json"))
        size = sum(file.stat().st_size for file in out.iterdir()) / 1e6
    in_order = [Path(row["source"]).name for row in results] == [row["file"] for row in rows]
    failed = [row for row in results if row["failure"]]
    took = [row["seconds"] for row in results if not row["failure"]]
    called = Counter((row["name"].rpartition("-")[0], row["modular"]) for row in results if not row["failure"])
    shapes = sorted({shape for shape, _ in called})
    cases = "" if suite is None else f"{suite.get('tests')} cases, {suite.get('errors')} errors"
    lines = [
        f"`bimt-analyze manifest.csv {' '.join(options)} --time-budget {chosen.budget:g} --out audits/`: "
        f"{len(rows)} files in {seconds:.0f} s, status {status}, {size:.0f} MB.",
        "",
        *table(
            ["index page", "reports", "audits in them", "rows in the order of the call", "reasons", "JUnit"],
            [[1, pages, audits, "yes" if in_order else "NO", len(failed), cases]],
        ),
        "",
        f"Seconds a file: median {np.median(took):.1f}, most {max(took):.1f}. Smallest q: "
        f"{min(row['q'] for row in results if row['q'] is not None):.3f}, with p of {chosen.samples} samples.",
        "",
        *table(
            ["planted", "files", "called modular"],
            [[shape, called[shape, True] + called[shape, False], called[shape, True]] for shape in shapes],
        ),
        "",
        *table(
            ["broken file", "what became of it", "words"],
            [
                [row["name"], row["failure"], row["reason"].replace(f"{place}/", "")[:110].replace("|", "/")]
                for row in failed
            ],
        ),
    ]
    write_section("Fleet", lines)


if __name__ == "__main__":
    main()
