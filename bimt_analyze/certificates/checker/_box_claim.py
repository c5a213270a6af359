"""A bound of |network - formula| on a box, and its proof: a tree of halved boxes, each small enough to enclose."""

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._enclosed_network import Layers
from ._evaluate import evaluated, parsed
from ._exact_fields import fields, must, names, number, numbers
from ._form import Array, Form

FIELDS = ("output", "formula", "inputs", "low", "high", "bound", "mean", "reached", "point")
SAME = 1e-9  # of bound and deviation: how far the numbers of two machines may differ
LEAF, CHUNK, MOST = 255, 2048, 1 << 24  # the code of a leaf; boxes at once; boxes in all


@dataclass(frozen=True, eq=False)
class BoxClaim:
    """``|network(x) - formula(x)| <= bound`` for all x in the box, and at ``point`` it is ``reached`` or more.

    Attributes
    ----------
    network : Layers
        The network.
    output, formula : str
        One of its outputs, and the text of the formula, in the inputs' names.
    inputs : tuple of str
        Names of the inputs.
    low, high : arrays of shape [inputs]
        The box.
    bound, mean, reached : float
        In the task's units; the mean is that of 4096 fixed points.
    point : array of shape [inputs]
        A place in the box.
    """

    network: Layers
    output: str
    formula: str
    inputs: tuple[str, ...]
    low: Array
    high: Array
    bound: float
    mean: float
    reached: float
    point: Array

    @classmethod
    def of(cls, data: Any, network: Any) -> "BoxClaim":
        """Read it from plain JSON.

        Parameters
        ----------
        data : object
            The certificate's claim.
        network : object
            The certificate's network, for `Layers.of`.
        """
        said = fields(data, FIELDS, "claim")
        inputs = names(said["inputs"], "inputs")
        layers = Layers.of(network, len(inputs))
        must(layers.tokens == 0, "a box of tokens")
        must(isinstance(said["output"], str) and said["output"] in layers.outputs, f"unknown output {said['output']!r}")
        must(isinstance(said["formula"], str) and len(said["formula"]) < 20_000, "a formula that is no text")
        low, high, point = (numbers(said[key], len(inputs)) for key in ("low", "high", "point"))
        must((low < high).all(), "an empty box")
        must(((low <= point) & (point <= high)).all(), "a point outside the box")
        bound, mean, reached = (number(said[key]) for key in ("bound", "mean", "reached"))
        must(0 <= reached <= bound, "a bound below what is reached")
        return cls(layers, said["output"], said["formula"], inputs, low, high, bound, mean, reached, point)

    def forms(self, low: Array, high: Array) -> tuple[Form, Form]:
        """The network's output and the formula's value on boxes.

        Parameters
        ----------
        low, high : arrays of shape [boxes, inputs]
            The boxes.
        """
        with np.errstate(all="ignore"):
            x = Form.variables(low, high)
            return self.network(x).at(self.network.outputs.index(self.output)), self._formula(x)

    def _formula(self, x: Form) -> Form:
        return evaluated(parsed(self.formula), {name: x.at(column) for column, name in enumerate(self.inputs)})

    def values(self, points: Array) -> Array:
        """The formula's values at points, rounded; NaN where it has none.

        Parameters
        ----------
        points : array of shape [points, inputs]
            Anywhere.
        """
        with np.errstate(all="ignore"):
            found = self._formula(Form.variables(points, points))
        return np.where(np.isfinite(found.rem), found.p[0], np.nan)

    def sampled(self) -> tuple[float, float]:
        """The formula's standard deviation and the mean |network - formula| on 4096 fixed points of the box.

        Both are for people: a unit, and what is usual where the bound is what is worst. No proof depends on them.
        """
        places = np.random.default_rng(0).random((4096, len(self.inputs)))
        points = np.clip(self.low + places * (self.high - self.low), self.low, self.high)
        network, formula = self.forms(points, points)
        return float(np.std(np.nan_to_num(formula.p[0]))), float(np.nan_to_num(abs(network.p[0] - formula.p[0])).mean())

    def check(self, proof: Any) -> float:
        """Enclose every leaf and the point, and hold the numbers of the claim against that; the deviation.

        Parameters
        ----------
        proof : object
            The certificate's proof: the tree of halved boxes, with its number of leaves and the mean of their bounds.
        """
        said = fields(proof, ("splits", "leaves", "mean"), "proof")
        must(type(said["leaves"]) is int, "leaves are no whole number")
        (deviation, mean), worst, total, count = self.sampled(), 0.0, 0.0, 0
        for low, high in leaves(self.low, self.high, _unpacked(said["splits"])):
            for some in range(0, len(low), CHUNK):
                part = slice(some, some + CHUNK)
                most = apart(*self.forms(low[part], high[part]))[1]
                must(np.isfinite(most).all(), "a part of the box where nothing is proved")
                must((most <= self.bound).all(), f"a part of the box where only {most.max():.6g} is proved")
                worst, total, count = max(worst, float(most.max())), total + float(most.sum()), count + len(most)
        slack = SAME * (self.bound + deviation)
        must(self.bound <= worst + slack, f"a bound that is not the proved one, {worst:.6g}")
        must(abs(mean - self.mean) <= slack, f"another mean than that of its points, {mean:.6g}")
        must(count == said["leaves"], f"{count} parts of the box, not {said['leaves']}")
        must(abs(total / count - number(said["mean"])) <= slack, "another mean of the bounds than its parts have")
        least = float(apart(*self.forms(self.point[None], self.point[None]))[0][0])
        must(self.reached <= least <= self.reached + slack, f"at the point {least:.6g} is reached")
        return deviation


