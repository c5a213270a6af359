"""A stack of transformers computes behind its last block what is read there, the last token, and gives the same."""

import pytest
import torch

from bimt_train.models import RowTransformer
from bimt_train.models.building_blocks._transformer_block import causal, of_last_token


@pytest.mark.parametrize("scale", [None, 0.7])
def test_the_last_token_attends_to_all_as_it_does_among_the_others(scale):
    q, k, v = torch.randn(3, 5, 2, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = of_last_token(q, k, v, scale)
    assert torch.allclose(found, causal(q, k, v, scale)[..., -1:, :], rtol=0, atol=1e-12)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_stack_gives_what_each_network_gives_alone_with_its_gradients(layers):
    models = [
        RowTransformer([0, 1, 0], 2, 12, 2, layers, 7, generator=torch.Generator().manual_seed(seed)).double()
        for seed in range(2)
    ]
    x = torch.randn(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    tensors = {
        name: torch.stack([model.get_parameter(name).detach() for model in models]).requires_grad_(True)
        for name, _ in models[0].named_parameters()
    }
    together, alone = (
        models[0].stacked_forward(tensors, x), torch.stack([m(rows) for m, rows in zip(models, x, strict=True)])
    )  # fmt: skip
    assert torch.allclose(together, alone, rtol=0, atol=1e-12)
    (together**2).sum().backward()
    (alone**2).sum().backward()
    for name, tensor in tensors.items():
        for seed, model in enumerate(models):
            assert tensor.grad is not None
            assert torch.allclose(tensor.grad[seed], model.get_parameter(name).grad, rtol=0, atol=1e-10)
