"""What readers hand to each other: named tensors, a chain of layers, and what the user said of the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict

import numpy as np
from jaxtyping import Float

from ...showing import Shown, brief, one_line

Orientation: TypeAlias = Literal["out_in", "in_out"]
State: TypeAlias = Mapping[str, Any]
ORIENTATIONS: tuple[Orientation, Orientation] = ("out_in", "in_out")


class Reading(TypedDict, total=False):
    """How a file is read where it does not say so itself. Each may be left out.

    Attributes
    ----------
    key : str
        Which of several networks in one file: the path of its key, for instance ``"ema"`` or ``"models.0"``.
    roles : mapping of str to str
        Roles of tensors by name: ``"weight"`` ([out, in]), ``"kernel"`` ([in, out]), ``"bias"`` or ``"ignore"``. If
        every weight has a role here, the layers stand in the order of this mapping.
    orientation : {"out_in", "in_out"}
        How all weights are stored.
    lora_scale : float
        What a LoRA product ``B A`` is multiplied by: alpha / rank.
    batch_norm : {"before", "after"}
        Whether batch norms stand before or after the activation.
    """

    key: str | None
    roles: Mapping[str, str] | None
    orientation: Orientation | None
    lora_scale: float | None
    batch_norm: Literal["before", "after"] | None


@dataclass(frozen=True)
class Told:
    """The fields of `Reading`, each present, and how many inputs the user gave rows or names for."""

    key: str | None = None
    roles: Mapping[str, str] | None = None
    orientation: Orientation | None = None
    lora_scale: float | None = None
    batch_norm: Literal["before", "after"] | None = None
    inputs: int | None = None


class Linear(NamedTuple):
    """One layer ``W h + b`` and the name of its weight.

    Attributes
    ----------
    name : str
        The weight's name in the file.
    weight : array of float, shape (out, in)
        Its weights.
    bias : array of float, shape (out,)
        Its biases.

    Examples
    --------
    >>> Linear("0.weight", np.eye(2), np.zeros(2)).weight.shape
    (2, 2)
    """

    name: str
    weight: Float[np.ndarray, "out in"]
    bias: Float[np.ndarray, " out"]

    def __repr__(self) -> str:
        return one_line(self, brief(self._asdict()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Linear) or self.name != other.name:
            return False
        return np.array_equal(self.weight, other.weight) and np.array_equal(self.bias, other.bias)

    def __ne__(self, other: object) -> bool:  # a tuple's own would compare arrays
        return not self == other


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Shown):
    """A plain feed-forward chain, as a file or a state dict holds it.

    Attributes
    ----------
    layers : sequence of Linear
        First to last.
    activation : str or None
        What stands between the layers; None where the file does not say it.
    final : str
        What stands after the last layer in the file; ``identity`` for nothing.
    assumed : tuple of str
        What was inferred, a sentence each, with the reason.
    under : str or None
        The output that the key chose, if it did.

    Examples
    --------
    >>> Chain([Linear("0.weight", np.eye(2), np.zeros(2))], activation="relu").final
    'identity'
    """

    layers: Sequence[Linear]
    activation: str | None = None
    final: str = "identity"
    assumed: tuple[str, ...] = ()
    under: str | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Tensors(Shown):
    """Named tensors as a file holds them.

    Attributes
    ----------
    state : mapping of str to tensor or array
        By name.
    ordered : bool
        Whether the mapping's order is the one in which the tensors were made.
    assumed : tuple of str
        What was inferred, a sentence each, with the reason.
    under : str or None
        Where in the file the tensors lie, if the reader has taken the key into account; empty for the file itself.

    Examples
    --------
    >>> Tensors({"0.weight": np.eye(2)}, ordered=False).assumed
    ()
    """

    state: State
    ordered: bool = True
    assumed: tuple[str, ...] = ()
    under: str | None = None
