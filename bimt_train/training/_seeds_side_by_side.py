"""Any module over a leading axis of seeds: all of them in one call, or one after the other."""

import copy
from collections import deque
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from .._errors import InputError

Forward = Callable[[Mapping[str, Tensor], Tensor], Tensor]
"""Tensors with a seed axis and inputs with a seed axis -> outputs with a seed axis."""

_OWN_LOOP = "or train it in a loop of your own with Penalty"


def seeds_side_by_side(module: nn.Module, buffers: Mapping[str, Tensor], x: Tensor) -> Forward:
    """Call a module for many sets of weights: by ``torch.func.vmap``, or one by one where vmap has no rule.

    A call swaps its tensors into the module meanwhile, so calls on several threads need a module each.

    Parameters
    ----------
    module : torch.nn.Module
        One of the networks.
    buffers : mapping of str to tensor
        Tensors that all networks share.
    x : tensor, [rows, inputs]
        Rows on which vmap is tried.

    Returns
    -------
    callable
        Tensors with a seed axis and inputs with a seed axis -> outputs with a seed axis.
    """
    untouched, idle = copy.deepcopy(module), deque([module])

    def all_at_once(own: nn.Module, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        outputs: Tensor = torch.func.vmap(lambda each, rows: _called(own, each, buffers, rows))(tensors, x)
        return outputs

    def one_by_one(own: nn.Module, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        each = ({name: tensor[seed] for name, tensor in tensors.items()} for seed in range(len(x)))
        return torch.stack([_called(own, weights, buffers, rows) for weights, rows in zip(each, x, strict=True)])

    twins = {name: p.detach().expand(2, *p.shape) for name, p in module.named_parameters()}
    try:
        with torch.no_grad():
            all_at_once(module, twins, x.expand(2, *x.shape))
    except (RuntimeError, NotImplementedError):  # an operator without a rule, such as those of recurrent layers
        way = one_by_one
    else:
        way = all_at_once

    def run(tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        try:
            own = idle.pop()
        except IndexError:
            own = copy.deepcopy(untouched)
        outputs = way(own, tensors, x)
        idle.append(own)
        return outputs

    return run


def check_trainable(module: nn.Module, x: Tensor) -> None:
    """Refuse a module whose steps could not be repeated, or which computes otherwise when it is trained.

    Seeds are trained side by side and each can be trained again alone, so a step may neither draw random numbers nor
    change what the networks share.

    Parameters
    ----------
    module : torch.nn.Module
        The module, left in training mode.
    x : tensor, [rows, inputs]
        Some rows.

    Raises
    ------
    InputError
        Dropout, running statistics, or other outputs in training mode than in evaluation mode.
    """
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        draws = torch.get_rng_state()
        outputs = [module.train(training)(x) for training in (False, True)]
        drawn = not torch.equal(draws, torch.get_rng_state())
    changed = [name for name, buffer in module.named_buffers() if not torch.equal(buffer, before[name])]
    if changed:
        raise InputError(
            "a model that changes its buffers while it is trained", where=", ".join(changed[:3]),
            expected="tensors that all seeds can share",
            hint=f"take LayerNorm or GroupNorm for BatchNorm, {_OWN_LOOP}",
        )  # fmt: skip
    if drawn:
        where = [name for name, part in module.named_modules() if isinstance(part, _DropoutNd) and part.p > 0]
        raise InputError(
            "a model that draws random numbers while it is trained", where=", ".join(where[:3]),
            expected="a step that gives the same, whichever seeds are trained with it",
            hint=f"set dropout to 0, {_OWN_LOOP}",
        )  # fmt: skip
    if not torch.allclose(outputs[0], outputs[1], rtol=1e-4, atol=1e-6):
        raise InputError(
            "a model that computes otherwise while it is trained", expected="the same outputs in both modes",
            hint=f"let forward do without self.training, {_OWN_LOOP}",
        )  # fmt: skip


def _called(module: nn.Module, weights: Mapping[str, Tensor], buffers: Mapping[str, Tensor], x: Tensor) -> Tensor:
    outputs: Tensor = torch.func.functional_call(module, {**weights, **buffers}, (x,))
    return outputs
