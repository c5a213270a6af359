"""Networks of sequences: recurrent ones, and transformers of torch, of Hugging Face, and written out."""

from typing import Any

import torch
import transformers
from torch import Tensor, nn

from ._case import Case, floats, several, tokens


class First(nn.Module):
    """A recurrent layer and a reading of its last state."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.layer, self.out = layer, nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layer(x)[0][:, -1])


class Cells(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.GRUCell(3, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), 6)
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return self.out(h)


class OwnAttention(nn.Module):
    """Separate projections; heads of 4."""

    def __init__(self, rotary: bool = False) -> None:
        super().__init__()
        self.rotary = rotary
        self.q, self.k, self.v, self.o = (nn.Linear(8, 8, bias=False) for _ in range(4))
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (layer(x).unflatten(-1, (2, 4)).transpose(1, 2) for layer in (self.q, self.k, self.v))
        if self.rotary:
            angles = torch.arange(x.shape[1])[:, None] * 0.3 ** torch.arange(2)
            cos, sin = torch.cat([angles.cos()] * 2, -1).to(x), torch.cat([angles.sin()] * 2, -1).to(x)
            q, k = (t * cos + torch.cat([-t[..., 2:], t[..., :2]], -1) * sin for t in (q, k))
        weights = (q @ k.mT / 2).softmax(-1)
        return self.head(x + self.o((weights @ v).transpose(1, 2).flatten(2)))


class LinearAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.o, self.head = nn.Linear(8, 24), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
        q, k = q.softmax(-1), k.softmax(-2)
        return self.head(self.o((q @ (k.mT @ v)).transpose(1, 2).flatten(2)))


class Seq2Seq(nn.Module):
    """torch's encoder-decoder. Its cross attention stores q, k and v in one tensor, and so ties both streams."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(11, 8), nn.Embedding(7, 8)
        self.core = nn.Transformer(8, 2, 1, 1, 12, batch_first=True)
        self.out = nn.Linear(8, 7)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return self.out(self.core(self.source(source), self.target(target), tgt_mask=mask, tgt_is_causal=True))


