"""Images and sequences that are flattened beside something else: channels, hidden neurons and inputs are told apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bimt_train.checkpoints import from_module

Parts = Callable[["Beside", Tensor, Tensor], list[Tensor]]
DRAW = torch.Generator().manual_seed(0)
IMAGES, VECTORS = torch.randn(12, 1, 5, 5, generator=DRAW), torch.randn(12, 3, generator=DRAW)
TOKENS = torch.arange(12) % 4


class Beside(nn.Module):
    """Reads several things side by side, behind layers of their own."""

    def __init__(self, wide: int, parts: Parts) -> None:
        super().__init__()
        self.image, self.other, self.vector = nn.Conv2d(1, 4, 3), nn.Conv2d(1, 6, 3), nn.Linear(3, 5)
        self.token, self.parts = nn.Embedding(4, 5), parts
        self.join, self.out = nn.Linear(wide, 10), nn.Linear(10, 2)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.out(torch.relu(self.join(torch.cat(self.parts(self, a, b), dim=1))))


def seen(layer: nn.Module, x: Tensor) -> Tensor:
    return torch.relu(layer(x)).flatten(1)


CASES: dict[str, tuple[int, Parts, Tensor, list[str]]] = {
    "a vector behind": (39, lambda m, a, b: [seen(m.image, a), b], VECTORS, ["{join} ({image} 9)", "{join} x[1:4]"]),
    "a vector before": (39, lambda m, a, b: [b, seen(m.image, a)], VECTORS, ["{join} x[1:4]", "{join} ({image} 9)"]),
    "hidden neurons": (41, lambda m, a, b: [seen(m.image, a), torch.tanh(m.vector(b))], VECTORS,
                       ["{join} ({image} 9)", "{join} {vector}"]),
    "an embedding": (41, lambda m, a, b: [seen(m.image, a), m.token(b)], TOKENS,
                     ["{join} ({image} 9)", "{join} {token}"]),
    "an image of other channels": (90, lambda m, a, b: [seen(m.image, a), seen(m.other, b)], IMAGES.flip(0),
                                   ["{join} ({image} 9)", "{join} ({other} 9)"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_stands_beside_a_flattened_image_is_a_group_of_its_own(name: str) -> None:
    wide, parts, other, wanted = CASES[name]
    module = Beside(wide, parts).eval()
    checkpoint = from_module(module, (IMAGES, other))
    layout: Any = checkpoint.network.layout
    written = {name: layout.tensors[f"{name}.bias"].pattern for name in ("image", "other", "vector", "join")}
    written["token"] = layout.tensors["token.weight"].pattern.split()[-1]
    found = [layout.tensors[f"join.weight.{k}"].pattern for k in (0, 1)]
    assert found == [each.format(**written) for each in wanted]
    assert len({*found}) == 2 and all(layout.group(g.split()[-1]).movable for g in (written["image"], written["join"]))
    given = checkpoint.network.predict(checkpoint.network.rows((IMAGES, other)))
    np.testing.assert_allclose(given, module(IMAGES, other).detach(), atol=1e-5)
