"""Where networks of tokens begin and end."""

from bimt_analyze.graph import neuron_graph, with_ends
from bimt_train.checkpoints import Network
from bimt_train.layouts import Layout, TensorSpec
from bimt_train.models import GPT, MLP, EmbeddingMLP, RowTransformer


def ends(module: object) -> tuple[str, str]:
    network = Network.of(module)
    found = with_ends(neuron_graph(network), network.layout)
    return found.inputs, found.outputs


def test_inputs_and_outputs_that_are_neurons_stay() -> None:
    assert ends(MLP([2, 3, 1], "silu")) == ("x", "y")


def test_tokens_begin_at_what_their_embedding_fills() -> None:
    assert ends(EmbeddingMLP(5, 2, 4, [6, 5], "silu")) == ("e", "y")
    assert ends(GPT(5, 4, 8, 2, 1, 6)) == ("resid", "y")


def test_numbers_at_places_begin_at_what_is_never_written() -> None:
    assert ends(RowTransformer([0, 1, 0], 1, 8, 2, 1, 6)) == ("kind", "y")


def test_a_stream_that_is_read_back_into_tokens_is_both() -> None:
    network = Network.of(GPT(5, 4, 8, 2, 1, 6))
    groups = tuple(group for group in network.layout.groups if group.name != "y")
    tensors = {n: s for n, s in network.layout.tensors.items() if "y" not in s.plan.groups}
    tensors["write.weight"] = TensorSpec("_ resid")
    layout = Layout(groups, tensors)
    graph = neuron_graph(network).without(["y"])
    found = with_ends(graph, layout)
    assert (found.inputs, found.outputs) == ("resid", "y")
    assert with_ends(type(graph)(graph.nodes, graph.edges), layout).outputs == "resid"


def test_of_two_groups_that_embeddings_fill_none_is_the_beginning() -> None:
    network = Network.of(EmbeddingMLP(5, 2, 4, [6, 5], "silu"))
    layout = Layout(network.layout.groups, {**network.layout.tensors, "other": TensorSpec("_ h1")}, outputs="y")
    found = with_ends(neuron_graph(network), layout)
    assert (found.inputs, found.outputs) == ("", "y")
