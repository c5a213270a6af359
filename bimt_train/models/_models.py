"""The kinds of model that a checkpoint can name: plain ``torch.nn.Module``s that come with their layout."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import nn

from .._errors import InputError
from ._embedding_mlp import EmbeddingMLP
from ._gpt import GPT
from ._image_mlp import ImageMLP
from ._mlp import MLP
from ._model_spec import ModelSpec
from ._program_transformer import ProgramTransformer
from ._rnn import RNN
from ._row_transformer import RowTransformer

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


def build_model(spec: ModelSpec, *, generator: torch.Generator | None = None) -> nn.Module:
    """A fresh module of this kind and these options, its first weights drawn by the generator.

    Raises:
        InputError: the kind is unknown.
    """
    if spec.kind not in MODELS:
        raise InputError(
            "unknown kind of model",
            expected=", ".join(MODELS),
            got=spec.kind,
            mend="name one of these, or load the weights into your own module",
        )
    model: nn.Module = MODELS[spec.kind](**spec.options, generator=generator)
    return model
