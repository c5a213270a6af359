"""Networks of images and signals: channels are neurons, pixels are not."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._case import Case, floats


class Lenet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 6, 3)
        self.fc1, self.fc2 = nn.Linear(6 * 4, 9), nn.Linear(9, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(torch.relu(self.one(x)), 2)
        x = functional.max_pool2d(torch.relu(self.two(x)), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


class PooledCnn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(8, 6, 3, padding=1)
        self.out = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.c2(torch.relu(self.c1(x)))).mean((-1, -2)))


class BasicBlock(nn.Module):
    def __init__(self, source: int, target: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(source, target, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(target)
        self.conv2 = nn.Conv2d(target, target, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(target)
        self.shortcut = nn.Sequential()
        if source != target:
            self.shortcut = nn.Sequential(nn.Conv2d(source, target, 1, stride, bias=False), nn.BatchNorm2d(target))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.shortcut(x))


def resnet() -> nn.Module:
    stem = nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU()
    blocks = BasicBlock(4, 4, 1), BasicBlock(4, 6, 2)
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))


class Bottleneck(nn.Module):
    """1x1, grouped 3x3, 1x1: as in ResNeXt. The kernel's second axis is shared by its groups, which move as wholes."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.mid, self.up = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 4, 3, 1, 1, groups=2), nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.up(torch.relu(self.mid(torch.relu(self.down(x)))))


class UNet(nn.Module):
    """The skipped and the upsampled channels, equally many, lie side by side: two runs over one group."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.up = nn.ConvTranspose2d(6, 4, 2, 2)
        self.join, self.out = nn.Conv2d(8, 5, 3, padding=1), nn.Conv2d(5, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = torch.relu(self.one(x))
        deep = torch.relu(self.two(functional.max_pool2d(skip, 2)))
        return self.out(torch.relu(self.join(torch.cat([skip, self.up(deep)], 1))))


class SqueezeExcite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.down, self.up, self.out = nn.Conv2d(1, 8, 3), nn.Linear(8, 3), nn.Linear(3, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        gate = torch.sigmoid(self.up(torch.relu(self.down(h.mean((2, 3))))))
        return self.out((h * gate[:, :, None, None]).amax((2, 3)))


class ConvNext(nn.Module):
    """Depthwise convolution, layer norm over channels, a scale for each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.depth = nn.Conv2d(3, 6, 2, 2), nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.norm, self.up, self.down = nn.LayerNorm(6), nn.Linear(6, 10), nn.Linear(10, 6)
        self.gamma, self.head = nn.Parameter(torch.ones(6)), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        h = self.norm(self.depth(x).permute(0, 2, 3, 1))
        h = self.gamma * self.down(functional.gelu(self.up(h)))
        return self.head((x + h.permute(0, 3, 1, 2)).mean((2, 3)))


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.middle = nn.Conv2d(1, 4, 3, 2, 1), nn.Linear(4 * 16, 6)
        self.back, self.decoder = nn.Linear(6, 4 * 16), nn.ConvTranspose2d(4, 1, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        code = torch.tanh(self.middle(torch.relu(self.encoder(x)).flatten(1)))
        return self.decoder(torch.relu(self.back(code)).unflatten(1, (4, 4, 4)))


class Dense(nn.Module):
    """Each layer reads all before it, side by side: the stem's 4 channels and twice 4 more are runs over one group."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.one, self.two = nn.Conv2d(1, 4, 3, 1, 1), nn.Conv2d(4, 4, 3, 1, 1), nn.Conv2d(8, 4, 3, 1, 1)
        self.out = nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        kept = [self.stem(x)]
        for layer in (self.one, self.two):
            kept.append(torch.relu(layer(torch.cat(kept, 1))))
        return self.out(torch.cat(kept, 1).mean((2, 3)))


def signals() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(2, 5, 3), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(5, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(12, 3)
    )


def volumes() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(1, 4, 2), nn.BatchNorm3d(4), nn.ReLU(), nn.AvgPool3d(2), nn.Flatten(), nn.Linear(32, 3)
    )


IMAGES = (
    Case("CNN, flattened", Lenet, floats(3, 1, 14, 14), (4, 6, 9), 0, 5),
    Case("CNN, pooled", PooledCnn, floats(3, 2, 6, 6), (8, 6), 0, 2),
    Case("ResNet", resnet, floats(3, 3, 8, 8), (4, 4, 6, 6), 0, 3),
    Case("ResNeXt block", Bottleneck, floats(3, 8, 5, 5), (2,), 0, 0),
    Case("U-Net", UNet, floats(3, 1, 8, 8), (4, 6, 5), 0, 0),
    Case("squeeze and excite", SqueezeExcite, floats(3, 1, 6, 6), (8, 3), 0, 2),
    Case("ConvNeXt block", ConvNext, floats(3, 3, 8, 8), (6, 10), 0, 3),
    Case("convolutional autoencoder", Autoencoder, floats(3, 1, 8, 8), (4, 6, 4), 0, 0),
    Case("DenseNet block", Dense, floats(3, 1, 6, 6), (4,), 0, 2),
    Case("CNN of signals", signals, floats(3, 2, 12), (5, 4), 0, 3),
    Case("CNN of volumes", volumes, floats(3, 1, 5, 5, 5), (4,), 0, 3),
)
