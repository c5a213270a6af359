"""Modules of several inputs, and of layers side by side: each neuron is where the module has it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import networkx as nx
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bimt_analyze import analyze
from bimt_analyze.graph import neuron_graph
from bimt_train import verify
from bimt_train.checkpoints import Network, from_module, load_checkpoint, save_checkpoint
from bimt_train.layouts import layout_for
from bimt_train.models.traced._trace_module import trace_module


class Module(nn.Module):
    """Parts by name, and a function of the module and its inputs."""

    def __init__(self, run: Callable[..., Tensor], /, **parts: nn.Module) -> None:
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.run(self, a, b)


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@dataclass(frozen=True)
class Case:
    """A module, a row of its inputs, and the patterns of its weights."""

    module: Callable[[], nn.Module]
    inputs: tuple[Tensor, ...]
    patterns: dict[str, str]
    row: str = ""


def halves(module: nn.Module, h: Tensor) -> list[tuple[nn.Module, Tensor]]:
    return list(zip((module.f, module.g), h.chunk(2, -1), strict=True))


def tower(*widths: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(widths[0], widths[1]), nn.Tanh(), nn.Linear(widths[1], widths[2]))


CASES = {
    "two towers, their outputs side by side": Case(
        lambda: Module(lambda m, a, b: torch.cat([m.f(a), m.g(b)], -1), f=tower(2, 4, 1), g=tower(3, 4, 1)),
        (drawn(9, 2), drawn(9, 3)),
        {"f.0.weight": "h1 x[0:2]", "f.2.weight": "y[0:1] h1", "g.0.weight": "h2 x[2:5]", "g.2.weight": "y[1:2] h2"},
    ),
    "inputs side by side, as wide as each other": Case(
        lambda: Module(lambda m, a, b: m.f(torch.cat([b, a], -1)), f=tower(4, 4, 2)),
        (drawn(9, 2), drawn(9, 2)),
        {"f.0.weight.0": "h1 x[2:4]", "f.0.weight.1": "h1 x[0:2]", "f.2.weight": "y h1"},
    ),
    "hidden layers side by side": Case(
        lambda: Module(
            lambda m, a, b: m.out(torch.tanh(torch.cat([m.f(a), m.g(b)], -1))),
            f=nn.Linear(2, 4), g=nn.Linear(3, 5), out=nn.Linear(9, 2),
        ),
        (drawn(9, 2), drawn(9, 3)),
        {"f.weight": "h1 x[0:2]", "g.weight": "h2 x[2:5]", "out.weight.0": "y h1", "out.weight.1": "y h2"},
    ),
    "a layer of which two others read a half each": Case(
        lambda: Module(
            lambda m, a, b: torch.cat([g(h) for g, h in halves(m, torch.tanh(m.both(a * b)))], -1),
            both=nn.Linear(3, 8), f=nn.Linear(4, 1), g=nn.Linear(4, 1),
        ),
        (drawn(9, 3), drawn(9, 1)),
        {"both.weight.0": "h1 x", "both.weight.1": "h2 x", "f.weight": "y[0:1] h1", "g.weight": "y[1:2] h2"},
        "x 1",
    ),
    "an image and numbers": Case(
        lambda: Module(
            lambda m, a, b: m.out(torch.tanh(m.see(a)).mean((2, 3)) * m.g(b)),
            see=nn.Conv2d(2, 4, 3), g=nn.Linear(3, 4), out=nn.Linear(4, 2),
        ),
        (drawn(9, 2, 4, 4), drawn(9, 3)),
        {"see.weight": "h1 x[0:2] _ _", "g.weight": "h1 x[2:5]", "out.weight": "y h1"},
        "(16 x[0:2]) x[2:5]",
    ),
    "tokens and numbers": Case(
        lambda: Module(
            lambda m, a, b: m.out(torch.tanh(m.table(a) + m.g(b))),
            table=nn.Embedding(7, 4), g=nn.Linear(3, 4), out=nn.Linear(4, 2),
        ),
        (torch.arange(9) % 7, drawn(9, 3)),
        {"table.weight": "_ h1", "g.weight": "h1 x", "out.weight": "y h1"},
        "1 x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_inputs_and_layers_side_by_side_are_traced_and_certified(name: str) -> None:
    case = CASES[name]
    module = case.module()
    network = Network.of(module, example_inputs=case.inputs)
    layout, rows = network.layout, network.rows(case.inputs)
    assert {n: spec.pattern for n, spec in layout.tensors.items() if n in case.patterns} == case.patterns
    assert set(layout.weights()) <= set(case.patterns)
    assert layout.row == case.row and layout.columns == rows.shape[1]
    with torch.no_grad():
        wanted = module.double()(*(t.double() if t.is_floating_point() else t for t in case.inputs))
    np.testing.assert_allclose(network.predict(rows), wanted, atol=1e-9)
    verify(network.module(), layout, torch.tensor(rows))
    assert neuron_graph(network, weights="attribution", x=rows).has_ends


@pytest.mark.parametrize("name", [name for name in CASES if "half" not in name and "tokens" not in name])
def test_a_path_leads_from_an_input_to_an_output_where_the_module_has_a_slope(name: str) -> None:
    case = CASES[name]
    network = Network.of(case.module(), example_inputs=case.inputs)
    rng, tensors = np.random.default_rng(0), dict(network.tensors)
    for weight in network.layout.weights():  # so that few paths are left
        tensors[weight] = np.where(rng.random(tensors[weight].shape) < 0.45, tensors[weight], 0)
    thin = network.with_tensors(tensors)
    x = torch.tensor(thin.rows(case.inputs), requires_grad=True)
    module = thin.module().double()
    slopes = np.array([np.abs(torch.autograd.grad(module(x)[:, k].sum(), x)[0].numpy()).max(0) for k in range(2)])
    graph = neuron_graph(thin)
    paths = nx.DiGraph()
    paths.add_nodes_from(node.key for node in graph.nodes)
    paths.add_edges_from(
        (graph.nodes[s].key, graph.nodes[t].key) for s, t in zip(graph.edges.source, graph.edges.target, strict=True)
    )
    columns = np.array(thin.layout.input_neurons)
    found = np.array([[slopes[k, columns == j].max() > 0 for j in range(columns.max() + 1)] for k in range(2)])
    for k, j in product(*map(range, found.shape)):
        assert found[k, j] == nx.has_path(paths, ("x", j), ("y", k)), (k, j)
    assert 0 < found.sum() < found.size


def test_modules_of_two_inputs_are_named_in_the_report_and_in_the_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    module = CASES["two towers, their outputs side by side"].module()
    a, b = drawn(80, 2), drawn(80, 3)
    checkpoint = from_module(module, {"b": b, "a": a})
    assert checkpoint.task.inputs == ("b1", "b2", "b3", "a1", "a2")
    save_checkpoint(tmp_path / "two.safetensors", checkpoint)
    report = analyze(load_checkpoint(tmp_path / "two.safetensors"), time_limit=0, refit_steps=0)
    assert [str(m) for m in report.modules] == ["{a1, a2 -> y1}", "{b1, b2, b3 -> y2}"]
    structure = report.to_json()["structure"]
    assert sorted(structure["input_groups"]) == [["a1", "a2"], ["b1", "b2", "b3"]]
    assert structure["output_groups"] == [["y1"], ["y2"]] and structure["unused"] == []


class Reused(nn.Module):
    """One module that is called at several places, each of which reads what those before it gave."""

    def __init__(self, reads: tuple[int, ...]) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
        self.places = nn.ModuleList(nn.Linear(many, 1) for many in reads)
        self.out = nn.Linear(3 + len(reads), 2)

    def forward(self, x: Tensor) -> Tensor:
        for place in self.places:
            x = torch.cat([x, self.inner(place(x[..., : place.in_features]))], dim=-1)
        return self.out(x)


@pytest.mark.parametrize("reads", [(3, 3, 3), (3, 4, 5)])
def test_what_one_module_gives_at_several_places_is_not_exchanged(reads: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    module, x = Reused(reads).double(), torch.randn(6, 3, dtype=torch.float64)
    assert verify(module, layout_for(module, x), x)
    traced = trace_module(module, x)
    torch.testing.assert_close(traced.module(x), module(x))
