"""Plain networks: chains, gates, residual streams, mixers, splines, and modules with several inputs."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from ._case import Case, floats, several


class TwoLayers(nn.Module):
    def __init__(self, act: object = torch.relu, out: int = 2) -> None:
        super().__init__()
        self.act, self.fc1, self.fc2 = act, nn.Linear(4, 7), nn.Linear(7, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Gated(nn.Module):
    """SwiGLU: gate and up share the hidden neurons."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(4, 12), nn.Linear(4, 12), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class Glu(nn.Module):
    """GLU from one tensor, halved."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(4, 10), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(functional.glu(self.into(x), -1))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.begin = nn.Linear(3, 8)
        self.up = nn.ModuleList(nn.Linear(8, 12) for _ in range(2))
        self.down = nn.ModuleList(nn.Linear(12, 8) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(2))
        self.end = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.begin(x)
        for up, down, norm in zip(self.up, self.down, self.norms, strict=True):
            h = h + down(functional.gelu(up(norm(h))))
        return self.end(h)


class ResidualInput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(x + torch.relu(self.a(x)))


class Mixer(nn.Module):
    """Tokens are mixed by a layer of their own; they stay where they are."""

    def __init__(self) -> None:
        super().__init__()
        self.begin, self.norm = nn.Linear(3, 8), nn.LayerNorm(8)
        self.token_in, self.token_out = nn.Linear(5, 6), nn.Linear(6, 5)
        self.channel_in, self.channel_out = nn.Linear(8, 10), nn.Linear(10, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.begin(x)
        h = h + self.token_out(functional.gelu(self.token_in(self.norm(h).mT))).mT
        h = h + self.channel_out(functional.gelu(self.channel_in(h)))
        return self.head(h.mean(1))


class Kan(nn.Module):
    """A function of each input on a fixed grid for each pair of neurons."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Parameter(torch.randn(5, 3, 6)), nn.Parameter(torch.randn(2, 5, 6))
        self.register_buffer("grid", torch.linspace(-1, 1, 6))

    def forward(self, x: Tensor) -> Tensor:
        for weights in (self.one, self.two):
            x = torch.einsum("bik,oik->bo", torch.exp(-((x[..., None] - self.grid) ** 2)), weights)
        return x


class KanFlat(nn.Module):
    """The same, with the grid folded into the width of a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3 * 4, 5), nn.Linear(5 * 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        grid = torch.linspace(-1, 1, 4, dtype=x.dtype)
        for layer in (self.one, self.two):
            x = layer(torch.tanh(x[..., None] - grid).flatten(1))
        return x


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(4, 6), nn.Linear(3, 6), nn.Linear(6, 2)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.out(torch.tanh(self.a(first) + self.b(second)))


class Joined(nn.Module):
    """Two branches of equal width side by side; a pattern names both only as two runs over one group."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(4, 6), nn.Linear(4, 6), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.cat([torch.relu(self.a(x)), torch.tanh(self.b(x))], -1))


class Shared(nn.Module):
    """One layer, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.begin, self.again, self.end = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.begin(x))
        for _ in range(2):
            h = torch.tanh(self.again(h))
        return self.end(h)


class TiedAutoencoder(nn.Module):
    """The decoder's matrix is the encoder's, transposed: inputs and outputs are the same neurons."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(5, 8)), nn.Parameter(torch.randn(5))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x @ self.weight.T + self.bias) @ self.weight


class Matrices(nn.Module):
    """Layers that store [in, out]."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(torch.randn(4, 6)), nn.Parameter(torch.randn(6, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x @ self.a) @ self.b


class BilinearNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pair, self.out = nn.Bilinear(3, 4, 6), nn.Linear(6, 2)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.out(torch.tanh(self.pair(first, second)))


class Maxout(nn.Module):
    """A neuron is the largest of three sums; the three can change places, but no pattern of two groups needs it."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(4, 6 * 3), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.into(x).unflatten(-1, (6, 3)).amax(-1))


