"""Networks of each kind, small or trained for moments, whose reports make pages of each kind."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from bimt_analyze import Sampling, analyze, open_checkpoint
from bimt_analyze.report import Report
from bimt_analyze.synthetic import boolean_hierarchy
from bimt_train import Recipe, train
from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec, from_state_dict
from bimt_train.tasks import (
    Task,
    evidence,
    in_context,
    independence,
    language,
    mnist,
    modular_addition,
    permutation_s4,
    table_task,
    two_moons,
)

DATA = Path(__file__).resolve().parents[2] / "examples" / "data"
FEW = {"samples": 20, "refit_steps": 0, "time_limit": 0.1}


def trained(task: Task, *, steps: int, lr: float = 1e-2) -> Report:
    return analyze(train(task, seeds=1, recipe=Recipe(steps=steps, lr=lr)).best.checkpoint, **FEW)


def images(folder: Path) -> Report:
    """Noise as pictures of digits, in the files' own format, trained until the network knows some of them."""
    rng = np.random.default_rng(0)
    digits = (np.arange(60) % 10).astype(np.uint8)
    noise = rng.integers(0, 256, (60, 28, 28), np.uint8)
    for name, values in (("t10k-images-idx3-ubyte", noise), ("t10k-labels-idx1-ubyte", digits)):
        head = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
        (folder / name).write_bytes(head + values.tobytes())
    return trained(mnist(folder, hidden=(8, 8)), steps=20)


def a_language(folder: Path) -> Report:
    (folder / "text.txt").write_text("the cat sat on the mat; the rat sat on the cat.\n" * 40)
    small = {"context": 8, "width": 8, "heads": 2, "layers": 1, "hidden": 8, "rows": (60, 20)}
    return trained(language(folder / "text.txt", **small), steps=40, lr=2e-2)


def a_table(_: Path) -> Report:
    return trained(table_task(pd.read_csv(DATA / "measurements.csv"), target=["lift", "drag"]), steps=400)


def a_file_of_weights(_: Path) -> Report:
    told = Sampling(activation="silu", ranges=((-1.0, 1.0),))
    return analyze(open_checkpoint(DATA / "model.pt", sampling=told), **FEW)


def a_llama(folder: Path) -> Report:
    """A folder as transformers keeps it, its weights drawn."""
    config = {
        "model_type": "llama", "vocab_size": 4, "max_position_embeddings": 4, "hidden_size": 4, "intermediate_size": 3,
        "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 1, "bos_token_id": 3,
        "tie_word_embeddings": True,
    }  # fmt: skip
    at, draw = "model.layers.0", torch.Generator().manual_seed(0)
    shapes = {"model.embed_tokens.weight": (4, 4), "model.norm.weight": (4,)}
    shapes |= {f"{at}.{name}.weight": (4,) for name in ("input_layernorm", "post_attention_layernorm")}
    shapes |= {f"{at}.self_attn.{name}_proj.weight": (4, 4) for name in "qo"}
    shapes |= {f"{at}.self_attn.{name}_proj.weight": (2, 4) for name in "kv"}
    shapes |= {f"{at}.mlp.{name}_proj.weight": (3, 4) for name in ("gate", "up")}
    shapes[f"{at}.mlp.down_proj.weight"] = (4, 3)
    (folder / "config.json").write_text(json.dumps(config))
    tensors = {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}
    save_file(tensors, folder / "model.safetensors")
    return analyze(open_checkpoint(folder), audit=True, retrain_steps=0, controls=0, **FEW)


def a_boolean_network(_: Path) -> Report:
    """A planted one, with the table of all its rows."""
    planted = boolean_hierarchy(outputs=3, depth=2, arguments=2, reuse=1.0, seed=1)
    count = planted.x.shape[1]
    x = np.array(list(product((0.0, 1.0), repeat=count)))
    y = np.round(planted.network.predict(x))
    inputs = tuple(f"x{j + 1}" for j in range(count))
    task = TaskSpec("logic", inputs, ("y1", "y2", "y3"), ((0.0, 1.0),) * count)
    return analyze(Checkpoint(planted.network, task, Probe(x, y, x, y), {"seed": 0}), **FEW)


def an_untrained_network(_: Path) -> Report:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)).double()
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    return analyze(from_state_dict(net.state_dict(), activation="tanh", x=x, y=2 * x[:, :1] + x[:, 1:]), **FEW)


KINDS: dict[str, Callable[[Path], Report]] = {
    "formula": lambda _: trained(independence(), steps=300),
    "images": images,
    "tokens": lambda _: trained(modular_addition(p=7), steps=60),
    "permutations": lambda _: trained(permutation_s4(), steps=20),
    "rows-transformer": lambda _: trained(in_context(rows=(40, 20)), steps=5),
    "language": a_language,
    "recurrent": lambda _: trained(evidence(steps=2, state=10, rows=(100, 50)), steps=60),
    "classes": lambda _: trained(two_moons(rows=(100, 100)), steps=200),
    "table": a_table,
    "file-of-weights": a_file_of_weights,
    "llama": a_llama,
    "boolean": a_boolean_network,
    "untrained": an_untrained_network,
}
