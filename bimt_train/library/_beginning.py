"""What new networks begin with beside what is drawn: entries that are given, entries that stay, and who reads them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from ..checkpoints import Network
from ..checkpoints._network import EDGE
from ..layouts import Placement
from ..whole_files import content_digest
from ._stored_module import StoredModule

_TOLD = 0.5  # share of an output's variance from which on it begins with a sum of what modules give

Rows = Float64[np.ndarray, "_ _"]


@dataclass(frozen=True, eq=False)
class Readout:
    """How the last layer can read a module.

    Attributes
    ----------
    module : StoredModule
        The module.
    columns : tuple of int
        Which inputs of the network it reads.
    scale, shift : array of float64, shape (read,)
        From what the network sees of the module's inputs to the module's units.
    neurons : tuple of int
        Its neurons in the last hidden layer.
    weight : array of float64, shape (given, neurons)
        How its outputs are made of these.
    bias : array of float64, shape (given,)
        What is added to that.
    """

    module: StoredModule
    columns: tuple[int, ...]
    scale: Float64[np.ndarray, " read"]
    shift: Float64[np.ndarray, " read"]
    neurons: tuple[int, ...]
    weight: Float64[np.ndarray, "given neurons"]
    bias: Float64[np.ndarray, " given"]


@dataclass(frozen=True, eq=False)
class Part:
    """A module, or a trained network, within a network that begins with it.

    Attributes
    ----------
    about : mapping
        What it is; plain JSON values.
    neurons : mapping of str to list of int
        Group -> its neurons there.
    """

    about: Mapping[str, Any]
    neurons: Mapping[str, list[int]]

    def read(self, network: Network) -> float:
        """The greatest weight by which another neuron or an output reads one of its neurons.

        Parameters
        ----------
        network : Network
            The network that it is a part of.
        """
        found = 0.0
        for edge in network.connections():
            others = np.delete(np.abs(edge.matrix), self.neurons.get(edge.target, []), axis=0)
            found = max(found, float(others[:, self.neurons.get(edge.source, [])].max(initial=0.0)))
        return found


@dataclass(frozen=True, eq=False)
class Beginning:
    """What a new network begins with.

    Attributes
    ----------
    values : mapping of str to array
        Tensor name -> values, in the shape of the new network.
    taken : mapping of str to array of bool
        Tensor name -> which entries are taken from ``values``; all others are drawn.
    held : mapping of str to array of bool
        Tensor name -> which entries never change, and pay nothing.
    placement : Placement
        Where the neurons are at first.
    parts : tuple of Part
        The modules, or the trained network.
    readouts : tuple of Readout
        How outputs can read each module that is carried up to the last hidden layer.
    """

    values: Mapping[str, np.ndarray]
    taken: Mapping[str, Bool[np.ndarray, "..."]]
    held: Mapping[str, Bool[np.ndarray, "..."]]
    placement: Placement
    parts: tuple[Part, ...]
    readouts: tuple[Readout, ...] = ()

    def digest(self) -> str:
        """A text that is the same for the same values, places and held entries."""
        arrays = {**self.values, **{f"{k} taken": v for k, v in self.taken.items()}}
        places = {name: list(slots) for name, slots in self.placement.slots.items()}
        said = json.dumps([[dict(one.about) for one in self.parts], places], sort_keys=True)
        return content_digest(arrays | {f"{k} held": v for k, v in self.held.items()}, said)

    def over(self, drawn: Mapping[str, np.ndarray], x: Rows, y: Rows) -> dict[str, np.ndarray]:
        """Tensors as they are drawn, with what is given in its place.

        An output of which weighted sums of the modules' outputs tell half of the variance begins as the nearest of
        these sums.

        Parameters
        ----------
        drawn : mapping of str to array
            The tensors of one network.
        x : array, shape (rows, inputs)
            Its training rows as it sees them.
        y : array, shape (rows, outputs)
            Their targets in its units.
        """
        found = {name: np.where(self.taken[name], self.values[name], array) for name, array in drawn.items()}
        if not self.readouts:
            return found
        given = [one.module.predict(x[:, list(one.columns)] * one.scale + one.shift) for one in self.readouts]
        design = np.concatenate([*given, np.ones((len(x), 1))], axis=1)
        sums = np.linalg.lstsq(design, y, rcond=None)[0].T
        left, whole = ((part**2).sum(axis=0) for part in (design @ sums.T - y, y - y.mean(axis=0)))
        number = len(self.values) // 2 - 1
        weight, bias = (found[f"layers.{number}.{kind}"] for kind in ("weight", "bias"))
        for row in np.flatnonzero(left <= (1 - _TOLD) * whole):
            weight[row], bias[row], at = 0.0, sums[row, -1], 0
            for one, columns in zip(self.readouts, given, strict=True):
                own = sums[row, at : at + columns.shape[1]]
                weight[row, list(one.neurons)] += own @ one.weight
                bias[row] += own @ one.bias
                at += columns.shape[1]
        return found

    def told(self, network: Network) -> list[dict[str, Any]]:
        """What a checkpoint says of each part: what it is, its neurons, and how strongly the trained network reads it.

        Parameters
        ----------
        network : Network
            The trained network.
        """
        kept = any(bool(rows.any()) for rows in self.held.values())
        strengths: Sequence[float] = [one.read(network) for one in self.parts]
        return [
            {**one.about, "kept": kept, "neurons": dict(one.neurons), "strongest": read, "used": read > EDGE}
            for one, read in zip(self.parts, strengths, strict=True)
        ]