class Ramp(nn.Module):
    """The first hidden layer is treated unequally: only the second can move."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(torch.relu(self.b(torch.relu(self.a(x)) * torch.arange(1, 6, dtype=x.dtype))))


class HyperNetwork(nn.Module):
    """The weights of one layer are another layer's outputs; both ends of the made matrix are folded into one axis."""

    def __init__(self) -> None:
        super().__init__()
        self.make, self.out = nn.Linear(3, 5 * 4), nn.Linear(5, 2)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        made = self.make(context).unflatten(-1, (5, 4))
        return self.out(torch.tanh((made @ x[..., None]).squeeze(-1)))


class Sorted(nn.Module):
    """Sorts its hidden values: those before the sort can change places, those after it stay."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(torch.relu(self.b(self.a(x).sort(-1).values)))


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = weight_norm(nn.Linear(4, 6)), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(x)))


PLAIN = (
    Case(
        "MLP",
        lambda: nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3)),
        floats(6, 4),
        (7, 5),
        4,
        3,
    ),
    Case(
        "MLP, one output", lambda: nn.Sequential(nn.Linear(4, 7), nn.SiLU(), nn.Linear(7, 1)), floats(6, 4), (7,), 4, 1
    ),
    Case(
        "MLP, batch norm, dropout",
        lambda: nn.Sequential(nn.Linear(4, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Dropout(0.3), nn.Linear(7, 3)),
        floats(6, 4),
        (7,),
        4,
        3,
    ),
    Case(
        "MLP, RMS norm, PReLU",
        lambda: nn.Sequential(nn.Linear(4, 7), nn.RMSNorm(7), nn.PReLU(7), nn.Linear(7, 3)),
        floats(6, 4),
        (7,),
        4,
        3,
    ),
    Case(
        "MLP, group norm",
        lambda: nn.Sequential(nn.Linear(4, 8), nn.GroupNorm(2, 8), nn.ReLU(), nn.Linear(8, 3)),
        floats(6, 4),
        ((8, 2),),
        4,
        3,
    ),
    Case("class with fc1, fc2", TwoLayers, floats(6, 4), (7,), 4, 2),
    Case(
        "class, softmax at the end",
        lambda: nn.Sequential(TwoLayers(torch.sigmoid, 3), nn.Softmax(-1)),
        floats(6, 4),
        (7,),
        4,
        3,
    ),
    Case("gated, SwiGLU", Gated, floats(6, 4), (12,), 4, 3),
    Case("GLU", Glu, floats(6, 4), (5,), 4, 3),
    Case("residual", Residual, floats(6, 3), (8, 12, 12), 3, 2),
    Case("residual on the input", ResidualInput, floats(6, 4), (), 4, 2),
    Case("mixer", Mixer, floats(4, 5, 3), (8, 6, 10), 3, 2),
    Case("KAN", Kan, floats(6, 3), (5,), 3, 2),
    Case("KAN, folded", KanFlat, floats(6, 3), (5,), 3, 2),
    Case("two inputs", TwoInputs, several(floats(6, 4), floats(6, 3)), (6,), 7, 2),
    Case("two branches, joined", Joined, floats(6, 4), (6,), 4, 2),
    Case("shared layer", Shared, floats(6, 4), (6,), 4, 2),
    Case("tied autoencoder", TiedAutoencoder, floats(6, 8), (5,), 8, 8, stream=True),
    Case("matrices [in, out]", Matrices, floats(6, 4), (6,), 4, 3),
    Case("Bilinear", BilinearNet, several(floats(6, 3), floats(6, 4)), (6,), 3, 2),
    Case("maxout", Maxout, floats(6, 4), (6,), 4, 2),
    Case("unequal treatment", Ramp, floats(6, 4), (6,), 4, 2),
    Case("hypernetwork", HyperNetwork, several(floats(6, 4), floats(6, 3)), (5,), 7, 2),
    Case("sorted", Sorted, floats(6, 4), (5, 6), 4, 2),
    Case("weight norm", Normed, floats(6, 4), (6,), 4, 2),
)
