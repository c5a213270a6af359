"""A numerical certificate that a layout describes a module: neurons are permuted, and nothing may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..._errors import LayoutError
from ...frozen import FrozenDict
from ...showing import Shown
from .. import Layout, bind
from ._diagnosis import explain
from ._permutation_test import LayoutVariant, PermutationTest

DRAWS = 3
"""Permutations tried for each group."""


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
    """The result of `verify`: permuting the neurons of each group along their declared axes left the outputs unchanged.

    Attributes
    ----------
    deviations : mapping of str to float
        For each group the largest change of an output over all tried permutations, relative to the largest output.
    tolerance : float
        The change that was allowed.
    silent : tuple of str
        Tensors whose declaration was not tested, because permuting such a tensor alone, along one of its groups, does
        not change the outputs either (a bias of keys in attention, a layer that x does not excite).
    seed : int
        The seed of the permutations.

    Examples
    --------
    >>> from bimt_train.layouts import layout_for
    >>> module = nn.Sequential(nn.Linear(3, 2))
    >>> certificate = verify(module, layout_for(module), np.eye(3))
    >>> certificate.silent, certificate.seed
    ((), 0)
    """

    deviations: Mapping[str, float]
    tolerance: float
    silent: tuple[str, ...]
    seed: int


def verify(
    module: nn.Module,
    layout: Layout,
    x: np.ndarray | Tensor | tuple[Any, ...] | Mapping[str, Any],
    *,
    seed: int = 0,
    tolerance: float = 1e-9,
) -> Certificate:
    """Certify a layout: for each group, permute its neurons along every axis that declares it, and compare outputs.

    Parameters
    ----------
    module : torch.nn.Module
        Its output, or the first of several (of a tuple, or of a mapping as Hugging Face models return it), is compared.
        The module is left as it is.
    layout : Layout
        Which group indexes each axis; every parameter and buffer is declared.
    x : array or torch.Tensor of shape (rows, ...), tuple of them, or mapping of str to them
        A batch of inputs, numbers or tokens, that excites the whole module: its only argument, several by position, or
        several by name. The layout's row runs over the last axes of all that are floating numbers, side by side.
    seed : int, default 0
        The seed of the permutations and of the displacement.
    tolerance : float, default 1e-9
        The change allowed, relative to the largest output.

    Returns
    -------
    Certificate
        What was measured.

    Raises
    ------
    LayoutError
        What `bind` refuses; or permuting a group changes the outputs. Where another declaration of one or two tensors
        (transposed, folded in another order, an axis that should name the group, other heads) would pass, the message
        names the tensor, its axis, what was expected and what was declared.
    InputError
        The module cannot be run on x, or its outputs are not finite or not repeatable.

    Notes
    -----
    With ``P_g`` a permutation of group g and ``theta_g`` the tensors permuted along each axis that the layout gives to
    g: ``module(theta_g, x) == module(theta, x)``, where x is permuted along its last axis too if g is the inputs, and
    outputs are compared in permuted order if g is the outputs. Groups with heads are permuted head by head and within
    heads. Buffers take part. Of a tensor with one group on both axes (recurrent weights) no permutation tells the
    target from the source.

    Computed in double precision, in evaluation mode, on a copy whose tensors are moved away from where they are: fresh
    biases and norms are constant, and would hide a wrong declaration.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from bimt_train.layouts import TensorSpec, layout_for
    >>> module = nn.Sequential(nn.Linear(3, 4), nn.SiLU(), nn.Linear(4, 2))
    >>> x = np.random.default_rng(0).uniform(-1, 1, (20, 3))
    >>> layout = layout_for(module)
    >>> certificate = verify(module, layout, x)
    >>> sorted(certificate.deviations)
    ['h1', 'x', 'y']

    A layout that forgets that the bias belongs to the hidden neurons is refused:

    >>> wrong = replace(layout, tensors={**layout.tensors, "0.bias": TensorSpec("_")})
    >>> try:
    ...     verify(module, wrong, x)
    ... except LayoutError as error:
    ...     print(error.where, error.hint, sep="; ")
    tensor '0.bias', axis 0; for '0.bias' declare "h1" in place of "_"
    """
    bind(layout, module)
    generator = np.random.default_rng(seed)
    with torch.no_grad():
        test = PermutationTest.of(module, layout, x, generator)
        deviations, silent = _measured(test, LayoutVariant.of(layout), generator, tolerance)
    return Certificate(FrozenDict(deviations), tolerance, silent, seed)


def _measured(
    test: PermutationTest, variant: LayoutVariant, generator: np.random.Generator, tolerance: float
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The deviation of each group, and the tensors whose declaration was not tested; an error if a group fails."""
    layout = variant.layout
    deviations: dict[str, float] = {}
    tested: set[str] = set()
    noticed: set[str] = set()
    for group in layout.groups:
        if group.size == 1 or not (group.movable or group.name in (layout.inputs, layout.outputs)):
            continue
        orders = [variant.draw(group.name, generator) for _ in range(DRAWS)]
        test.check_ties(variant, group.name, orders[0])
        deviations[group.name] = test.deviation(variant, group.name, orders)
        if not deviations[group.name] <= tolerance:
            raise _refusal(test, variant, group.name, deviations[group.name], tolerance)
        for tensor in layout.touching(group.name):
            tested.add(tensor)
            if test.deviation(variant, group.name, orders, only=tensor) > tolerance:
                noticed.add(tensor)
    return deviations, tuple(name for name in layout.tensors if name in tested - noticed)


def _refusal(test: PermutationTest, variant: LayoutVariant, group: str, found: float, tolerance: float) -> LayoutError:
    """The error for a group that failed, with the declaration that would have passed, if there is one."""
    what = f"permuting group '{group}' changes the outputs"
    suspect = explain(test, variant, group, tolerance)
    if suspect is not None:
        return LayoutError(what, where=suspect.where, expected=suspect.expected, got=suspect.got, hint=suspect.hint)
    touching = ", ".join(f"'{name}'" for name in variant.layout.touching(group)) or "none"
    return LayoutError(
        what,
        where=f"tensors that declare it: {touching}",
        expected=f"at most {tolerance:g} of the largest output",
        got=f"{found:.2g}",
        hint="check the pattern of every tensor that these neurons index; if the module treats them unequally, "
        "they cannot be moved",
    )
