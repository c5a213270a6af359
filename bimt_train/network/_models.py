"""The kinds of model that a checkpoint can name: plain ``torch.nn.Module``s that come with their layout."""

from collections.abc import Mapping
from types import MappingProxyType

from torch import nn

from ._embedding_mlp import EmbeddingMLP
from ._gpt import GPT
from ._image_mlp import ImageMLP
from ._mlp import MLP
from ._program_transformer import ProgramTransformer
from ._rnn import RNN
from ._transformer import RowTransformer

MODELS: Mapping[str, type[nn.Module]] = MappingProxyType(
    {
        "mlp": MLP,
        "image-mlp": ImageMLP,
        "embedding-mlp": EmbeddingMLP,
        "row-transformer": RowTransformer,
        "gpt": GPT,
        "program-transformer": ProgramTransformer,
        "rnn": RNN,
    }
)
"""Each takes the options of its `ModelSpec` and a generator, and has ``spec`` and ``layout``."""
