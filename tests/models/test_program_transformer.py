"""The transformer without norms, against plain loops."""

import numpy as np
import pytest
import torch

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import ProgramTransformer


def by_loops(network: Network, parts: tuple[tuple[int, ...], ...], tokens: list[int]) -> np.ndarray:
    """One sequence, one token and one head at a time."""
    w = network.tensors
    stream = [w["embedding.weight"][token] + w["positions.weight"][place] for place, token in enumerate(tokens)]
    for index, part in enumerate(parts):
        at, before = f"parts.{index}", list(stream)
        if len(part) == 1:
            for place, r in enumerate(before):
                hidden = np.maximum(w[f"{at}.up.weight"] @ r + w[f"{at}.up.bias"], 0)
                stream[place] = r + w[f"{at}.down.weight"] @ hidden + w[f"{at}.down.bias"]
            continue
        heads, size = part
        q, k, v = (
            [w[f"{at}.qkv.weight"][rows] @ r + w[f"{at}.qkv.bias"][rows] for r in before]
            for rows in np.split(np.arange(3 * heads * size), 3)
        )
        for place, r in enumerate(before):
            seen = np.zeros(heads * size)
            for head in np.split(np.arange(heads * size), heads):
                scores = np.exp([q[place][head] @ key[head] / np.sqrt(size) for key in k])
                seen[head] = sum(s * value[head] for s, value in zip(scores, v, strict=True)) / scores.sum()
            stream[place] = r + w[f"{at}.out.weight"] @ seen + w[f"{at}.out.bias"]
    return np.array([w["write.weight"] @ r + w["write.bias"] for r in stream])


def test_parts_are_computed_in_their_order_and_tokens_see_each_other_both_ways() -> None:
    parts = ((4,), (3, 2), (2, 5), (6,))
    network = Network.of(ProgramTransformer(5, 4, 7, parts, 3, generator=torch.Generator().manual_seed(0)))
    x = np.array([[0, 4, 2, 2], [1, 0, 3, 4]])
    expected = np.stack([by_loops(network, parts, row) for row in x.tolist()])
    np.testing.assert_allclose(network.predict(x.astype(np.float64)), expected, atol=1e-6)  # drawn in single precision
    groups = [(group.name, group.size, group.heads) for group in network.layout.groups]
    assert groups == [("resid", 7, 1), ("m1", 4, 1), ("a1", 6, 3), ("a2", 10, 2), ("m2", 6, 1), ("y", 3, 1)]


@pytest.mark.parametrize("parts", [[()], [(2, 3, 4)], [(0,)], [(2, -1)]])
def test_parts_of_other_sizes_are_refused(parts: list[tuple[int, ...]]) -> None:
    with pytest.raises(InputError, match="a transformer that cannot be built: expected positive sizes, and parts of"):
        ProgramTransformer(5, 4, 7, parts, 3)
