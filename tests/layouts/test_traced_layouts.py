"""Layouts of modules of no known family: traced, certified, and with all neurons that can move."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bimt_train import InputError, LayoutError, verify
from bimt_train.layouts import layout_for


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


class Module(nn.Module):
    """Parts by name, and a function of the module and its inputs."""

    def __init__(self, run: Callable[..., Tensor], /, **parts: Any) -> None:
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.run(self, *inputs)


@dataclass(frozen=True)
class Example:
    """A module, its inputs, patterns of its tensors, and (size, heads) of all groups that can move."""

    module: Callable[[], nn.Module]
    inputs: tuple[Tensor, ...]
    patterns: dict[str, str]
    moving: dict[str, tuple[int, int]]


def attention(module: Any, x: Tensor, *, turned: bool = False) -> Tensor:
    q, k, v = (layer(x).unflatten(-1, (2, 4)).transpose(1, 2) for layer in (module.q, module.k, module.v))
    if turned:
        angle = torch.arange(x.shape[1])[:, None] * torch.tensor([1.0, 0.3, 1.0, 0.3])
        q, k = (t * angle.cos().to(x) + torch.cat([-t[..., 2:], t[..., :2]], -1) * angle.sin().to(x) for t in (q, k))
    return module.o(((q @ k.mT).softmax(-1) @ v).transpose(1, 2).flatten(2))


def projections() -> dict[str, nn.Module]:
    return {name: nn.Linear(5, 8, bias=False) for name in "qkv"} | {"o": nn.Linear(8, 3)}


EXAMPLES = {
    "gated": Example(
        lambda: Module(
            lambda m, x: m.down(torch.sigmoid(m.gate(x)) * m.up(x)),
            gate=nn.Linear(4, 6),
            up=nn.Linear(4, 6),
            down=nn.Linear(6, 3),
        ),
        (drawn(5, 4),),
        {"gate.weight": "h1 x", "up.bias": "h1", "down.weight": "y h1"},
        {"x": (4, 1), "h1": (6, 1), "y": (3, 1)},
    ),
    "halves of one tensor": Example(
        lambda: Module(lambda m, x: m.b(nn.functional.glu(m.a(x), -1)), a=nn.Linear(4, 10), b=nn.Linear(5, 3)),
        (drawn(5, 4),),
        {"a.weight": "(2 h1) x", "a.bias": "(2 h1)", "b.weight": "y h1"},
        {"x": (4, 1), "h1": (5, 1), "y": (3, 1)},
    ),
    "flattened channels": Example(
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
        ),
        (drawn(2, 2, 6, 6),),
        {"0.weight": "h1 x _ _", "1.running_var": "h1", "1.num_batches_tracked": "", "5.weight": "y (h1 4)"},
        {"h1": (3, 1), "y": (2, 1)},
    ),
    "skipped and upsampled channels": Example(
        lambda: Module(
            lambda m, x: m.out(torch.cat([m.a(x), m.up(m.b(m.a(x)))], 1)),
            a=nn.Conv2d(2, 4, 1),
            b=nn.Conv2d(4, 3, 2, 2),
            up=nn.ConvTranspose2d(3, 4, 2, 2),
            out=nn.Conv2d(8, 2, 1),
        ),
        (drawn(2, 2, 4, 4),),
        {"b.weight": "h2 h1 _ _", "out.weight": "y (2 h1) _ _"},
        {"h1": (4, 1), "h2": (3, 1)},
    ),
    "recurrent": Example(
        lambda: nn.LSTM(3, 5, batch_first=True),
        (drawn(2, 3, 3),),
        {"weight_ih_l0": "(4 y) x", "weight_hh_l0": "(4 y) y", "bias_hh_l0": "(4 y)"},
        {"x": (3, 1), "y": (5, 1)},
    ),
    "heads": Example(
        lambda: Module(attention, **projections()),
        (drawn(2, 3, 5),),
        {"q.weight": "a1 x", "k.weight": "a1 x", "v.weight": "a1 x", "o.weight": "y a1"},
        {"x": (5, 1), "a1": (8, 2), "y": (3, 1)},
    ),
    "heads whose entries are turned in pairs": Example(
        lambda: Module(lambda m, x: attention(m, x, turned=True), **projections()),
        (drawn(2, 3, 5),),
        {"q.weight": "(h1 4) x", "v.weight": "(h1 4) x", "o.weight": "y (h1 4)"},
        {"x": (5, 1), "h1": (2, 1), "y": (3, 1)},
    ),
    "one stream at both ends": Example(
        lambda: Module(
            lambda m, x: x + m.down(torch.relu(m.up(m.norm(x)))),
            norm=nn.LayerNorm(5),
            up=nn.Linear(5, 7),
            down=nn.Linear(7, 5),
        ),
        (drawn(4, 5),),
        {"norm.weight": "resid", "up.weight": "h1 resid", "down.weight": "resid h1"},
        {"resid": (5, 1), "h1": (7, 1)},
    ),
    "matrices [in, out]": Example(
        lambda: Module(
            lambda m, x: torch.sin(x @ m.a) @ m.b,
            a=nn.Parameter(drawn(4, 6)),
            b=nn.Parameter(drawn(6, 1)),
        ),
        (drawn(5, 4),),
        {"a": "x -> h1", "b": "h1 -> y"},
        {"x": (4, 1), "h1": (6, 1), "y": (1, 1)},
    ),
    "a constant that differs": Example(
        lambda: Module(
            lambda m, x: m.c(torch.relu(m.b(m.a(x) * torch.arange(5).to(x)))),
            a=nn.Linear(4, 5),
            b=nn.Linear(5, 6),
            c=nn.Linear(6, 2),
        ),
        (drawn(5, 4),),
        {"a.weight": "f1 x", "b.weight": "h1 f1", "c.weight": "y h1"},
        {"x": (4, 1), "h1": (6, 1), "y": (2, 1)},
    ),
    "tokens": Example(
        lambda: Module(
            lambda m, ids: (m.table(ids) + m.place[: ids.shape[1]]).flatten(1) @ m.out,
            table=nn.Embedding(7, 4),
            place=nn.Parameter(drawn(5, 4)),
            out=nn.Parameter(drawn(12, 2)),
        ),
        (torch.tensor([[0, 3, 6], [5, 5, 1]]),),
        {"table.weight": "_ h1", "place": "_ h1", "out": "(3 h1) -> y"},
        {"h1": (4, 1), "y": (2, 1)},
    ),
    "two inputs": Example(
        lambda: Module(lambda m, a, b: m.out(torch.tanh(m.pair(a, b))), pair=nn.Bilinear(3, 4, 5), out=nn.Linear(5, 2)),
        (drawn(6, 3), drawn(6, 4)),
        {"pair.weight": "h1 x _", "out.weight": "y h1"},
        {"x": (3, 1), "h1": (5, 1), "y": (2, 1)},
    ),
    "channels in blocks": Example(
        lambda: nn.Sequential(nn.Linear(4, 6), nn.GroupNorm(2, 6), nn.Linear(6, 2)),
        (drawn(5, 4),),
        {"0.weight": "a1 x", "1.weight": "a1", "2.weight": "y a1"},
        {"x": (4, 1), "a1": (6, 2), "y": (2, 1)},
    ),
    "chosen entries": Example(
        lambda: Module(lambda m, x: m.b(m.a(x)[:, :3]), a=nn.Linear(4, 5), b=nn.Linear(3, 2)),
        (drawn(5, 4),),
        {"b.weight": "y f2", "a.weight": "f1 x"},
        {"x": (4, 1), "y": (2, 1)},
    ),
    "one entry apart": Example(
        lambda: Module(lambda m, x: m.b(m.a(x)) * m.a(x)[:, :1], a=nn.Linear(4, 5), b=nn.Linear(5, 2)),
        (drawn(5, 4),),
        {"a.weight": "f1 x", "b.weight": "y f1"},
        {"x": (4, 1), "y": (2, 1)},
    ),
    "keys that two heads share": Example(
        lambda: Module(
            lambda m, x: m.o(
                nn.functional.scaled_dot_product_attention(
                    *(getattr(m, n)(x).unflatten(-1, (-1, 3)).transpose(1, 2) for n in "qkv"), enable_gqa=True
                )
                .transpose(1, 2)
                .flatten(2)
            ),
            q=nn.Linear(5, 12),
            k=nn.Linear(5, 6),
            v=nn.Linear(5, 6),
            o=nn.Linear(12, 2),
        ),
        (drawn(2, 4, 5),),
        {"q.weight": "(h1 6) x", "k.weight": "(h1 3) x", "v.bias": "(h1 3)", "o.weight": "y (h1 6)"},
        {"x": (5, 1), "h1": (2, 1), "y": (2, 1)},
    ),
    "three axes of neurons": Example(
        lambda: Module(
            lambda m, x: m.out(torch.tanh(m.pair(m.a(x), x))),
            a=nn.Linear(4, 6),
            pair=nn.Bilinear(6, 4, 5),
            out=nn.Linear(5, 2),
        ),
        (drawn(6, 4),),
        {"a.weight": "h1 x", "pair.weight": "_ h1 x", "out.weight": "y f1"},
        {"x": (4, 1), "h1": (6, 1), "y": (2, 1)},
    ),
    "sums of messages along edges": Example(
        lambda: Module(
            lambda m, x, edges: m.b(m.a(x).index_add(0, edges[1], m.a(x)[edges[0]])),
            a=nn.Linear(4, 5),
            b=nn.Linear(5, 2),
        ),
        (drawn(3, 4), torch.tensor([[0, 1], [1, 2]])),
        {"a.weight": "h1 x", "b.weight": "y h1"},
        {"x": (4, 1), "h1": (5, 1), "y": (2, 1)},
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_modules_are_traced_with_all_that_can_move_and_certified(name: str) -> None:
    example = EXAMPLES[name]
    module = example.module()
    layout = layout_for(module, *example.inputs)
    found = {tensor: layout.tensors[tensor].pattern for tensor in example.patterns}
    assert found == example.patterns
    assert {g.name: (g.size, g.heads) for g in layout.groups if g.movable} == example.moving
    verify(module, layout, example.inputs if len(example.inputs) > 1 else example.inputs[0])


def test_a_traced_chain_equals_that_of_its_family() -> None:
    module = nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 2))
    assert layout_for(module, drawn(4, 3)) == layout_for(module)


def test_norms_pay_nothing_and_tokens_pay_by_the_entry() -> None:
    module = nn.Sequential(nn.Embedding(7, 4), nn.RMSNorm(4), nn.Linear(4, 3))
    layout = layout_for(module, torch.tensor([[1, 2]]))
    assert [layout.tensors[name].role for name in ("0.weight", "1.weight", "2.weight")] == [
        "embedding",
        "norm",
        "weight",
    ]


def test_a_tied_tensor_is_declared_once() -> None:
    table = nn.Embedding(7, 4)
    module = Module(lambda m, ids: m.out(m.table(ids)), table=table, out=nn.Linear(4, 7, bias=False))
    module.out.weight = table.weight
    ids = torch.tensor([[1, 2]])
    layout = layout_for(module, ids)
    assert {name: spec.pattern for name, spec in layout.tensors.items()} == {"table.weight": "_ h1"}
    verify(module, layout, ids)


class Shifted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 2)

    def forward(self, rows: Tensor, *, shift: Tensor) -> Tensor:
        return self.a(rows) + shift


def test_inputs_by_name() -> None:
    given = {"rows": drawn(5, 4), "shift": drawn(5, 1)}
    module = Shifted()
    layout = layout_for(module, given)
    assert layout.inputs == "x"
    assert set(verify(module, layout, given).deviations) == {"x", "y"}


def test_a_program_that_depends_on_numbers_is_recorded() -> None:
    def run(module: Any, x: Tensor) -> Tensor:
        h = torch.zeros_like(x)
        for number, layer in enumerate((module.a, module.b)):
            rows = ((x.sum(1) > 0).long() == number).nonzero()[:, 0]
            if len(rows):
                h.index_add_(0, rows, layer(x[rows]))
        return module.c(h)

    module = Module(run, a=nn.Linear(4, 4), b=nn.Linear(4, 4), c=nn.Linear(4, 2))
    rows = torch.cat([torch.ones(2, 4), -torch.ones(2, 4)]) + drawn(4, 4) / 10
    layout = layout_for(module, rows)
    assert [layout.tensors[f"{name}.weight"].pattern for name in "abc"] == ["h1 x", "h1 x", "y h1"]
    verify(module, layout, rows)
    with pytest.raises(LayoutError, match=r"no operator reads .*'a\.weight'.*give example inputs that reach"):
        layout_for(module, rows[:2].abs())


def test_an_operator_without_a_rule_is_named_with_its_line() -> None:
    module = Module(lambda m, x: m.b(torch.fft.rfft(m.a(x)).abs()), a=nn.Linear(4, 8), b=nn.Linear(5, 2))
    with pytest.raises(
        LayoutError, match=r"no rule for an operator: test_traced_layouts\.py, line \d+.*aten\._fft_r2c"
    ):
        layout_for(module, drawn(3, 4))


def test_a_module_in_which_nothing_can_move_is_refused() -> None:
    with pytest.raises(LayoutError, match="no neurons that can be moved: module Embedding"):
        layout_for(nn.Embedding(7, 1), torch.tensor([[1, 2]]))


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be run on the example inputs: got mat1 and mat2"):
        layout_for(nn.Linear(4, 2), drawn(3, 5))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Module(lambda m, x: m.b(torch.relu(m.a(x))), a=nn.Linear(4, 5), b=nn.Linear(5, 2)),
        lambda: nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)),
        lambda: Module(lambda m, x: m.b(m.a(x)[0]), a=nn.GRU(4, 5, batch_first=True), b=nn.Linear(5, 2)),
    ],
)
def test_inputs_of_a_first_layer_of_known_width_are_found(make: Callable[[], nn.Module]) -> None:
    assert dict(layout_for(make()).sizes) == {"x": 4, "h1": 5, "y": 2}


def test_tracing_leaves_the_module_alone() -> None:
    module = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    layout_for(module, drawn(3, 4))
    assert module.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
