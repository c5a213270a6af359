"""Attentions of Llama's family, whose neurons are whole heads, as seen from the residual stream."""

import numpy as np
import pytest
import torch

from bimt_analyze.transformers import alive, subspace_graph, virtual_graph
from bimt_analyze.transformers._residual_stream import residual_stream
from bimt_train.checkpoints import Network
from bimt_train.models import Llama

SIZES = {"tokens": 5, "context": 4, "width": 8, "heads": 4, "kv_heads": 2, "head_size": 2, "layers": 1, "hidden": 3}


@pytest.fixture
def network():
    return Network.of(Llama(**SIZES, generator=torch.Generator().manual_seed(0)))


def cut(network, **rows):
    """The network without these rows; names have __ for dots."""
    changes = {}
    for name, chosen in rows.items():
        tensor = network.tensors[name.replace("__", ".")].copy()
        tensor[chosen] = 0
        changes[name.replace("__", ".")] = tensor
    return network.with_tensors(changes)


def test_a_group_of_whole_heads_is_an_attention(network):
    attention, mlp = residual_stream(network).parts
    assert (attention.group, attention.heads, attention.head_size) == ("kv1", 2, 2)
    assert (mlp.group, mlp.heads, mlp.head_size) == ("m1", 0, 1)
    assert attention.reads.shape == (8, 2, 8) and attention.biases.shape == (8, 2)
    value = network.tensors["blocks.0.value.weight"].reshape(2, 2, 8)
    np.testing.assert_allclose(attention.reads[-2:], value.swapaxes(0, 1), atol=1e-7)


def test_heads_are_alive_by_their_values_and_attend_by_their_keys(network):
    found = alive(network)
    assert (found.heads, found.neurons) == (2, 3)
    first, second = slice(0, 2), slice(2, 4)
    assert alive(cut(network, blocks__0__value__weight=first)).parts[0].alive == (False, True)
    assert alive(cut(network, blocks__0__value__weight=slice(1, 2))).parts[0].alive == (True, True)
    bare = {"blocks__0__value__weight": first, "blocks__0__query__weight": slice(None)}
    assert alive(cut(network, **bare)).parts[0].alive == (False, True)
    assert alive(cut(network, blocks__0__out__weight=(slice(None), slice(4, 8)))).parts[0].alive == (True, False)
    averaging = alive(cut(network, blocks__0__key__weight=second)).parts[0]
    assert (averaging.alive, averaging.attending) == ((True, True), (True, False))
    no_bias = {"blocks__0__query__bias": slice(None)}
    silent = alive(cut(network, blocks__0__query__weight=slice(0, 4), **no_bias)).parts[0]
    assert (silent.alive, silent.attending) == ((True, True), (False, True))


def test_graphs_of_the_stream_have_a_node_a_head(network):
    graph = virtual_graph(network)
    assert [node.label for node in graph.nodes[:3]] == ["kv1.0", "kv1.1", "m1.0"]
    assert len(subspace_graph(network).nodes) == 8
