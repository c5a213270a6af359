"""Does a signal carry a quantity? It does if each tells the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

Columns = Float64[np.ndarray, "rows columns"]
Parts = Float64[np.ndarray, "rows parts"]
Quantities = Float64[np.ndarray, "rows quantities"]

_KNOTS = 12
_RIDGE = 1e-9  # keeps splines of few rows defined
_AFFINE = 1.5  # times the spread that a one-to-one map leaves: an affine map that leaves no more is preferred


@dataclass(frozen=True, eq=False)
class Decoder:
    """Quantities read off a signal: by an affine map, or by splines of its parts.

    Attributes
    ----------
    affine : bool
        Whether the map is affine.
    r2 : tuple of float
        Of each quantity, on rows that the map was not fitted on.
    map : callable
        From the signal's parts, [rows, parts], to the quantities, [rows, quantities].

    Examples
    --------
    >>> parts = np.linspace(0, 1, 40)[:, None]
    >>> found = decoder(parts, 3 * parts + 1)
    >>> found.affine, round(found.r2[0], 6)
    (True, 1.0)
    """

    affine: bool
    r2: tuple[float, ...]
    map: "Fitted"

    def __call__(self, parts: Parts) -> Quantities:
        """The quantities.

        Parameters
        ----------
        parts : array of float64, shape (rows, parts)
            The signal.

        Returns
        -------
        array of float64, shape (rows, quantities)
            One column a quantity.
        """
        return self.map(parts)

    def rescaled(self, place: int, *, offset: float, scale: float) -> "Decoder":
        """The decoder of (quantity - offset) / scale in place of one quantity.

        Parameters
        ----------
        place : int
            Which quantity.
        offset, scale : float
            In the quantity's own unit.

        Returns
        -------
        Decoder
            Others as they were.
        """
        weights = self.map.weights.copy()
        weights[0, place] -= offset  # the first feature is 1
        weights[:, place] /= scale
        return replace(self, map=replace(self.map, weights=weights))


@dataclass(frozen=True, eq=False)
class Fitted:
    """A linear function of features of standardised columns.

    Attributes
    ----------
    centre, scale : array of float64, shape (columns,)
        What standardises the columns.
    knots : sequence of float
        Where the splines' third derivatives jump, in standardised units; empty for an affine map.
    weights : array of float64, shape (features, targets)
        Of the features.
    """

    centre: Float64[np.ndarray, " columns"]
    scale: Float64[np.ndarray, " columns"]
    knots: tuple[np.ndarray, ...]
    weights: Float64[np.ndarray, "features targets"]

    def __call__(self, columns: Columns) -> Float64[np.ndarray, "rows targets"]:
        """The function's values.

        Parameters
        ----------
        columns : array of float64, shape (rows, columns)
            Where.

        Returns
        -------
        array of float64, shape (rows, targets)
            There.
        """
        return np.asarray(_features((columns - self.centre) / self.scale, self.knots) @ self.weights)


@dataclass(frozen=True, eq=False)
class Readings:
    """The maps that read each of many quantities off a signal, from which those of any few are taken.

    Attributes
    ----------
    straight, bent : Fitted
        The affine map, and the splines.
    of_straight, of_bent : tuple of float
        r2 of each quantity, on rows that the map was not fitted on.
    """

    straight: "Fitted"
    bent: "Fitted"
    of_straight: tuple[float, ...]
    of_bent: tuple[float, ...]

    def best(self, place: int) -> float:
        """The larger r2 of the two maps.

        Parameters
        ----------
        place : int
            Which quantity.

        Returns
        -------
        float
            No decoder of it has a larger one.
        """
        return max(self.of_straight[place], self.of_bent[place])

    def decoder(self, places: Sequence[int]) -> Decoder:
        """The map that reads some of the quantities.

        Parameters
        ----------
        places : sequence of int
            Which quantities.

        Returns
        -------
        Decoder
            Affine, unless splines leave less than two thirds of what an affine map leaves, of any of them.
        """
        of_straight, of_bent = (tuple(r2[k] for k in places) for r2 in (self.of_straight, self.of_bent))
        affine = all(1 - a <= _AFFINE * (1 - b) + 1e-12 for a, b in zip(of_straight, of_bent, strict=True))
        chosen, r2 = (self.straight, of_straight) if affine else (self.bent, of_bent)
        return Decoder(affine, r2, replace(chosen, weights=chosen.weights[:, list(places)]))


def readings(parts: Parts, quantities: Quantities) -> Readings:
    """The maps that read quantities off a signal: fitted on even rows, judged on odd ones.

    Parameters
    ----------
    parts : array of float64, shape (rows, parts)
        The signal.
    quantities : array of float64, shape (rows, quantities)
        What is to be read.

    Returns
    -------
    Readings
        Of each quantity.
    """
    straight, bent = (_fit(parts[::2], quantities[::2], splines=splines) for splines in (False, True))
    of_straight, of_bent = (_r2(fit(parts[1::2]), quantities[1::2]) for fit in (straight, bent))
    return Readings(straight, bent, of_straight, of_bent)


def decoder(parts: Parts, quantities: Quantities) -> Decoder:
    """The map that reads all of some quantities off a signal.

    Parameters
    ----------
    parts : array of float64, shape (rows, parts)
        The signal.
    quantities : array of float64, shape (rows, quantities)
        What is to be read.

    Returns
    -------
    Decoder
        See `Readings.decoder`.
    """
    return readings(parts, quantities).decoder(range(quantities.shape[1]))


def told(quantities: Quantities, parts: Parts) -> float:
    """How much of a signal some quantities tell: r2 of splines of theirs, over all of the signal's variance.

    Parameters
    ----------
    quantities : array of float64, shape (rows, quantities)
        The quantities.
    parts : array of float64, shape (rows, parts)
        The signal.

    Returns
    -------
    float
        On rows that the splines were not fitted on; 1 where the signal is a function of the quantities.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    >>> square = x[:, :1] ** 2
    >>> round(told(x[:, :1], square), 3), round(told(x[:, 1:], square), 1) <= 0
    (1.0, True)
    """
    fit = _fit(quantities[::2], parts[::2], splines=True)
    left = ((fit(quantities[1::2]) - parts[1::2]) ** 2).sum(axis=0)
    around = ((parts[1::2] - parts[1::2].mean(axis=0)) ** 2).sum(axis=0)
    return float(1 - left.sum() / max(around.sum(), np.finfo(float).tiny))


def _fit(columns: Columns, targets: Float64[np.ndarray, "rows targets"], *, splines: bool) -> Fitted:
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    standard = (columns - centre) / scale
    places = np.linspace(0, 100, _KNOTS)[1:-1]
    knots = tuple(np.unique(np.percentile(column, places)) for column in standard.T) if splines else ()
    features = _features(standard, knots)
    gram = features.T @ features + _RIDGE * len(features) * np.eye(features.shape[1]) * bool(knots)
    weights = np.linalg.lstsq(gram, features.T @ targets, rcond=None)[0]
    if not knots:
        weights = np.linalg.lstsq(features, targets, rcond=None)[0]
    return Fitted(centre, scale, knots, weights)


def _features(standard: Columns, knots: Sequence[np.ndarray]) -> Float64[np.ndarray, "rows features"]:
    """A constant and the columns; with knots also powers, truncated cubes at the knots, and products of two columns."""
    found = [np.ones((len(standard), 1)), standard]
    if knots:
        found += [standard**2, standard**3]
        found += [np.maximum(standard[:, [k]] - places, 0.0) ** 3 for k, places in enumerate(knots)]
        width = standard.shape[1]
        found += [standard[:, [a]] * standard[:, [b]] for a in range(width) for b in range(a)]
    return np.concatenate(found, axis=1)


def _r2(said: Columns, right: Columns) -> tuple[float, ...]:
    around = ((right - right.mean(axis=0)) ** 2).sum(axis=0)
    left = ((said - right) ** 2).sum(axis=0)
    return tuple(float(1 - a / b) if b > 0 else 0.0 for a, b in zip(left, around, strict=True))
