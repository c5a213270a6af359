"""One relocation of a 784-100-100-10 net in two dimensions, with drawn and with sparse weights."""

import itertools
import time

import numpy as np
from _measure import no_options, table, write_section

from bimt_train import ConnectionCost, relocate
from bimt_train.layouts import Group, Layout, Placement, linear


def main() -> None:
    no_options(__doc__)
    groups = [Group.grid("x", 784, movable=False), Group.grid("h1", 100), Group.grid("h2", 100), Group.ring("y", 10)]
    pairs = list(itertools.pairwise(groups))
    layout = Layout.merge(*(linear(f"l{i}", source=a, target=b) for i, (a, b) in enumerate(pairs)))
    cost = ConnectionCost(l0=0.5, scale=2.0, reduction="mean", without_distance=frozenset({"l2.weight"}))
    rows = []
    for kept in (1.0, 0.05):
        spent = []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            tensors = {}
            for i, (a, b) in enumerate(pairs):
                tensors[f"l{i}.weight"] = rng.normal(size=(b.size, a.size)) * (rng.random((b.size, a.size)) < kept)
                tensors[f"l{i}.bias"] = rng.normal(size=b.size)
            began = time.perf_counter()
            relocate(layout, Placement.identity(layout), tensors, cost)
            spent.append(1000 * (time.perf_counter() - began))
        rows.append([f"{kept:.0%}", f"{np.median(spent):.0f} ms", f"{max(spent):.0f} ms", "50 ms"])
    write_section("Relocation", table(["weights kept", "median of 20", "worst", "target"], rows))


if __name__ == "__main__":
    main()
