"""Networks of every kind that is taken apart, thinned so that some inputs and neurons are dead."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch

from bimt_train.checkpoints import Network
from bimt_train.models import MLP, RNN, EmbeddingMLP, GatedMLP, ImageMLP


def thinned(module: torch.nn.Module, keep: float, seed: int = 0) -> Network:
    """A network of which most weights are cut, and two inputs read by nothing."""
    network, draws = Network.of(module), np.random.default_rng(seed)
    cut = {name: draws.random(network.tensors[name].shape) < keep for name in network.layout.weights()}
    for name, mask in cut.items():
        if network.layout.tensors[name].plan.groups[1] == network.layout.inputs:
            mask[:, [0, 3]] = False
    return network.with_tensors({name: network.tensors[name] * mask for name, mask in cut.items()})


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _numbers(columns: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(70, columns)) * 2


CASES: Mapping[str, tuple[Network, np.ndarray]] = MappingProxyType(
    {
        "mlp": (thinned(MLP([9, 20, 8, 3], "silu", generator=_generator()), 0.3), _numbers(9)),
        "mlp with an end": (
            thinned(MLP([9, 12, 3], "tanh", final="sigmoid", generator=_generator()), 0.4),
            _numbers(9),
        ),
        "image mlp": (thinned(ImageMLP([300, 30, 5], [15, 20], "relu", generator=_generator()), 0.05), _numbers(300)),
        "gated mlp": (thinned(GatedMLP([9, 12, 7, 3], generator=_generator()), 0.3), _numbers(9)),
        "rnn": (thinned(RNN(5, 4, 10, 2, generator=_generator()), 0.4), _numbers(20)),
        "embedding mlp": (
            thinned(EmbeddingMLP(11, 2, 6, [8, 5], generator=_generator()), 0.4),
            np.random.default_rng(1).integers(0, 11, size=(70, 2)).astype(float),
        ),
    }
)
