"""How few trained numbers a network needs for a loss: cut by magnitude, whatever generates its weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bimt_train.checkpoints import Checkpoint
from bimt_train.models.from_spec import build_model
from bimt_train.training._stack import Stack, shapes_of
from bimt_train.training.parameters._reuse import reused
from bimt_train.training.recipes._recipe import Recipe

THRESHOLDS = (0.0, *np.geomspace(1e-3, 1.0, 40).tolist())


@dataclass(frozen=True)
class Cut:
    """What is left of a network when parameters up to a threshold are zero."""

    parameters: int
    loss: float


def stack_of(checkpoint: Checkpoint, x: torch.Tensor) -> Stack:
    """How the checkpoint's parameters, or those of its generator, compute."""
    module = build_model(checkpoint.network.model)
    reuse = Recipe.from_json(checkpoint.config["recipe"]).reuse
    if reuse is None:
        return Stack.of(module, x)
    shapes = shapes_of(module)
    return Stack.of(module, x, reused(checkpoint.network.layout, shapes, blocks=reuse.blocks, rules=reuse.rules))


def cuts(checkpoint: Checkpoint) -> tuple[Cut, ...]:
    """For each threshold the parameters that are left and move an output, and the test loss; nothing is refitted."""
    task, probe = checkpoint.task, checkpoint.probe
    x = torch.tensor(task.to_network_inputs(probe.x_test), dtype=torch.float32)[None]
    y = torch.tensor(task.to_network_targets(probe.y_test), dtype=torch.float32)[None]
    stack = stack_of(checkpoint, x[0])
    flat = stack.pack([{**checkpoint.network.tensors, **checkpoint.network.generator}]).float()
    directions = torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    found = []
    for threshold in THRESHOLDS:
        cut = torch.where(flat.abs() <= threshold, 0.0, flat).requires_grad_(True)
        outputs = stack.forward(stack.unpack(cut), x)
        (moves,) = torch.autograd.grad((outputs * directions).sum(), cut)
        left = int(((cut != 0) & (moves != 0)).sum())
        found.append(Cut(left, float(task.judged_by.function(outputs.detach(), y))))
    return tuple(found)


def fewest(found: Sequence[Cut], limit: float) -> int | None:
    """The least number of parameters with a loss within the limit, None where no cut has it."""
    return min((cut.parameters for cut in found if cut.loss <= limit), default=None)
