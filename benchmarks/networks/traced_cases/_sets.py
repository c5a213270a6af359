"""Networks of sets and graphs, with adjacency as an input, as a buffer, or as lists of edges; and what is refused."""

import torch
from torch import Tensor, nn

from ._case import Case, floats, several

EDGES = torch.tensor([[0, 1, 2, 3, 1, 4], [1, 2, 3, 0, 4, 0]])


class DeepSets(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(3, 7), nn.ReLU(), nn.Linear(7, 5))
        self.rho = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.rho(self.phi(x).sum(1))


class PointNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.out = nn.Conv1d(3, 6, 1), nn.Conv1d(6, 8, 1), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.two(torch.relu(self.one(x.mT)))
        return self.out(h.max(-1).values)


class Gcn(nn.Module):
    def __init__(self, adjacency: Tensor | None = None) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3, 6), nn.Linear(6, 2)
        self.register_buffer("adjacency", adjacency)

    def forward(self, x: Tensor, adjacency: Tensor | None = None) -> Tensor:
        a = self.adjacency if adjacency is None else adjacency
        return a @ self.two(torch.relu(a @ self.one(x)))


class Messages(nn.Module):
    """Messages along edges, added up at their targets; reads (source, target) side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.begin, self.message, self.update = nn.Linear(3, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.register_buffer("edges", EDGES)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.begin(x))
        sent = torch.relu(self.message(h[self.edges[0]]))
        return self.update(h + torch.zeros_like(h).index_add(0, self.edges[1], sent))


class GraphAttention(nn.Module):
    """One head: the score of an edge is a product with a vector for each of its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.value, self.out = nn.Linear(3, 6), nn.Linear(6, 2)
        self.left, self.right = nn.Parameter(torch.randn(6)), nn.Parameter(torch.randn(6))

    def forward(self, x: Tensor, adjacency: Tensor) -> Tensor:
        h = self.value(x)
        scores = (h @ self.left)[:, None] + (h @ self.right)[None, :]
        weights = scores.masked_fill(adjacency == 0, -1e9).softmax(-1)
        return self.out(torch.relu(weights @ h))


class Spectral(nn.Module):
    """A Fourier transform over the hidden neurons, in which their order matters in a way that has no rule."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(4, 8), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.fft.rfft(self.into(x)).abs())


def nodes() -> Tensor:
    return torch.rand(5, 5)


SETS = (
    Case("DeepSets", DeepSets, floats(4, 5, 3), (7, 5, 6), 3, 2),
    Case("PointNet", PointNet, floats(4, 5, 3), (6, 8), 3, 2),
    Case("graph convolution", Gcn, several(floats(5, 3), nodes), (6,), 3, 2),
    Case("graph convolution, adjacency a buffer", lambda: Gcn(nodes()), floats(5, 3), (6,), 3, 2),
    Case("message passing", Messages, floats(5, 3), (6,), 3, 2),
    Case("graph attention", GraphAttention, several(floats(5, 3), nodes), (6,), 3, 2),
    Case("Fourier transform", Spectral, floats(6, 4), refused="_fft_r2c"),
)
