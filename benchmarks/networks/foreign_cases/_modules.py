"""Small modules that are saved in the cases: chains, and what is no chain."""

import itertools
from typing import TypeVar

import torch
from torch import nn

Made = TypeVar("Made", bound=nn.Module)

W = 3  # square: every tensor fits everywhere


def drawn(module: Made, seed: int = 0) -> Made:
    """The module with weights drawn by a seed, in evaluation."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.7)
    return module.eval()


def chain(*widths: int, act: type[nn.Module] = nn.SiLU, bias: bool = True, seed: int = 0) -> nn.Sequential:
    """A chain with weights drawn by a seed."""
    parts: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        parts += [nn.Linear(a, b, bias=bias), act()]
    return drawn(nn.Sequential(*parts[:-1]), seed)


class Residual(nn.Module):
    """An input layer, blocks that add to what they read, an output layer."""

    def __init__(self) -> None:
        super().__init__()
        self.inp = nn.Linear(W, W)
        self.blocks = nn.ModuleList(nn.ModuleDict({"fc1": nn.Linear(W, W), "fc2": nn.Linear(W, W)}) for _ in range(2))
        self.out = nn.Linear(W, W)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.inp(x)
        for block in self.blocks:
            h = h + block["fc2"](nn.functional.silu(block["fc1"](h)))
        return self.out(h)


class Heads(nn.Module):
    """One body, two heads."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__()
        self.names = (first, second)
        self.body = nn.Linear(W, W)
        self.add_module(first, nn.Linear(W, W))
        self.add_module(second, nn.Linear(W, W))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = nn.functional.silu(self.body(x))
        return torch.cat([getattr(self, name)(h) for name in self.names], 1)


class Twins(nn.Module):
    """Two networks beside each other."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__()
        self.names = (first, second)
        for seed, name in enumerate(self.names):
            self.add_module(name, chain(W, W, W, seed=seed))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = (getattr(self, name)(x) for name in self.names)
        return first + second


class Parts(nn.Module):
    """Two networks, one after the other, with an activation between."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__()
        self.names = (first, second)
        for seed, name in enumerate(self.names):
            self.add_module(name, chain(W, W, W, seed=seed))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = (getattr(self, name) for name in self.names)
        return second(nn.functional.silu(first(x)))


class Normed(nn.Module):
    """A hidden layer with a norm, before or after its activation."""

    def __init__(self, norm: nn.Module, after: bool) -> None:
        super().__init__()
        self.fc1, self.bn1, self.fc2, self.after = nn.Linear(W, W), norm, nn.Linear(W, 2), after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, act = self.fc1(x), nn.functional.silu
        return self.fc2(self.bn1(act(h)) if self.after else act(self.bn1(h)))


class Scaled(nn.Module):
    """A network that standardises its inputs and gives its outputs their units."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.net, self.names = chain(W, 5, 2), names
        sizes = (W, W, 2, 2)
        for index, (name, size) in enumerate(zip(names, sizes, strict=False)):
            self.register_buffer(name, torch.linspace(0.5, 1.5, size) + index)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        units = [getattr(self, name) for name in self.names]
        y = self.net((x - units[0]) / units[1])
        return y * units[3] + units[2] if len(units) > 2 else y


class Gated(nn.Module):
    """Llama's gated layer."""

    def __init__(self) -> None:
        super().__init__()
        self.w1, self.w2, self.w3 = (nn.Linear(a, b, bias=False) for a, b in ((3, 5), (5, 3), (3, 5)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w2(nn.functional.silu(self.w1(x)) * self.w3(x))


class LowRank(nn.Module):
    """A layer with a low-rank adapter beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.out = nn.Linear(W, W), nn.Linear(W, 1)
        self.fc.lora_A, self.fc.lora_B = nn.Linear(W, 2, bias=False), nn.Linear(2, W, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(nn.functional.silu(self.fc(x) + 2 * self.fc.lora_B(self.fc.lora_A(x))))


class Tokens(nn.Module):
    """An embedding, its vectors side by side, and layers; tokens are the signs of the inputs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, nn.Embedding(9, W))
        self.fc1, self.fc2 = nn.Linear(3 * W, W), nn.Linear(W, W)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = getattr(self, self.name)((x > 0).long()).flatten(1)
        return self.fc2(nn.functional.silu(self.fc1(h)))
