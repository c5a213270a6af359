"""Branch and bound: halve boxes until the checker's enclosure of each is within the bound that is to be proved."""

import time
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, UInt8

from bimt_train import InputError

from .checker._box_claim import CHUNK, LEAF, BoxClaim, apart, halved

Boxes = Float64[np.ndarray, "boxes inputs"]

_MOST_OPEN = 1 << 20


@dataclass(frozen=True)
class Tree:
    """A tree of halved boxes, and what its leaves prove.

    Attributes
    ----------
    splits : bytes
        Level by level, one byte a box: the axis that is halved, or 255 for a leaf.
    worst, mean : float
        The largest and the mean bound of the leaves.
    leaves : int
        How many there are.
    complete : bool
        Whether each leaf is within what was asked; else the time was too short.
    """

    splits: bytes
    worst: float
    mean: float
    leaves: int
    complete: bool


@dataclass
class _Grown:
    """What has been settled so far."""

    splits: list[bytes] = field(default_factory=list)
    worst: float = 0.0
    total: float = 0.0
    leaves: int = 0


def prove_box(claim: BoxClaim, target: float, *, ends: float) -> Tree:
    """Halve the box until every part is within a target, or the time is over.

    All boxes of a level are enclosed at once. A box is halved along the axis on which network and formula
    vary most; their remainders count as variation along the widest.

    Parameters
    ----------
    claim : BoxClaim
        Network, formula and box; its bound is not read.
    target : float
        The bound that is to be proved.
    ends : float
        When to stop, on the clock of `time.monotonic`; the boxes that are left are leaves then.

    Returns
    -------
    Tree
        A proof of ``Tree.worst``.

    Raises
    ------
    InputError
        A part of the box where nothing can be proved: the formula is not defined there, or not bounded.
    """
    grown, low, high = _Grown(), claim.low[None], claim.high[None]
    while True:
        began = time.monotonic()
        bounds, axes = _looked_at(claim, low, high)
        took = time.monotonic() - began
        open_ = ~(bounds <= target)
        unknown = ~np.isfinite(bounds)
        hopeless = undefined(claim, low[unknown], high[unknown])
        over = time.monotonic() + 2 * took * open_.mean() > ends or 2 * open_.sum() > _MOST_OPEN
        last = over or not open_.any()
        if hopeless is not None or (last and unknown.any()):
            raise _unproved(claim, (low + high)[unknown][0] / 2 if hopeless is None else hopeless)
        codes = np.where(open_ & ~np.bool_(last), axes, LEAF).astype(np.uint8)
        leaf = codes == LEAF
        grown.splits.append(codes.tobytes())
        grown.worst = max(grown.worst, float(bounds[leaf].max(initial=0.0)))
        grown.total += float(bounds[leaf].sum())
        grown.leaves += int(leaf.sum())
        if last:
            mean = grown.total / grown.leaves
            return Tree(b"".join(grown.splits), grown.worst, mean, grown.leaves, not open_.any())
        low, high = halved(low[~leaf], high[~leaf], codes[~leaf])


def _looked_at(
    claim: BoxClaim, low: Boxes, high: Boxes
) -> tuple[Float64[np.ndarray, "boxes"], UInt8[np.ndarray, "boxes"]]:
    """The proved bound of each box, and the axis along which to halve it."""
    bounds, axes = [], []
    n = low.shape[1]
    for first in range(0, len(low), CHUNK):
        some = slice(first, first + CHUNK)
        forms = claim.forms(low[some], high[some])
        bounds.append(apart(*forms)[1])
        width = ((high - low)[some] / (claim.high - claim.low)).T
        width /= width.max(axis=0)
        vary = np.zeros_like(width)
        for form in forms:
            size = np.abs(form.p)
            per_axis = size[1 : n + 1] + size[n + 1 :].reshape(n, n, -1).sum(axis=1)
            vary = vary + np.nan_to_num(per_axis, posinf=0.0) + width * np.nan_to_num(form.rem, nan=1.0, posinf=1.0)
        axes.append(vary.argmax(axis=0).astype(np.uint8))
    return np.concatenate(bounds), np.concatenate(axes)


def undefined(claim: BoxClaim, low: Boxes, high: Boxes) -> Float64[np.ndarray, "inputs"] | None:
    """A corner or a middle of the boxes where the formula has no value, if there is one.

    Parameters
    ----------
    claim : BoxClaim
        The formula.
    low, high : arrays of shape [boxes, inputs]
        The boxes.
    """
    for points in (low, high, (low + high) / 2):
        missing = np.isnan(claim.values(points))
        if missing.any():
            return np.asarray(points[missing][0])
    return None


def _unproved(claim: BoxClaim, point: Float64[np.ndarray, "inputs"]) -> InputError:
    place = ", ".join(f"{name} = {x:.4g}" for name, x in zip(claim.inputs, point, strict=True))
    return InputError(
        "nothing can be proved in a part of the box", where=f"near {place}",
        expected="a formula that is defined and bounded there", got=claim.formula,
        hint="give a smaller box, or more time",
    )  # fmt: skip
