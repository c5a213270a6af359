"""A numerical certificate that a layout describes a module: neurons are permuted, and nothing may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from .._errors import LayoutError
from . import Layout, bind
from ._diagnosis import explain
from ._permutation_test import Bench, Reading

DRAWS = 3
"""Permutations tried for each group."""


@dataclass(frozen=True)
class Certificate:
    """That permuting the neurons of each group, everywhere the layout says they are, left the outputs alone.

    Attributes:
        deviations: group -> the largest change of an output over all tried permutations, relative to the largest
            output.
        tolerance: what was allowed.
        silent: tensors whose declaration was put to no test, because permuting such a tensor alone, along one of its
            groups, does not change the outputs either (a bias of keys in attention, a layer that x does not excite).
        seed: of the permutations.
    """

    deviations: Mapping[str, float]
    tolerance: float
    silent: tuple[str, ...]
    seed: int


def verify(
    module: nn.Module, layout: Layout, x: np.ndarray | Tensor, *, seed: int = 0, tolerance: float = 1e-9
) -> Certificate:
    """Certify a layout: for each group, permute its neurons along every axis that declares it, and compare outputs.

    With ``P_g`` a permutation of group g and ``theta_g`` the tensors permuted along each axis that the layout gives to
    g: ``module(theta_g, x) == module(theta, x)``, where x is permuted along its last axis too if g is the inputs, and
    outputs are compared in permuted order if g is the outputs. Groups with heads are permuted head by head and within
    heads. Buffers take part. Of a tensor with one group on both axes (recurrent weights) no permutation tells the
    target from the source.

    Computed in double precision, in evaluation mode, on a copy whose tensors are moved away from where they are: fresh
    biases and norms are constant, and would hide a wrong declaration. The module itself is left as it is.

    Args:
        module: takes x alone; its output, or the first of several (of a tuple, or of a mapping as Hugging Face models
            return it), is compared.
        layout: which group indexes each axis; every parameter and buffer is declared.
        x: a batch of inputs, numbers or tokens, that excites the whole module.
        seed: of the permutations and of the displacement.
        tolerance: change allowed, relative to the largest output.

    Raises:
        LayoutError: what `bind` refuses; or permuting a group changes the outputs. Where another reading of one or two
            tensors (transposed, folded in another order, an axis that should name the group, other heads) mends this,
            the message names the tensor, its axis, what was expected and what was declared.
        InputError: the module cannot be run on x, or its outputs are not finite or not repeatable.
    """
    bind(layout, module)
    generator = np.random.default_rng(seed)
    deviations: dict[str, float] = {}
    with torch.no_grad():
        bench = Bench.of(module, layout, x, generator)
        reading = Reading.of(layout)
        spoken: set[str] = set()
        tested: set[str] = set()
        for group in layout.groups:
            if group.size == 1 or not (group.movable or group.name in (layout.inputs, layout.outputs)):
                continue
            orders = [reading.draw(group.name, generator) for _ in range(DRAWS)]
            bench.check_ties(reading, group.name, orders[0])
            deviations[group.name] = bench.deviation(reading, group.name, orders)
            if not deviations[group.name] <= tolerance:
                raise _refusal(bench, reading, group.name, deviations[group.name], tolerance)
            for tensor in layout.touching(group.name):
                tested.add(tensor)
                if bench.deviation(reading, group.name, orders, only=tensor) > tolerance:
                    spoken.add(tensor)
    silent = tuple(name for name in layout.tensors if name in tested - spoken)
    return Certificate(MappingProxyType(deviations), tolerance, silent, seed)


def _refusal(bench: Bench, reading: Reading, group: str, found: float, tolerance: float) -> LayoutError:
    """The error for a group that failed, with the reading that would have passed, if there is one."""
    what = f"permuting group '{group}' changes the outputs"
    suspect = explain(bench, reading, group, tolerance)
    if suspect is not None:
        return LayoutError(what, where=suspect.where, expected=suspect.expected, got=suspect.got, mend=suspect.mend)
    touching = ", ".join(f"'{name}'" for name in reading.layout.touching(group)) or "none"
    return LayoutError(
        what,
        where=f"tensors that declare it: {touching}",
        expected=f"at most {tolerance:g} of the largest output",
        got=f"{found:.2g}",
        mend="check the pattern of every tensor that these neurons index; if the module treats them unequally, "
        "they cannot be moved",
    )