class Vit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch, self.cls = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.zeros(1, 1, 8))
        self.place = nn.Parameter(torch.randn(1, 5, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.patch(x).flatten(2).mT
        h = torch.cat([self.cls.expand(len(h), -1, -1), h], 1) + self.place
        return self.head(self.block(h)[:, 0])


class DenseMoe(nn.Module):
    """All experts run, weighted by a router. Experts stay: a pattern has two ends, and they would be a third."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(6, 3)
        self.up, self.down = nn.Parameter(torch.randn(3, 10, 6)), nn.Parameter(torch.randn(3, 6, 10))
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(torch.einsum("bd,ehd->beh", x, self.up))
        y = torch.einsum("beh,edh->bed", h, self.down)
        return self.head(x + (self.router(x).softmax(-1)[..., None] * y).sum(1))


class SparseMoe(nn.Module):
    """The best expert of three modules runs on each row, as Mixtral's do."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(6, 3)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 6)) for _ in range(3))
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        weight, best = self.router(x).softmax(-1).max(-1)
        y = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows = (best == number).nonzero()[:, 0]
            if len(rows):
                y = y.index_add(0, rows, expert(x[rows]) * weight[rows, None])
        return self.head(x + y)


class Bag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bag, self.fc1, self.fc2 = nn.EmbeddingBag(11, 6, mode="mean"), nn.Linear(6, 5), nn.Linear(5, 2)

    def forward(self, rows: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.fc1(self.bag(rows))))


class FoldedTokens(nn.Module):
    """Two tokens side by side, as in modular addition."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.fc1, self.fc2 = nn.Embedding(11, 6), nn.Linear(12, 9), nn.Linear(9, 11)

    def forward(self, pairs: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.fc1(self.table(pairs).flatten(1))))


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


ENDS = {"vocab_size": 11, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "use_cache": False}
WIDTHS = {"hidden_size": 16, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 4}


def model(kind: str, **options: Any) -> nn.Module:
    """A small model of Hugging Face's, drawn at random."""
    family = kind.partition("For")[0].removesuffix("LMHeadModel").removesuffix("Model")
    made: nn.Module = getattr(transformers, kind)(getattr(transformers, f"{family}Config")(**options))
    return made


SEQUENCES = (
    Case("RNN", lambda: First(nn.RNN(3, 7, batch_first=True), 7), floats(4, 5, 3), (7,), 3, 3),
    Case("RNN, two layers", lambda: First(nn.RNN(3, 7, 2, batch_first=True), 7), floats(4, 5, 3), (7, 7), 3, 3),
    Case("LSTM", lambda: First(nn.LSTM(3, 7, batch_first=True), 7), floats(4, 5, 3), (7,), 3, 3),
    Case(
        "LSTM, both directions",
        lambda: First(nn.LSTM(3, 6, batch_first=True, bidirectional=True), 12),
        floats(4, 5, 3),
        (6,),
        3,
        3,
    ),
    Case(
        "LSTM, projected", lambda: First(nn.LSTM(3, 7, batch_first=True, proj_size=4), 4), floats(4, 5, 3), (7, 4), 3, 3
    ),
    Case("GRU", lambda: First(nn.GRU(3, 7, batch_first=True), 7), floats(4, 5, 3), (7,), 3, 3),
    Case("GRU cell in a loop", Cells, floats(4, 5, 3), (6,), 3, 2),
    Case(
        "attention, torch's",
        lambda: nn.MultiheadAttention(8, 2, batch_first=True),
        several(*[floats(3, 4, 8)] * 3),
        ((8, 2),),
        8,
        8,
    ),
    Case("attention, own", OwnAttention, floats(3, 4, 8), ((8, 2),), 8, 3),
    Case("attention, rotary", lambda: OwnAttention(rotary=True), floats(3, 4, 8), (2,), 8, 3),
    Case("linear attention", LinearAttention, floats(3, 4, 8), ((8, 2), 8), 8, 3),
    Case("encoder", encoder, floats(3, 4, 8), ((8, 2), (8, 2), 12, 12), 8, 8, stream=True),
    Case(
        "encoder-decoder",
        Seq2Seq,
        several(tokens(3, 4), tokens(3, 5, most=7)),
        (8, (8, 2), (8, 2), (8, 2), 12, 12),
        0,
        7,
    ),
    Case("ViT, own", Vit, floats(3, 3, 8, 8), (8, (8, 2), 12), 0, 3),
    Case(
        "ViT",
        lambda: model("ViTForImageClassification", **WIDTHS, image_size=8, patch_size=4, num_labels=3),
        floats(3, 3, 8, 8),
        (16, (16, 4), 12),
        0,
        3,
    ),
    Case(
        "BERT",
        lambda: model("BertModel", **WIDTHS, max_position_embeddings=8, vocab_size=11),
        tokens(3, 5),
        ((16, 4), 12),
        0,
        16,
    ),
    Case(
        "GPT-2",
        lambda: model("GPT2LMHeadModel", n_positions=8, n_embd=12, n_layer=2, n_head=3, **ENDS),
        tokens(3, 5),
        (12, (12, 3), (12, 3), 48, 48),
        0,
        0,
    ),
    Case(
        "Llama",
        lambda: model("LlamaForCausalLM", **WIDTHS, num_key_value_heads=2, **ENDS),
        tokens(3, 5),
        (16, 2, 12),
        0,
        11,
    ),
    Case(
        "Mixtral",
        lambda: model(
            "MixtralForCausalLM",
            **WIDTHS,
            num_key_value_heads=2,
            num_local_experts=3,
            experts_implementation="eager",
            **ENDS,
        ),
        tokens(3, 5),
        (16, 2, 12),
        0,
        11,
    ),
    Case(
        "T5",
        lambda: model(
            "T5ForConditionalGeneration",
            d_model=8,
            d_kv=4,
            d_ff=12,
            num_layers=1,
            num_heads=3,
            vocab_size=11,
            decoder_start_token_id=0,
        ),
        lambda: {"input_ids": tokens(3, 5)(), "decoder_input_ids": tokens(3, 4)()},
        (8, 3, 3, (12, 3), 12, 12),
        0,
        0,
    ),
    Case("experts, all", DenseMoe, floats(9, 6), (10,), 6, 2),
    Case("experts, the best", SparseMoe, floats(20, 6), (10, 10, 10), 6, 2),
    Case("EmbeddingBag", Bag, tokens(4, 3), (6, 5), 0, 2),
    Case("two tokens, folded", FoldedTokens, tokens(4, 2), (6, 9), 0, 11),
)
