"""Double precision throughout: modules that pass to single precision inside are kept from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class InDouble(TorchDispatchMode):
    """While it is entered, whatever asks for single precision gets double.

    Many norms and rotary embeddings compute in float32 whatever they are given; their rounding, not the layout, would
    then decide a certificate.

    Attributes
    ----------
        asked: whether anything did.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.asked = False

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation, with float64 for every float32 among its arguments."""
        given = {name: self._widened(value) for name, value in (kwargs or {}).items()}
        return func(*map(self._widened, args), **given)

    def _widened(self, value: Any) -> Any:
        self.asked |= value is torch.float32
        return torch.float64 if value is torch.float32 else value
