"""Modules of one's own over a seed axis: on threads, without vmap's rules, and what cannot be trained so."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import InputError, Recipe, train
from bimt_train.layouts import layout_for
from bimt_train.models import MODELS, Ends, ModelOptions, ModelSpec
from bimt_train.tasks import formula_task
from bimt_train.training._seeds_side_by_side import check_trainable
from bimt_train.training._stack import Stack


class Recurrent(nn.Module):
    """Reads the columns one after the other; vmap has no rule for its layer."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.write = nn.GRU(1, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, x):
        return self.write(self.read(x[..., None])[0][:, -1])


class PlainOptions(ModelOptions):
    """Options that declare the tensors of a `Recurrent`, but for those that are forgotten."""

    forgotten: int = 0

    def shapes(self):
        with torch.device("meta"):
            shapes = {name: tuple(p.shape) for name, p in Recurrent().named_parameters()}
        yield from list(shapes.items())[self.forgotten :]

    @property
    def ends(self):
        return Ends(inputs=2, outputs=1)

    @classmethod
    def for_task(cls, ends, hidden=()):
        return cls()

    @classmethod
    def example(cls):
        return cls()


class Plain(Recurrent):
    """A module as people write it: its layers draw from torch's own state."""

    def __init__(self, forgotten=0, *, generator=None):
        super().__init__()
        self.forgotten = forgotten

    @property
    def spec(self):
        return ModelSpec("plain", {"forgotten": self.forgotten})

    def layout(self, *, input_labels=(), output_labels=(), movable_ends=True):
        return layout_for(self, torch.zeros(2, 2))


@pytest.fixture
def plain_task():
    MODELS.register("plain", label="plain", sentence="A GRU.", options=PlainOptions)(Plain)
    yield lambda forgotten: replace(
        formula_task(["y = x1*x2"], rows=(20, 20)), model=ModelSpec("plain", {"forgotten": forgotten})
    )
    MODELS._found.pop("plain")


def test_a_seed_is_the_same_network_alone_though_its_layers_draw_from_torchs_own_state(plain_task):
    recipe = Recipe(steps=3, lr=1e-2)
    two = train(plain_task(0), seeds=2, recipe=recipe).runs
    torch.rand(1)
    state = torch.get_rng_state()
    alone = train(plain_task(0), seeds=[1], recipe=recipe).runs[0]
    networks = [run.checkpoint.network.tensors for run in (*two, alone)]
    assert all(np.array_equal(networks[1][name], networks[2][name]) for name in networks[1])
    assert not np.array_equal(networks[0]["write.weight"], networks[1]["write.weight"])
    assert torch.equal(state, torch.get_rng_state())


def test_tensors_that_the_options_do_not_declare_are_told_before_training(plain_task):
    with pytest.raises(InputError, match=r"'plain' is made of.*'read\.weight_ih_l0'.*name every"):
        train(plain_task(1), seeds=2, recipe=Recipe(steps=3, lr=1e-2))


class OnlyInTraining(nn.Module):
    def forward(self, x):
        return 2 * x if self.training else x


def test_a_module_runs_on_several_threads_at_once():
    """Each call swaps its weights into a module; two calls must not meet in one."""
    meeting = threading.Barrier(1)

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(3))

        def forward(self, x):
            meeting.wait(30)
            return x * self.gain

        def __deepcopy__(self, memo):
            return Scaled()  # a barrier cannot be copied

    stack = Stack.of(Scaled(), torch.ones(2, 3))
    meeting = threading.Barrier(2)
    gains, x = torch.arange(12.0).reshape(4, 3), torch.ones(2, 5, 3)
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(lambda own: stack.forward({"gain": own}, x), gains.split(2))
    assert torch.equal(torch.cat(list(halves)), gains[:, None].expand(4, 5, 3))


def test_without_a_rule_seeds_come_one_after_the_other_with_their_own_weights_and_rows():
    modules, x = [Recurrent() for _ in range(3)], torch.randn(3, 5, 2)
    stack = Stack.of(modules[0], x[0])
    flat = stack.pack([{name: p.detach() for name, p in module.named_parameters()} for module in modules])
    outputs = stack.forward(stack.unpack(flat.requires_grad_()), x)
    (gradient,) = torch.autograd.grad(outputs.square().sum(), flat)
    for seed, module in enumerate(modules):
        alone = module(x[seed])
        np.testing.assert_allclose(outputs[seed].detach(), alone.detach(), atol=1e-6)
        alone.square().sum().backward()
        theirs = stack.unpack(gradient)["read.weight_hh_l0"][seed]
        np.testing.assert_allclose(theirs, module.read.weight_hh_l0.grad, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nn.Dropout(0.3), "draws random numbers while it is trained: 1: "),
        (nn.BatchNorm1d(4), "changes its buffers while it is trained: 1.running_mean"),
        (nn.BatchNorm1d(4, momentum=0.0), "changes its buffers while it is trained: 1.num_batches_tracked"),
        (nn.RReLU(), "draws random numbers while it is trained"),
        (OnlyInTraining(), "computes otherwise while it is trained"),
    ],
)
def test_what_cannot_be_repeated_is_refused_by_name(layer: nn.Module, said: str):
    module, x = nn.Sequential(nn.Linear(2, 4), layer, nn.Linear(4, 1)), torch.randn(2, 2)
    state = torch.get_rng_state()
    with pytest.raises(InputError, match=f"{said}.*Penalty"):
        check_trainable(module, x)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    "layer", [nn.Dropout(0.0), nn.LayerNorm(4), nn.BatchNorm1d(4, track_running_stats=False), nn.GELU()]
)
def test_what_can_be_repeated_is_taken(layer: nn.Module):
    check_trainable(nn.Sequential(nn.Linear(2, 4), layer, nn.Linear(4, 1)).eval(), torch.randn(2, 2))
