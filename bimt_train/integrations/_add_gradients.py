"""The gradient of the cost, added to other gradients: by compiled code where it can, and by torch elsewhere."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import Tensor, nn

from ..native._load import compiled_module
from ._prices import MatrixPrice, Piece, Price

_PIECE = 2**18  # entries of which torch makes prices at once on a CPU: as many as its cache holds
_LARGE_PIECE = 2**24  # elsewhere, where starting a computation takes long
_WORTH_THREADS = 2**18  # entries; fewer are charged before a thread has started


@dataclass(frozen=True, eq=False)
class Charged:
    """A tensor that pays.

    Attributes
    ----------
    price : Price
        What its entries pay.
    gradient : Tensor
        Its gradient, of its shape; is written.
    w : Tensor
        The tensor.
    """

    price: Price
    gradient: Tensor
    w: Tensor

    def matrix_price(self) -> MatrixPrice | None:
        """The price as compiled code reads it, or None where torch has to add the gradient."""
        fits = all(
            type(part) in (Tensor, nn.Parameter)
            and (part.device.type, part.layout, part.dtype) == ("cpu", torch.strided, torch.float32)
            and part.is_contiguous()
            and part.numel() > 0
            for part in (self.gradient, self.w)
        )
        return self.price.as_matrix(self.w) if fits else None


def add_gradients(charged: Sequence[Charged], strength: float) -> None:
    """Add ``strength * price * sign(w)`` to the gradients, in place.

    Parameters
    ----------
    charged : sequence of Charged
        The tensors.
    strength : float
        Lambda.
    """
    prices = [(each, each.matrix_price()) for each in charged]
    fitting = [(each, price) for each, price in prices if price is not None]
    code = compiled_module() if fitting else None
    for each, price in prices:
        if price is None or code is None:
            add_by_torch(each, strength)
    if code is not None:
        threads = torch.get_num_threads() if sum(each.w.numel() for each, _ in fitting) > _WORTH_THREADS else 1
        add_by_code(code, fitting, strength, threads=threads)


def add_by_torch(charged: Charged, strength: float) -> None:
    """Add the gradient of one tensor piece by piece, on any device and in any precision; the reference.

    Parameters
    ----------
    charged : Charged
        The tensor.
    strength : float
        Lambda.
    """
    w = charged.w
    for piece in _pieces(w):
        charged.gradient[piece].addcmul_(charged.price.at(piece, w), w[piece].sign(), value=strength)


def add_by_code(
    code: ModuleType,
    charged: Sequence[tuple[Charged, MatrixPrice]],
    strength: float,
    *,
    threads: int = 1,
    kernel: int = 0,
) -> None:
    """Add the gradients in one pass over their entries, which rounds as torch does.

    Parameters
    ----------
    code : module
        The compiled code.
    charged : sequence of Charged, MatrixPrice
        The tensors, and their prices as the code reads them.
    strength : float
        Lambda.
    threads : int
        Shares that are computed side by side.
    kernel : int
        Which of the code's ``KERNELS`` computes.
    """

    def add_share(share: int) -> None:
        # The same entries of every tensor: one thread alone writes to those of a tensor that is charged by two names.
        for each, price in charged:
            begin, end = (each.w.numel() * bound // threads for bound in (share, share + 1))
            arrays = (each.gradient.detach().numpy(), each.w.detach().numpy(), price.here, price.there)
            code.charge(*arrays, price.constant, strength, kernel, *price.here.shape, begin, end)

    if threads == 1:
        add_share(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(add_share, range(threads)))
    for each, _ in charged:
        torch.autograd.graph.increment_version(each.gradient)  # torch does not see what other code writes


def _pieces(w: Tensor) -> Iterator[Piece]:
    """Cuts along the first axis, each of about as many entries as are fast at once."""
    if w.ndim == 0 or w.shape[0] == 0:
        yield ...
        return
    most = _PIECE if w.device.type == "cpu" else _LARGE_PIECE
    step = max(1, most * w.shape[0] // max(w.numel(), 1))
    for start in range(0, w.shape[0], step):
        yield slice(start, start + step)
