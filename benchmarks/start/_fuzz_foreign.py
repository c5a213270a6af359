"""Files of networks from elsewhere in every format that can be written here, changed at random or made to harm."""

import io
import os
import pickle
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.networks.foreign_cases._formats import FORMATS
from benchmarks.networks.foreign_cases._modules import chain

TRACE = "bimt_was_run"


class Evil:
    """Runs a command when a pickle of it is loaded."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {TRACE}",)


def foreign_files(folder: Path) -> dict[str, bytes]:
    """One network in each format, and files that are meant to harm or cannot be read as a network."""
    folder.mkdir(parents=True, exist_ok=True)
    net = chain(3, 5, 4, 2, act=nn.Tanh, seed=4).float()
    found = {}
    for number, write in enumerate(FORMATS.values()):
        place = folder / str(number)
        place.mkdir()
        try:
            path = write(net, place / "one")
        except ImportError:
            continue  # a format whose package is not installed
        if path.is_file():
            found[f"{number}{path.suffix}"] = path.read_bytes()
    return found | _odd(dict(net.state_dict()))


def _odd(state: dict[str, torch.Tensor]) -> dict[str, bytes]:
    first, *_ = state
    wide = torch.zeros(1).expand(10**6, 10**6)
    odd = {
        "evil": {first: Evil()}, "module": nn.Linear(2, 1), "list": [1], "none": None,
        "nan": {**state, first: state[first] * np.nan}, "half": {k: v.half() for k, v in state.items()},
        "complex": {k: v.to(torch.complex64) for k, v in state.items()},
        "sparse": {**state, first: state[first].to_sparse()}, "expanded": {**state, first: wide},
        "meta": {first: torch.zeros(5, 2, device="meta")}, "numbers as keys": {0: torch.zeros(5, 2)},
        "no rows": {first: torch.zeros(0, 2)}, "huge": {k: v * 3e38 for k, v in state.items()},
        "deep": {first: state[first][None]},
    }  # fmt: skip
    arrays = io.BytesIO()
    np.savez(arrays, a=np.array([Evil()], object))
    return {f"{name}.pt": _saved(content) for name, content in odd.items()} | {
        "pickle.pt": pickle.dumps(Evil()), "pickle.npz": pickle.dumps(Evil()), "pickle.npy": pickle.dumps(Evil()),
        "objects.npz": arrays.getvalue(), "empty.pt": b"", "empty.onnx": b"",
    }  # fmt: skip


def _saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def foreign(originals: Mapping[str, bytes], draw: random.Random) -> tuple[str, bytes]:
    """One file under its name, most often with a few bits changed, or cut."""
    name = draw.choice(list(originals))
    data = bytearray(originals[name])
    kind = draw.random()
    if kind < 0.1 or not data:
        return name, bytes(data)
    if kind < 0.3:
        return name, bytes(data[: draw.randrange(len(data))])
    if kind < 0.4:
        return draw.choice(list(originals)), bytes(data)  # another ending
    for _ in range(draw.choice((1, 1, 2, 3, 20))):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return name, bytes(data)
