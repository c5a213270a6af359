"""Prove how far a network may lie from a formula, or that it decides as a formula says, and write the proof down."""

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint
from bimt_train.expressions.expression import Expression, parse_expression

from ..formulas import Formula
from ._certificate import Certificate
from ._network_data import network_data
from ._prove_box import prove_box
from ._worst_point import worst_point
from .checker._box_claim import SAME, BoxClaim, apart, packed
from .checker._evaluate import Unreadable
from .checker._exact_fields import Refused, written

if TYPE_CHECKING:
    import sympy

_log = logging.getLogger(__name__)

Inputs = Float64[np.ndarray, "inputs"]

TOLERANCE = 0.01  # of the formula's deviation: how near the proved bound comes to the true worst difference
_WITHIN = 0.9  # of the tolerance, that the proof uses up; the rest is for what the search for the worst point misses
_SECONDS = 60.0
_ROUNDING = 1e-8  # of torch's double precision


def certify(
    checkpoint: Checkpoint,
    formula: "Formula | Expression | sympy.Expr | str",
    *,
    output: str,
    box: Sequence[tuple[float, float]] | None = None,
    eps: float | None = None,
    seconds: float = _SECONDS,
    seed: int = 0,
) -> Certificate:
    """Prove ``|network(x) - formula(x)| <= bound`` for every x in a box, in the task's units.

    The network is taken as a function of real numbers with the checkpoint's weights. First the worst point is searched
    for; then the box is halved until second-order Taylor models of network and formula are within the bound on every
    part. The certificate has the bound, a point where the difference is nearly as large, and the tree of parts.

    Parameters
    ----------
    checkpoint : Checkpoint
        A feed-forward network with its task. A circuit can be certified as ``replace(checkpoint,
        network=circuit.network)``.
    formula : Formula, Expression, sympy.Expr or str
        In the names of the task's inputs. Its text stands in the certificate, and is what is proved.
    output : str
        The name of the output.
    box : sequence of (float, float), optional
        Lowest and highest value of each input; left out, the task's ranges.
    eps : float, optional
        The bound to prove. Left out, or where it is not true, the best: at most 1 % of the formula's standard
        deviation above the true worst difference.
    seconds : float, default 60
        Time limit. Where it is too short, the certificate has the smallest bound that was proved.
    seed : int, default 0
        Of the search for the worst point.

    Returns
    -------
    Certificate
        ``bound`` is proved. ``reached`` is proved too: where it is larger than eps, eps is refuted by ``point``.

    Raises
    ------
    InputError
        A network of another kind, an unknown output, a formula that the checker cannot read, or one that is not
        defined on all of the box.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.array([[1.0, 2.0]])}, activation="relu", ranges=(-1, 1))
    >>> certificate = certify(checkpoint, "x1 + 2*x2 + 0.1*x1**2", output="y1")
    >>> certificate.reached <= 0.1 <= certificate.bound < 0.12
    True
    """
    ends, task = time.monotonic() + seconds, checkpoint.task
    if output not in task.outputs:
        raise InputError("unknown output", expected=", ".join(task.outputs), got=output)
    low, high = _box(checkpoint, box)
    text, network = text_of(formula, task.inputs), network_data(checkpoint.network, task)
    claim = {
        "output": output,
        "formula": text,
        "inputs": list(task.inputs),
        "low": written(low),
        "high": written(high),
        "bound": written([0.0]),
        "mean": written([0.0]),
        "reached": written([0.0]),
        "point": written(low),
    }
    try:
        read = BoxClaim.of(claim, network)
        deviation, mean = read.sampled()
        point = _worst(checkpoint, read, seed)
        network_there, formula_there = read.forms(point[None], point[None])
        reached = float(apart(network_there, formula_there)[0][0])
        target = reached + _WITHIN * TOLERANCE * deviation if eps is None or reached > eps else eps
        _log.info("certificate: proving %s", output)
        tree = prove_box(read, target, ends=ends)
    except (Refused, Unreadable) as error:
        raise InputError("a formula that cannot be certified", where=text, got=str(error)) from None
    seen = checkpoint.predict(point[None])[0, task.outputs.index(output)]  # by torch: the layers were read right
    assert abs(seen - network_there.p[0, 0]) <= network_there.rem[0] + _ROUNDING * (1 + abs(seen)), (
        seen,
        network_there,
    )
    slack = SAME * (tree.worst + deviation)
    numbers = {"bound": tree.worst + slack / 4, "mean": mean, "reached": max(reached - slack / 4, 0.0)}
    claim |= {name: written([value]) for name, value in numbers.items()} | {"point": written(point)}
    proof = {"splits": packed(tree.splits), "leaves": tree.leaves, "mean": written([tree.mean])}
    return Certificate.of(claim, network, proof, complete=tree.complete)


def text_of(formula: "Formula | Expression | sympy.Expr | str", inputs: Sequence[str]) -> str:
    """The text of a formula, in Python's grammar.

    Parameters
    ----------
    formula : Formula, Expression, sympy.Expr or str
        A text is read as `parse_expression` does.
    inputs : sequence of str
        The names that may occur.

    Returns
    -------
    str
        What the checker reads.
    """
    if isinstance(formula, str):
        formula = parse_expression(formula, variables=inputs)
    if isinstance(formula, Expression):
        return formula.tree.written()
    return str(formula.expression if isinstance(formula, Formula) else formula)


def _box(
    checkpoint: Checkpoint, box: Sequence[tuple[float, float]] | None
) -> tuple[Float64[np.ndarray, "inputs"], Float64[np.ndarray, "inputs"]]:
    given = np.asarray(checkpoint.task.ranges if box is None else box, dtype=np.float64)
    if (
        given.shape != (len(checkpoint.task.inputs), 2)
        or not np.isfinite(given).all()
        or (given[:, 0] >= given[:, 1]).any()
    ):
        expected = f"{len(checkpoint.task.inputs)} pairs of finite numbers, the lower first"
        raise InputError("an impossible box", expected=expected, got=str(given.tolist()))
    return given[:, 0].copy(), given[:, 1].copy()


def _worst(checkpoint: Checkpoint, claim: BoxClaim, seed: int) -> Float64[np.ndarray, "inputs"]:
    """A point where network and formula lie far apart, the network evaluated by torch."""
    column = checkpoint.task.outputs.index(claim.output)

    def far(points: Float64[np.ndarray, "points inputs"]) -> Float64[np.ndarray, "points"]:
        return np.asarray(np.abs(checkpoint.predict(points)[:, column] - claim.values(points)))

    return worst_point(far, claim.low, claim.high, seed=seed)
