"""Audits of GPT-2 small, 124 million weights: two halves planted and hidden by permutations, or random weights.

Each audit is a command with its page, in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import adjusted_mutual_info_score
from transformers import GPT2Config, GPT2LMHeadModel

from benchmarks.common._measure import table, write_section

Halves = dict[str, np.ndarray]


def folder_of(place: Path, *, halves: bool) -> Halves:
    """Write a folder of transformers; the half that each neuron of each group belongs to."""
    torch.manual_seed(0)
    rng, config = np.random.default_rng(0), GPT2Config()
    module, width, heads = GPT2LMHeadModel(config), config.n_embd, config.n_head
    truth = {"resid": rng.permutation(width) % 2, "y": rng.permutation(config.vocab_size) % 2}
    for number in range(1, config.n_layer + 1):
        truth[f"a{number}"] = np.repeat(rng.permutation(heads) % 2, width // heads)
        truth[f"m{number}"] = rng.permutation(4 * width) % 2
    if halves:
        half = {group: torch.tensor(of) for group, of in truth.items()}
        resid, transformer = half["resid"], module.transformer
        with torch.no_grad():
            for number, block in enumerate(transformer.h, start=1):
                read, hidden = half[f"a{number}"], half[f"m{number}"]
                block.attn.c_attn.weight *= resid[:, None] == read.repeat(3)
                block.attn.c_proj.weight *= read[:, None] == resid
                block.mlp.c_fc.weight *= resid[:, None] == hidden
                block.mlp.c_proj.weight *= hidden[:, None] == resid
            transformer.wte.weight *= half["y"][:, None] == resid
    module.save_pretrained(place)
    return truth


def audited(place: Path, truth: Halves | None) -> list[str]:
    """Seconds, peak of memory, bytes of the page, agreement with the planted halves, verdict."""
    page, report = place / "report.html", place / "report.json"
    words = [sys.executable, "-m", "bimt_analyze", place, "--audit", "--quiet", "--html", page, "--json", report]
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    said = json.loads(report.read_text())
    ami = "-"
    if truth is not None:
        labels = [
            (number, truth[group][index])
            for number, module in enumerate(said["modules"])
            for end in ("inputs", "outputs", "neurons")
            for group, index in map(neuron_of, module[end])
        ]
        ami = f"{adjusted_mutual_info_score(*zip(*labels, strict=True)):.3f} of {len(labels):,} neurons"
    verdict = said["audit"]["verdict"][0]["text"]
    return [f"{seconds:.0f} s", f"{peak:.1f} GiB", f"{page.stat().st_size / 1e6:.1f} MB", ami, verdict]


def neuron_of(label: str) -> tuple[str, int]:
    """Group and index of a neuron called m3.17, or y18, which counts from 1."""
    group, dot, index = label.partition(".")
    return (group, int(index)) if dot else ("y", int(label.removeprefix("y")) - 1)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = []
    for name, halves in (("two halves planted", True), ("random weights", False)):
        with tempfile.TemporaryDirectory() as place:
            truth = folder_of(Path(place), halves=halves)
            rows.append([name, *audited(Path(place), truth if halves else None)])
    head = [
        "GPT-2 small, 124 million weights", "audit and page (300 s)", "peak of memory (12 GiB)", "page",
        "AMI with the halves (0.95)", "verdict",
    ]  # fmt: skip
    write_section("Audit of GPT-2 small", table(head, rows))


if __name__ == "__main__":
    main()
