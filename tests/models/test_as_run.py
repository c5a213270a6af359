"""A module as it computes: weights that hooks make, half precision, several outputs; and the original as it was."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from bimt_train import InputError, verify
from bimt_train.checkpoints import from_module
from bimt_train.layouts import layout_for
from bimt_train.layouts._inputs import Inputs, first_tensor
from bimt_train.models.traced._as_run import as_run

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


def chain(make: Callable[[nn.Linear], object]) -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2))
    made = make(net[0])
    net[0] = made if isinstance(made, nn.Linear) else net[0]
    return net.eval()


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
        lambda layer: prune.random_unstructured(prune.l1_unstructured(layer, "weight", 0.3), "bias", 1),
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        parametrizations.orthogonal,
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
    ],
)
def test_weights_are_those_that_the_module_computes_with(make: Callable[[nn.Linear], object]) -> None:
    net = chain(make)
    right, effective, names = net(X).detach(), net[0].weight.detach().clone(), list(net.state_dict())
    found = as_run(net, Inputs.of(X))
    torch.testing.assert_close(found.module(X), right)
    assert set(found.module.state_dict()) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    torch.testing.assert_close(found.module.state_dict()["0.weight"], effective)
    assert found.said == ("weights: parametrisations, weight norms and masks of '0' are applied",)
    assert list(net.state_dict()) == names  # the original is as it was
    torch.testing.assert_close(net(X).detach(), right)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_becomes_single(dtype: torch.dtype) -> None:
    net = nn.Linear(3, 2).to(dtype)
    found = as_run(net, Inputs.of(X.to(dtype)))
    assert found.module.weight.dtype == torch.float32 and net.weight.dtype == dtype
    torch.testing.assert_close(found.module(X), X @ net.weight.float().T + net.bias.float())
    assert "half precision" in found.said[0]


def test_further_outputs_are_said_and_complex_numbers_refused() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"mean": x, "var": x.square()}

    assert as_run(Two(), Inputs.of(X)).said == (
        "outputs: the first of the 2 that the module returns (mean, var); output= chooses another",
    )
    module = nn.Linear(3, 2, dtype=torch.cfloat)
    with pytest.raises(InputError, match="complex numbers in a module: tensor 'weight'"):
        as_run(module, Inputs.of(X))


def test_a_dataclass_and_a_mapping_that_begins_with_none_have_a_first_tensor() -> None:
    @dataclass
    class Out:
        loss: Tensor | None
        logits: Tensor

    assert first_tensor(Out(None, X)) is X
    assert first_tensor({"loss": None, "logits": [X]}) is X
    assert first_tensor({"loss": None}) == {"loss": None}


def test_a_list_of_tensors_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"a list that is no table of numbers: x: got a list of 2, first Tensor; hint"):
        Inputs.of([X, X])


def test_one_number_a_row_without_an_axis_is_an_end_of_the_network() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(1, 4), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.two(torch.tanh(self.one(x[:, None]))).squeeze(-1)

    module = Flat()
    layout = from_module(module, X[:, 0], y=X[:, 1].tolist()).network.layout
    ends = layout.sizes[layout.inputs], layout.sizes[layout.outputs]
    assert ends == (1, 1) and layout.inputs != layout.outputs
    assert [layout.tensors[f"{name}.weight"].plan.groups for name in ("one", "two")] == [
        ("h1", layout.inputs), (layout.outputs, "h1"),
    ]  # fmt: skip


def test_a_pruned_module_has_a_layout_that_holds() -> None:
    net = chain(lambda layer: prune.l1_unstructured(layer, "weight", 0.5))
    net(X)
    layout = layout_for(net, X)
    verify(net, layout, X)
    assert layout.tensors["0.weight_orig"].pattern == layout.tensors["0.weight_mask"].pattern == "h1 x"


@pytest.mark.parametrize("numbers", [torch.arange(20).reshape(5, 4) % 3, X.new_ones(5, 4) * torch.arange(5)[:, None]])
def test_a_module_that_asks_for_single_precision_is_run_and_compared_in_double(numbers: Tensor) -> None:
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.read = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(self.read(x.float()))

    module = Careful()
    checkpoint = from_module(module, numbers)
    wanted = module(numbers).detach().numpy()
    assert abs(checkpoint.predict(checkpoint.network.rows(numbers)) - wanted).max() < 1e-5


def test_truth_values_are_no_outputs() -> None:
    class Decides(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) > 0

    with pytest.raises(InputError, match=r"outputs that are truth values: got torch\.bool; hint: .* before they are"):
        from_module(Decides(3, 2), X)
