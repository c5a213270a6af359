"""The greatest threshold that holds, by trying a few."""

import numpy as np
import pytest
import torch

from bimt_train import prune
from bimt_train.checkpoints import Network
from bimt_train.models import MLP
from bimt_train.pruning._narrowing import narrowed


@pytest.mark.parametrize("few, reach", [(3, None), (1, None), (2, 4), (3, 1)])
def test_finds_the_last_that_holds_wherever_it_is(few: int, reach: int | None) -> None:
    for last in range(60):
        tried: list[int] = []

        def holds(places: list[int], last: int = last, tried: list[int] = tried) -> list[bool]:
            assert places == sorted(set(places)) and min(places) > 0 and max(places) < 60
            tried.extend(places)
            return [place <= last for place in places]

        assert narrowed(holds, 0, 60, few=few, reach=reach) == last
        assert len(tried) == len(set(tried)) <= 20


def test_near_the_start_reaching_ahead_tries_fewer() -> None:
    def tried(reach: int | None) -> int:
        count: list[int] = []
        narrowed(
            lambda places: [count.append(place) or place <= 105 for place in places], 100, 1000, few=2, reach=reach
        )
        return len(count)

    assert tried(4) < tried(None)


@pytest.mark.parametrize("steps", [0, 20])
def test_narrowing_finds_what_a_sweep_does(steps: int) -> None:
    network = Network.of(MLP([4, 12, 2], "silu", generator=torch.Generator().manual_seed(0)))
    random = np.random.default_rng(1)
    network = network.with_tensors({n: network.tensors[n] * 10.0 ** random.uniform(-2, 1, network.tensors[n].shape)
                                    for n in network.layout.weights()})  # fmt: skip
    x = random.normal(size=(80, 4))
    y = network.predict(x) + 0.1 * random.normal(size=(80, 2))
    sweep, quick = (prune(network, x, y, refit_steps=steps, search=search) for search in ("sweep", "narrowing"))
    losses = [point.loss for point in sweep.sweep]
    limit = 1.05 * sweep.full_loss
    held = [loss <= limit for loss in losses]
    assert held == sorted(held, reverse=True)  # here the loss rises with the threshold
    after = sweep.sweep[held.index(False)].threshold
    assert sweep.threshold * (1 - 1e-9) <= quick.threshold < after
    assert quick.loss <= limit * (1 + 1e-6) and quick.edges <= sweep.edges
    if steps:
        cut_alone = prune(network, x, y, refit_steps=0, search="narrowing")
        assert quick.threshold >= cut_alone.threshold and quick.refit_steps == steps
