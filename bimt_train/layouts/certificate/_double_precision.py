"""Double precision throughout: modules that pass to single precision inside are kept from it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


@contextlib.contextmanager
def double_by_default() -> Iterator[None]:
    """While inside, tensors that a module makes without saying a type, as ``torch.zeros(3)``, have double precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


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
