"""Which modules compute the same function of different inputs."""

from collections.abc import Sequence
from itertools import combinations
from typing import get_args

import numpy as np
from jaxtyping import Float

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ...graph import NodeId
from ...modules import Hierarchy, choose_level
from ...modules._hierarchy import Level
from ..ablation._mean_ablation_effects import check_known
from ._module_comparison import Comparison, EquivalentModules, Kind
from ._module_outputs import Module


def equivalent_modules(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    x: Float[np.ndarray, "rows inputs"],
    *,
    seed: int = 0,
) -> tuple[EquivalentModules, ...]:
    """Group modules that compute the same function, up to an affine change of each input and of the output.

    Parameters
    ----------
    network : Network
        A feed-forward network; best a circuit.
    modules : sequence of frozenset of (str, int)
        Modules as sets of neurons in any layers: those of `choose_level`, say, or of a finer level.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them; of networks of more than 200,000 weights as many fewer as they have more,
        but at least 200, are looked at, and 200, evenly spaced, are used for the maps.
    seed : int, default 0
        Seed of the search for maps.

    Returns
    -------
    tuple of EquivalentModules
        Families of equivalent modules, then the modules that are not compared, one group a kind.

    Raises
    ------
    InputError
        There are no modules, a neuron is unknown, or a layer of the network is not read once a row.

    Notes
    -----
    A module's function f gives its output (one number, see ``output_r2`` of `linear_probes`) as a function of its
    arguments: what it reads and does not compute itself, inputs or other modules' neurons, leaving out each that costs
    at most 1 % of f's variance when held at its mean; all else outside the module is at its mean. Module B is an affine
    copy of A if on the rows

        f_B(z) = alpha f_A(beta_1 z_p1 + gamma_1, beta_2 z_p2 + gamma_2, ...) + delta

    with p an order of up to three arguments, found as `affine_copy` says. Two modules are equivalent if each is an
    affine copy of the other, inside the range (plus 10 %) on which it was seen and over at least half of it, with

    - r2 of at least 0.99 both ways: one way is too easy, as any smooth curve has a piece that is nearly a parabola;
    - 1 - r2 at most a tenth of what the best linear function of the arguments leaves, both ways: a curve that is nearly
      a line is like any other.

    Modules that are linear (r2 of a linear function at least 0.99) or constant are equivalent for that reason alone,
    and so are those with no more than one alive hidden neuron in any layer, which are the activation function, applied
    once or several times; each of these kinds is put together without a comparison, as are those of more than three
    arguments. The module that is equivalent to most others is the representative, they are its family, and so on with
    the rest: each member was compared with its representative, and two members may differ by more than 0.99 allows.

    What this does not show:

    - that the network reuses anything: the equivalent modules are separate weights;
    - the map: alpha and beta cannot be told apart where f is a power, and f has the units of `linear_probes`;
    - that modules are different: one may compute the other's function with a bend where it was never seen.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._equivalent_modules import equivalent_modules
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> planted = absolute_sums(outputs=1, terms=2, variables=1, rows=50, seed=1)
    >>> found = equivalent_modules(planted.network, planted.partition.modules, planted.x)
    >>> [(family.kind, [member.module for member in family.members]) for family in found]
    [('curved', [0, 1])]
    """
    if not modules:
        raise InputError("no modules to compare", where="modules", expected="1 or more", got="none")
    check_known(network, modules)
    return _families(modules, Comparison(network, x, seed))


def most_equivalent(
    network: Network, levels: Hierarchy, x: Float[np.ndarray, "rows inputs"], *, seed: int = 0
) -> tuple[Level, tuple[EquivalentModules, ...]]:
    """Choose the level of a hierarchy at which most of the network is equivalent to something else in it.

    Parameters
    ----------
    network : Network
        A feed-forward network; best a circuit.
    levels : Hierarchy
        Hierarchy of the network's modules.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them.
    seed : int, default 0
        Seed of the search for maps.

    Returns
    -------
    (Level, tuple of EquivalentModules)
        The level, and the families of equivalent modules there.

    Raises
    ------
    InputError
        As `equivalent_modules` raises it.

    Notes
    -----
    Counted are the alive hidden neurons of members other than their family's representative: what need not be described
    again. Of equal levels the one of fewest modules is taken; where no level has two equivalent modules, that of
    `choose_level`. No known subfunctions are looked at, but many levels are: that some level has an equivalent pair
    means less than that a chosen one has.
    """
    comparison = Comparison(network, x, seed)
    found = [(level, _families(level.partition.modules, comparison)) for level in reversed(levels.levels)]

    def saved(pair: tuple[Level, tuple[EquivalentModules, ...]]) -> tuple[int, int]:
        modules = pair[0].partition.modules
        repeated = [one.module for family in pair[1] if family.kind == "curved" for one in family.members[1:]]
        return sum(len(comparison.recorded.hidden(modules[n])) for n in repeated), -len(modules)

    best = max(found, key=saved)
    if saved(best)[0]:
        return best
    chosen = choose_level(levels).level
    return chosen, _families(chosen.partition.modules, comparison)


def _families(modules: Sequence[Module], comparison: Comparison) -> tuple[EquivalentModules, ...]:
    kinds = [comparison.kind(module) for module in modules]
    curved = [n for n, kind in enumerate(kinds) if kind == "curved"]
    partners = {n: {n} for n in curved}
    for a, b in combinations(curved, 2):
        pair = modules[a], modules[b]
        if comparison.copy(*pair) is not None and comparison.copy(*pair[::-1]) is not None:
            partners[a].add(b)
            partners[b].add(a)
    found = []
    left = set(curved)
    while left:
        first = max(sorted(left), key=lambda n: len(partners[n] & left))
        others = sorted(partners[first] & left - {first})
        copies = [comparison.member(n, modules[n], modules[first]) for n in others]
        found.append(EquivalentModules("curved", first, (comparison.member(first, modules[first]), *copies)))
        left -= {first, *others}
    for kind in get_args(Kind)[1:]:
        same = [n for n, this in enumerate(kinds) if this == kind]
        if same:
            found.append(EquivalentModules(kind, same[0], tuple(comparison.member(n, modules[n]) for n in same)))
    return tuple(found)