def apart(network: Form, formula: Form) -> tuple[Array, Array]:
    """The least and the largest |network - formula| on each box; 0 and infinity where nothing is proved.

    Parameters
    ----------
    network, formula : Form
        Both on the same boxes.
    """
    with np.errstate(all="ignore"):
        between = network + -formula
        low, high = np.maximum(np.maximum(between.lo, -between.hi), 0.0), np.maximum(-between.lo, between.hi)
    known = np.isfinite(between.rem) & np.isfinite(high)
    return np.where(known, low, 0.0), np.where(known, high, np.inf)


def leaves(low: Array, high: Array, splits: bytes) -> Iterator[tuple[Array, Array]]:
    """The leaves of a tree of halved boxes, level by level.

    Parameters
    ----------
    low, high : arrays of shape [inputs]
        The whole box.
    splits : bytes
        One byte a box, level by level: the axis along which it is halved, or 255 for a leaf.
    """
    low, high, place = low[None], high[None], 0
    while len(low):
        codes = np.frombuffer(splits[place : place + len(low)], np.uint8)
        must(len(codes) == len(low), "a tree that does not cover the box")
        place, leaf = place + len(low), codes == LEAF
        must((leaf | (codes < low.shape[1])).all(), "a tree with an unknown axis")
        yield low[leaf], high[leaf]
        low, high = halved(low[~leaf], high[~leaf], codes[~leaf])
    must(place == len(splits), "a tree with parts left over")


def halved(low: Array, high: Array, axes: Array) -> tuple[Array, Array]:
    """Halve each box; the lower half ends exactly where the upper half begins.

    Parameters
    ----------
    low, high : arrays of shape [boxes, inputs]
        The boxes.
    axes : array of shape [boxes]
        Along which input each is halved.
    """
    each = np.arange(len(low))
    middle = low[each, axes] / 2 + high[each, axes] / 2
    first, second = high.copy(), low.copy()
    first[each, axes], second[each, axes] = middle, middle
    return np.concatenate([low, second]), np.concatenate([first, high])


def packed(splits: bytes) -> str:
    """A tree as text.

    Parameters
    ----------
    splits : bytes
        As `leaves` reads it.
    """
    return base64.b64encode(zlib.compress(splits, 9)).decode("ascii")


def _unpacked(text: Any) -> bytes:
    must(isinstance(text, str), "splits are no text")
    try:
        reader = zlib.decompressobj()
        found = reader.decompress(base64.b64decode(text, validate=True), MOST)
    except (binascii.Error, zlib.error, ValueError):
        found = b""
    must(found and reader.eof and not reader.unused_data, "splits that cannot be unpacked")
    return found
