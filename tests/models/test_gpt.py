"""The language model against torch's own pieces; its causality."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bimt_train import InputError
from bimt_train.losses._cross_entropy import accuracy
from bimt_train.losses._next_token import next_token
from bimt_train.models import GPT, RowTransformer
from bimt_train.models.building_blocks._transformer_block import Block

SIZES = {"tokens": 7, "context": 5, "width": 12, "heads": 3, "layers": 2, "hidden": 9}
TOKENS = torch.randint(0, 7, (6, 5), generator=torch.Generator().manual_seed(0))


def gpt() -> GPT:
    """Every parameter drawn anew: fresh norms are ones and zeros, and would hide what they do."""
    module, generator = GPT(**SIZES).double(), torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return module


def torchs(block: Block) -> nn.TransformerEncoderLayer:
    """The same block by torch's own module."""
    width, hidden = block.down.out_features, block.down.in_features
    layer = nn.TransformerEncoderLayer(
        width, block.heads, hidden, dropout=0.0, activation=nn.GELU("tanh"), batch_first=True, norm_first=True
    )
    mine = block.state_dict()
    names = {"qkv.weight": "self_attn.in_proj_weight", "qkv.bias": "self_attn.in_proj_bias"}
    names |= {
        f"{a}.{t}": f"{b}.{t}"
        for a, b in [("out", "self_attn.out_proj"), ("up", "linear1"), ("down", "linear2"), ("norm1", "norm1"),
                     ("norm2", "norm2")]
        for t in ("weight", "bias")
    }  # fmt: skip
    layer.load_state_dict({names[name]: tensor for name, tensor in mine.items()})
    return layer.double().train()


def test_a_gpt_is_torchs_encoder_layers_between_embedding_and_unembedding() -> None:
    module, mask = gpt(), nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    r = nn.functional.embedding(TOKENS, module.embedding.weight) + module.positions.weight
    for block in module.blocks:
        r = torchs(block)(r, src_mask=mask)
    r = nn.functional.layer_norm(r, (12,), module.norm.weight, module.norm.bias)
    torch.testing.assert_close(module(TOKENS), r @ module.write.weight.T + module.write.bias)


def test_what_comes_later_changes_nothing_before() -> None:
    module = gpt()
    changed = TOKENS.clone()
    changed[:, 3:] = (changed[:, 3:] + 1) % 7
    before, after = module(TOKENS), module(changed)
    torch.testing.assert_close(before[:, :3], after[:, :3], rtol=0, atol=1e-12)
    assert (before[:, 3:] - after[:, 3:]).abs().amax(dim=(0, 2)).min() > 1e-3


def test_a_shorter_window_is_the_beginning_of_a_longer_one() -> None:
    module = gpt()
    torch.testing.assert_close(module(TOKENS[:, :2]), module(TOKENS)[:, :2])


def test_the_loss_is_torchs_cross_entropy_of_each_seed() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, tokens = torch.randn(3, 6, 5, 7, generator=generator), torch.stack([TOKENS, TOKENS.flip(0), TOKENS.flip(1)])
    expected = torch.stack([cross_entropy(o.flatten(0, 1), t.flatten()) for o, t in zip(logits, tokens, strict=True)])
    torch.testing.assert_close(next_token(logits, tokens.float()), expected)
    right = [(o.argmax(-1) == t).double().mean() for o, t in zip(logits, tokens, strict=True)]
    torch.testing.assert_close(accuracy(logits, tokens.float()), torch.stack(right))


@pytest.mark.parametrize("change", [{"tokens": 0}, {"context": 0}, {"heads": 5}, {"layers": 0}])
def test_sizes_that_cannot_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(InputError, match="a transformer that cannot be built"):
        GPT(**SIZES | change)


def test_a_transformer_of_rows_has_the_same_blocks() -> None:
    module = RowTransformer((0, 1, 0), 2, 12, heads=2, layers=1, hidden=7).double()
    mask = nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)
    x = torch.rand((4, 3), generator=torch.Generator().manual_seed(0)).double()
    r = torchs(module.blocks[0])(module.read(x[..., None] * module.places), src_mask=mask)
    torch.testing.assert_close(module(x), module.write(module.norm(r[:, -1])))
