"""Which module of a network applies each weight tensor."""

from collections.abc import Mapping

from torch import nn


def linear_layers(module: nn.Module) -> dict[str, nn.Module]:
    """The module that multiplies what it reads with a weight tensor, for each tensor that has one.

    Whoever hangs hooks on it sees what the tensor's source neurons give as its first argument, along the last axis, and
    what the target neurons are sent as its result. A module may say so itself, by a mapping ``readers`` of tensors to
    modules; for any other, the module that owns the tensor is taken.

    Parameters
    ----------
    module : torch.nn.Module
        A network's module.

    Returns
    -------
    dict of str to torch.nn.Module
        By the tensors' names.

    Examples
    --------
    >>> list(linear_layers(nn.Sequential(nn.Linear(2, 3), nn.Tanh())))
    ['0.weight', '0.bias']
    """
    readers = getattr(module, "readers", None)
    if isinstance(readers, Mapping):
        return dict(readers)
    owners = dict(module.named_modules())
    return {name: owners[name.rpartition(".")[0]] for name, _ in module.named_parameters()}
