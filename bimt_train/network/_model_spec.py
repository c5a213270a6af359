"""How to build a model again, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class ModelSpec:
    """How to build a model again: its kind and its options, as plain JSON values."""

    kind: str
    options: Mapping[str, Any]

    def build(self, *, generator: "torch.Generator | None" = None) -> "nn.Module":
        """A fresh module, its first weights drawn by the generator.

        Raises:
            InputError: the kind is unknown.
        """
        from ._models import MODELS

        if self.kind not in MODELS:
            raise InputError(
                "unknown kind of model",
                expected=", ".join(MODELS),
                got=self.kind,
                mend="name one of these, or load the weights into your own module",
            )
        model: nn.Module = MODELS[self.kind](**self.options, generator=generator)
        return model
