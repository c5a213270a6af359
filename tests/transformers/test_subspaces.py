"""Which positions of a stream are joined: on networks made by hand."""

import numpy as np

from bimt_analyze.transformers import subspace_graph
from bimt_train.checkpoints import Network
from bimt_train.models import ProgramTransformer

Q, K, V = 0, 4, 8  # first rows of each in qkv, of two heads with two neurons each
HAND = {
    ("embedding.weight", (0, 0)): 1.0,  # the embedding writes 0, 1 and 2 ...
    ("embedding.weight", (1, 1)): 1.0,
    ("embedding.weight", (2, 2)): -3.0,
    ("parts.0.qkv.weight", (V + 0, 0)): 1.0,  # ... of which head 0 carries 0 and 1
    ("parts.0.qkv.weight", (V + 1, 1)): 1.0,
    ("parts.0.qkv.weight", (Q + 2, 2)): 1.0,  # head 1 asks with 2 and is asked with 3: two places
    ("parts.0.qkv.weight", (K + 2, 3)): 1.0,
    ("parts.0.out.weight", (4, 1)): 0.5,  # head 0 writes 4 and 5, by one neuron each
    ("parts.0.out.weight", (5, 0)): 1.0,
    ("parts.1.up.weight", (0, 5)): 1.0,  # one neuron reads 5 and writes 6 and 7
    ("parts.1.down.weight", (6, 0)): 1.0,
    ("parts.1.down.weight", (7, 0)): 1.0,
    ("write.weight", (0, 6)): 1.0,  # one output reads 6 and 7
    ("write.weight", (0, 7)): 2.0,
}


def together(threshold=0.0, factors=(1.0,) * 8):
    network = Network.of(ProgramTransformer(3, 2, 8, [(2, 2), (3,)], 2))
    tensors = {name: np.zeros(t.shape) for name, t in network.tensors.items()}
    for (name, place), value in HAND.items():
        tensors[name][place] = value * factors[sum(place) % 8]
    graph = subspace_graph(network.with_tensors(tensors), threshold=threshold)
    assert [node.key for node in graph.nodes] == [("resid", p) for p in range(8)]
    source, target, weight, _ = graph.edges
    return {(int(a), int(b)): float(w) for a, b, w in zip(source, target, weight, strict=True)}


def test_a_unit_gives_each_of_its_positions_one_in_all():
    expected = {(0, 1): 0.5 + 1.0, (0, 2): 0.5, (1, 2): 0.5, (4, 5): 1.0, (6, 7): 2.0}
    assert together() == expected


def test_scales_do_not_matter_and_small_weights_can_be_left_out():
    assert together(factors=(1.0, 9.0, 0.1, 5.0, 2.0, 0.3, 7.0, 1.0)) == together()
    assert together(threshold=0.6) == {pair: w for pair, w in together().items() if pair != (4, 5)}
