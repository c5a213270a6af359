"""What is known of quantities on boxes: a polynomial of degree two, a remainder and a range, all rounding counted.

On a box x = centre + radius * t with every |t_i| <= 1. A quantity is p[0] + sum p[i] t_i + sum p[n + i n + j] t_i t_j
up to ``rem``, and lies in [lo, hi] (a Taylor model: Makino and Berz, "Taylor models and other validated functional
inclusion methods", 2003). Every operation adds to ``rem`` what it drops, and 2**-48, which is 32 roundings, of all that
enters. Assumed are IEEE doubles; that numpy's exp, log, sin, cos, tanh, arctan, arcsin, power and Python's erf are
right to 4 units in the last place; and that nothing below 1e-290 counts. NaN in ``rem`` means that nothing is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

ROUND, UP, TINY = 2.0**-48, 1 + 2.0**-40, 1e-290

Array: TypeAlias = Any  # numpy's own; of any shape
Rule: TypeAlias = Callable[..., tuple[Array, ...]]
"""From a place m, the range [lo, hi], and the least and largest |x| in it: the function g, g' and g''/2 at m, a bound
of |g'''|, the least and the largest value, and whether g is defined on all of the range."""
Bend: TypeAlias = tuple[Callable[[Array], Array], Callable[..., tuple[Array, ...]]]
"""A convex or concave function; and from a slope and the range a point, the value and a slope of a tangent there."""


@dataclass(frozen=True)
class Form:
    """Quantities of shape [...] on boxes.

    Attributes
    ----------
    p : array of shape [1 + n + n**2, ...]
        The polynomial's coefficients.
    rem : array of shape [...]
        How far the quantity may lie from the polynomial.
    lo, hi : arrays of shape [...]
        The range.
    """

    p: Array
    rem: Array
    lo: Array
    hi: Array

    @classmethod
    def of(cls, p: Array, rem: Array, lo: Array, hi: Array) -> "Form":
        """A form whose coefficients were just rounded, its range narrowed to that of its polynomial.

        Parameters
        ----------
        p : array of shape [coefficients, boxes, ...]
            The polynomial's coefficients.
        rem : array of shape [boxes, ...]
            Its error.
        lo, hi : arrays of shape [boxes, ...]
            A range known otherwise.
        """
        n, size = _axes(p), np.abs(p)
        rounding = ROUND * size.sum(0)
        rem = (rem + rounding) * UP + TINY
        line, square = size[1 : n + 1], p[n + 1 :: n + 1]
        rest = (size[n + 1 :].sum(0) - np.abs(square).sum(0) + rem + rounding) * UP

        def top(q: Array) -> Array:  # of |line| t + q t**2 for t up to 1
            with np.errstate(all="ignore"):
                return np.where(line < -2 * q, line * line / (-4 * q), line + q).sum(0) + rest

        return cls(p, rem, np.fmax(lo, p[0] - top(-square)), np.fmin(hi, p[0] + top(square)))

    @classmethod
    def variables(cls, lo: Array, hi: Array) -> "Form":
        """The inputs themselves.

        Parameters
        ----------
        lo, hi : arrays of shape [boxes, inputs]
            The boxes. Where all are points, the polynomials are constants.
        """
        boxes, n = lo.shape
        axes = np.arange(0 if (lo == hi).all() else n)
        centre = (lo + hi) / 2
        p = np.zeros((1 + len(axes) + len(axes) ** 2, boxes, n))
        p[0] = centre
        p[axes + 1, :, axes] = (np.maximum(hi - centre, centre - lo) * UP).T[: len(axes)]
        return cls.of(p, np.zeros_like(lo), lo, hi)

    def at(self, column: int) -> "Form":
        """One of several quantities.

        Parameters
        ----------
        column : int
            Which of them.
        """
        return Form(*(part[..., column] for part in (self.p, self.rem, self.lo, self.hi)))

    def constant(self, value: Array, error: Array = 0.0) -> "Form":
        """A number that is known up to an error, as a form of this one's shape.

        Parameters
        ----------
        value, error : float or array of shape [boxes, ...]
            The number, and its error.
        """
        p, zero = np.zeros_like(self.p), np.zeros_like(self.lo)
        p[0] = value
        return Form.of(p, zero + error, *_outward(zero + value - error, zero + value + error))

    def __neg__(self) -> "Form":
        return Form(-self.p, self.rem, -self.hi, -self.lo)

    def __add__(self, other: "Form") -> "Form":
        return Form.of(self.p + other.p, self.rem + other.rem, *_outward(self.lo + other.lo, self.hi + other.hi))

    def __mul__(self, other: "Form") -> "Form":
        n, a, b = _axes(self.p), self.p, other.p
        p = a[0] * b + b[0] * a
        p[0] = a[0] * b[0]
        cross = a[1 : n + 1, None] * b[None, 1 : n + 1]
        p[n + 1 :] += ((cross + cross.swapaxes(0, 1)) / 2).reshape(p[n + 1 :].shape)
        (_, line, square, size), (_, line2, square2, size2) = _sizes(a), _sizes(b)
        dropped = line * square2 + square * (line2 + square2) + ROUND * size * size2
        corners = [x * y for x in (self.lo, self.hi) for y in (other.lo, other.hi)]
        low, high = _outward(reduce(np.minimum, corners), reduce(np.maximum, corners), (self.lo >= 0) & (other.lo >= 0))
        return Form.of(p, dropped + size * other.rem + self.rem * (size2 + other.rem), low, high)

    def affine(self, weights: Array, bias: Array) -> "Form":
        """``weights @ x + bias``; its rounding is bounded as in Higham, "Accuracy and stability", section 3.1.

        Parameters
        ----------
        weights : array of shape [targets, sources]
            The matrix.
        bias : array of shape [targets]
            What is added.
        """
        spread, unit = np.abs(weights).T, (weights.shape[1] + 4) * 2.0**-52
        p = self.p @ weights.T
        p[0] += bias
        middle, radius = (self.lo + self.hi) / 2, (self.hi - self.lo) / 2
        centre = middle @ weights.T + bias
        reach = (radius + unit * (np.abs(middle) + radius)) @ spread * UP + unit * np.abs(bias)
        rem = (self.rem + unit * np.abs(self.p).sum(0)) @ spread * UP + unit * np.abs(bias)
        return Form.of(p, rem, *_outward(centre - reach, centre + reach))

    def through(self, rule: Rule, bend: Bend | None = None) -> "Form":
        """A function of it, by what leaves least: Taylor's second order, a constant, a line between chord and tangent.

        Parameters
        ----------
        rule : Rule
            The function.
        bend : Bend, optional
            The same function, where it is convex or concave and its derivatives may be infinite.
        """
        n, lo, hi = _axes(self.p), self.lo, self.hi
        m = np.clip(np.nan_to_num(self.p[0]), lo, hi)
        r = np.maximum(hi - m, m - lo) * UP
        most = np.maximum(np.abs(lo), np.abs(hi))
        g, g1, g2, third, low, high, defined = rule(m, lo, hi, np.maximum(np.maximum(lo, -hi), 0.0), most)
        low, high = _outward(low + 0.0 * m, high + 0.0 * m)
        step = np.concatenate([self.p[:1] - m, self.p[1:]])
        p, line = g1 * step, step[1 : n + 1]
        p[0] += g
        p[n + 1 :] += (g2 * line[:, None] * line[None]).reshape(p[n + 1 :].shape)
        shift, flat, square, size = _sizes(step)
        size, rest = size + r, shift + square + self.rem
        rem = np.abs(g1) * self.rem + np.abs(g2) * rest * (2 * flat + rest) + third * r**3 / 6 * UP
        rem = rem + ROUND * (np.abs(g) + (np.abs(g1) + 1) * size + (np.abs(g2) + 1) * size**2)
        p, rem = _better(p, rem, np.zeros_like(p), (low + high) / 2, (high - low) / 2 * UP + 0 * self.rem)
        if bend is not None:
            slope = np.nan_to_num((bend[0](hi) - bend[0](lo)) / (hi - lo))
            z, at, steep = bend[1](slope, lo, hi)
            ends = [bend[0](x) - slope * x for x in (lo, hi)] + [at + steep * (x - z) - slope * x for x in (lo, hi)]
            below, above = reduce(np.minimum, ends), reduce(np.maximum, ends)
            rounding = ROUND * (np.abs(at) + (np.abs(steep) + np.abs(slope)) * most)
            spread = np.abs(slope) * self.rem + (above - below) / 2 * UP + rounding
            p, rem = _better(p, rem, slope * self.p, (below + above) / 2, spread)
        return Form.of(p, np.where(defined, rem, np.nan), low, high)


def _axes(p: Array) -> int:
    return int(((4 * len(p) - 3) ** 0.5 - 1) / 2 + 0.5)


def _sizes(p: Array) -> tuple[Array, Array, Array, Array]:
    """Bounds of the polynomial's three degrees, and of all."""
    n, size = _axes(p), np.abs(p)
    return size[0], size[1 : n + 1].sum(0), size[n + 1 :].sum(0), size.sum(0)


def _better(p: Array, rem: Array, p2: Array, shift: Array, rem2: Array) -> tuple[Array, Array]:
    """The polynomial of the smaller remainder; the second one is given without ``shift``."""
    second = (rem2 < rem) | np.isnan(rem)
    p2[0] += shift
    return np.where(second, p2, p), np.where(second, rem2, rem)


def _outward(low: Array, high: Array, signed: Array = True) -> tuple[Array, Array]:
    """A range with its rounding; what cannot be negative stays so."""
    below, kept = low - ROUND * np.abs(low) - TINY, (low > 0) | ((low == 0) & signed)
    return np.where(kept, np.maximum(below, 0.0), below), high + ROUND * np.abs(high) + TINY
