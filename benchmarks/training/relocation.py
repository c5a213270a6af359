"""One relocation of a 784-100-100-10 net in two dimensions, and of transformers of GPT-2 small's size."""

import itertools
import time

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.common._measure import no_options, table, write_section
from bimt_train import ConnectionCost, relocate
from bimt_train.layouts import Group, Layout, Placement, distances, linear
from bimt_train.layouts.fold import fold, spread
from bimt_train.models import MODELS, ModelSpec
from bimt_train.models.from_spec import build_model


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
    small = table(["weights kept", "median of 20", "worst", "target"], rows)
    write_section("Relocation", [*small, "", "GPT-2 small, 85 million weights between neurons:", "", *gpt2_small()])


def gpt2_small() -> list[str]:
    """Seconds until relocation ends, and how far the group that is assigned last but one is from its exact optimum."""
    block = {"width": 768, "heads": 12, "layers": 12, "hidden": [3072] * 12, "head_size": 64, "activation": "gelu_tanh"}
    options = {"tokens": 7, "context": 8, **block, "scale": 0.125, "epsilon": 1e-5}
    layout = build_model(ModelSpec("gpt", options)).layout()
    shapes = dict(MODELS["gpt"].options.model_validate(options).shapes())
    cost, rows = ConnectionCost(), []
    for kind in ("drawn", "halves planted", "2 % of the weights"):
        rng, tensors = np.random.default_rng(0), {}
        halves = {group.name: rng.permutation(group.size) % 2 for group in layout.groups}
        for name in layout.weights():
            plan = layout.tensors[name].plan
            weights = rng.standard_normal(shapes[name], dtype=np.float32)
            if kind == "halves planted":
                target, source = (halves[group] for group in plan.groups)
                weights *= spread((target[:, None] == source).astype(np.float32), plan, shapes[name], layout.sizes)
            elif kind != "drawn":
                weights *= rng.random(shapes[name], dtype=np.float32) < 0.02
            tensors[name] = weights
        tensors = {name: tensors.get(name, np.zeros(shapes[name], np.float32)) for name in layout.tensors}
        start = Placement.identity(layout)
        began = time.perf_counter()
        moved = relocate(layout, start, tensors, cost)
        seconds = time.perf_counter() - began
        before, after = (cost.value(layout, placement, tensors, biases=False) for placement in (start, moved))
        rows.append(
            [kind, f"{seconds:.0f} s", "20 s", f"{1 - after / before:.2%}", f"{_gap(layout, moved, tensors, cost):.3%}"]
        )
    return table(["weights", "one relocation", "target", "cost saved", "m6 above its exact optimum (1 %)"], rows)


def _gap(layout: Layout, placement: Placement, tensors: dict[str, np.ndarray], cost: ConnectionCost) -> float:
    """How much more the 3,072 neurons of one MLP cost than at their best slots, the others staying."""
    group, paid = layout.group("m6"), np.zeros((3072, 3072))
    for name in layout.touching("m6"):
        plan = layout.tensors[name].plan
        if len(plan.groups) == 2:
            mass = fold(np.abs(tensors[name]).astype(np.float64), plan, layout.sizes)
            mass, other = (mass, plan.groups[1]) if plan.groups[0] == "m6" else (mass.T, plan.groups[0])
            paid += mass @ (distances(placement.coordinates(layout, other), group.coordinates) + cost.l0)
    rows, slots = np.arange(3072), np.array(placement.slots["m6"])
    return float(paid[rows, slots].sum() / paid[linear_sum_assignment(paid)].sum() - 1)


if __name__ == "__main__":
    main()
