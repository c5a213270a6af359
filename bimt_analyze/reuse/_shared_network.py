"""What `share` finds: the modules that are used more than once, the tied network, and what that saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy

from bimt_train.checkpoints import Checkpoint
from bimt_train.library import StoredModule
from bimt_train.showing import Shown, to_cell

if TYPE_CHECKING:
    from ._tied_network import TiedNetwork


@dataclass(frozen=True, eq=False, repr=False)
class SharedModule(Shown):
    """A module of a tied network, and where it is used.

    Attributes
    ----------
    expression : sympy.Expr
        Its formula in u (u1, u2, ... of several arguments), scale and offset left out.
    r2 : float
        To which the module follows it, up to scale and offset.
    uses : tuple of str
        For each use, what it reads: one text an argument, parted by commas.
    numbers : int
        Weights and biases of the module.
    module : StoredModule
        The module by itself; ``module.save(path)`` writes it to a file, which `bimt_train.train` takes.

    Examples
    --------
    >>> import numpy as np
    >>> layers = ((np.ones((1, 1)), np.zeros(1)), (np.ones((1, 1)), np.zeros(1)))
    >>> module = StoredModule(("u",), ("f",), layers, "relu")
    >>> square = SharedModule(sympy.Symbol("u") ** 2, 0.9999, ("x1", "x2 + x3"), 7, module)
    >>> square.words()
    'u**2 (r2 0.9999), 7 numbers, used 2 times: of x1; of x2 + x3'
    """

    expression: sympy.Expr
    r2: float
    uses: tuple[str, ...]
    numbers: int
    module: StoredModule

    def _brief(self) -> str:
        return self.words()

    def words(self) -> str:
        """The function, its size and its uses, in one line."""
        times = f"used {len(self.uses)} times" if len(self.uses) > 1 else "used once"
        where = "; ".join(f"of {one}" for one in self.uses)
        return f"{self.expression} (r2 {self.r2:.4f}), {self.numbers} numbers, {times}: {where}"


@dataclass(frozen=True, eq=False, repr=False)
class SharedNetwork(Shown):
    """A network in which modules that compute the same function are one, or why there is none.

    Numbers are weights and biases that are not 0. Of a tied network they are those of its modules, each once, and of
    the adapters all that are neither 0 nor 1 as they stand: to read an input as it is takes no number.

    Attributes
    ----------
    modules : tuple of SharedModule
        The modules; empty where nothing is shared.
    numbers_before : int
        Of the circuit.
    numbers : int
        Of the tied network; ``numbers_before`` where nothing is shared.
    numbers_untied : int
        Of the same network with a module of its own for each use.
    numbers_wired : int
        Of the tied network with all adapters counted, those of 1 and 0 too.
    loss_before : float
        Of the circuit on the test rows, in the network's units.
    loss : float
        Of the tied network on the test rows.
    reason : str
        Why nothing is shared; empty where something is.
    checkpoint : Checkpoint
        The tied network, or the one that was given where nothing is shared. It is saved, read and analysed like any.
    network : torch.nn.Module or None
        The tied network as a module, in double precision.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> from torch import nn
    >>> checkpoint = from_state_dict(nn.Linear(2, 1).state_dict(), activation="silu", ranges=(-1, 1))
    >>> SharedNetwork((), 3, 3, 3, 3, 0.1, 0.1, "no hidden layer", checkpoint).summary()
    ('nothing is shared: no hidden layer',)
    """

    modules: tuple[SharedModule, ...]
    numbers_before: int
    numbers: int
    numbers_untied: int
    numbers_wired: int
    loss_before: float
    loss: float
    reason: str
    checkpoint: Checkpoint
    network: "TiedNetwork | None" = None

    def _brief(self) -> str:
        return self.summary()[-1]

    def _repr_html_(self) -> str:
        rows = [(line,) for line in self.summary()]
        return to_cell("Shared modules", columns=("",), rows=rows)

    @property
    def shares(self) -> bool:
        """Whether a module is used more than once."""
        return not self.reason

    def summary(self) -> tuple[str, ...]:
        """What is shared and what that saved, or why not; a line each.

        Returns
        -------
        tuple of str
            One line a module, and one for the whole.
        """
        if self.reason:
            return (f"nothing is shared: {self.reason}",)
        saved = f"{self.numbers_before} numbers before, {self.numbers} after ({self.numbers_untied} without sharing)"
        return (
            *(one.words() for one in self.modules),
            f"{saved}; loss on the test rows {self.loss_before:.2g} before, {self.loss:.2g} after",
        )

    def to_json(self) -> Mapping[str, Any]:
        """The figures, as plain values."""
        names = ("numbers_before", "numbers", "numbers_untied", "numbers_wired", "loss_before", "loss", "reason")
        modules = [
            {"expression": str(one.expression), "r2": one.r2, "uses": list(one.uses), "numbers": one.numbers}
            for one in self.modules
        ]
        return {name: getattr(self, name) for name in names} | {"modules": modules}
