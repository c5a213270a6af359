"""What a classifier weighs: the log-odds of each class as a formula, whose zeros are the decision boundary."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64, Int64

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint
from bimt_train.showing import Shown, to_cell

from ..formulas import Formula
from ..formulas.export._cells import set_formulas
from ..formulas.problem._template import numeric
from ..formulas.verification._network_formula import network_formula

Matrix = Float64[np.ndarray, "rows columns"]

_POINTS = 10_000  # fresh ones, at which decisions are compared
_LEAST = 1e-300  # of a probability
_MOST_CLASSES = 10
_MOST_INPUTS = 20


@dataclass(frozen=True, repr=False)
class ClassFormulas(Shown):
    """The log-odds of each class against one of them, as formulas in the inputs.

    Attributes
    ----------
    classes : tuple of str
        All classes, in the order of the network's outputs; of a network with one output, ``not`` it and it.
    reference : str
        The class that all others are held against; its own log-odds are 0.
    formulas : mapping of str to Formula
        Of every other class: log (its probability / that of the reference). Where it is 0, the two are equally likely.
    agreement : float
        Share of the held-out rows at which the formulas decide as the network does.
    fresh_agreement : float
        The same of 10,000 fresh points in the ranges of the inputs.
    right : float
        Share of the held-out rows at which the formulas decide rightly.
    network_right : float
        Share of them at which the network does.
    rows : int
        How many rows were held out.

    Examples
    --------
    >>> x = np.array([[0.0], [2.0]])
    >>> odds = Formula("logit_b", sympy.Symbol("x", real=True) - 1, ("x",), 1.0, 0.0, 0.0, 0.0, 3, (), 9)
    >>> found = ClassFormulas(("a", "b"), "a", {"b": odds}, 0.98, 0.97, right=1.0, network_right=0.98, rows=50)
    >>> print(found.verdict())
    decides as the network at 98.0% of 50 held-out rows and 97.0% of fresh points; right at 100.0%, the network at 98.0%
    >>> found.decide(x).tolist(), found.boundary("b")
    ([0, 1], Eq(x - 1, 0))
    """

    classes: tuple[str, ...]
    reference: str
    formulas: Mapping[str, Formula]
    agreement: float
    fresh_agreement: float
    right: float
    network_right: float
    rows: int

    def boundary(self, name: str) -> sympy.Basic:
        """Where a class and the reference are equally likely, as an equation.

        Parameters
        ----------
        name : str
            A class other than the reference.
        """
        return sympy.Eq(self.formulas[name].expression, 0)

    def log_odds(self, x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows classes"]:
        """The log-odds of every class against the reference, by the formulas.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            Inputs in the task's own units.
        """
        columns = []
        for name in self.classes:
            if name == self.reference:
                columns.append(np.zeros(len(x)))
                continue
            formula = self.formulas[name]
            columns.append(numeric(formula.expression, [sympy.Symbol(i, real=True) for i in formula.inputs])(x))
        return np.stack(columns, axis=1)

    def decide(self, x: Float64[np.ndarray, "rows inputs"]) -> Int64[np.ndarray, " rows"]:
        """The number of the likeliest class, by the formulas.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            Inputs in the task's own units.
        """
        return np.asarray(np.argmax(np.nan_to_num(self.log_odds(x), nan=-np.inf), axis=1))

    def verdict(self) -> str:
        """How far the formulas decide as the network does, and rightly, in one line."""
        held, fresh, right, network = map(
            _share, (self.agreement, self.fresh_agreement, self.right, self.network_right)
        )
        at = f"{held} of {self.rows} held-out rows and {fresh} of fresh points"
        return f"decides as the network at {at}; right at {right}, the network at {network}"

    def _brief(self) -> str:
        said = "; ".join(f"{name} against {self.reference}: {f.expression}" for name, f in self.formulas.items())
        return f"{said}: {self.verdict()}"

    def _repr_html_(self) -> str:
        odds = {f"log-odds of {name} against {self.reference}": f.expression for name, f in self.formulas.items()}
        return to_cell(self.verdict(), lines=set_formulas(odds).values())

    def to_json(self) -> dict[str, Any]:
        """The formulas and what is said of them as plain values."""
        return {
            "classes": list(self.classes),
            "reference": self.reference,
            "formulas": {name: formula.to_json() for name, formula in self.formulas.items()},
            "agreement": self.agreement,
            "fresh_agreement": self.fresh_agreement,
            "right": self.right,
            "network_right": self.network_right,
            "rows": self.rows,
        }


def _share(part: float) -> str:
    """A share in per cent; less than all is never written as all."""
    return f"{part if part == 1.0 else min(part, 0.999):.1%}"


def class_formulas(
    checkpoint: Checkpoint, *, reference: str | None = None, time_limit: float = 5.0, seed: int = 0
) -> ClassFormulas:
    """The log-odds of each class of a network against one of them, each as a short formula of the inputs.

    Parameters
    ----------
    checkpoint : Checkpoint
        A network whose targets are classes, with its rows.
    reference : str, optional
        The class that all others are held against; the first if left out.
    time_limit : float, default 5.0
        Units of work for all formulas together.
    seed : int, default 0
        Of the points and of the search.

    Returns
    -------
    ClassFormulas
        The shortest formulas that leave at most 5 % of the log-odds' deviation on the training rows, or the nearest,
        with how often they decide as the network does.

    Raises
    ------
    InputError
        For targets that are numbers or several labels a row, for tokens, for more than 20 inputs or 10 classes, and for
        an unknown reference.

    Examples
    --------
    >>> from bimt_train.checkpoints import Probe, TaskSpec, from_state_dict
    >>> weights = {"0.weight": np.array([[1.0, -2.0], [0.0, 0.0]]), "0.bias": np.array([0.5, 0.0])}
    >>> net = from_state_dict(weights, activation="relu", ranges=(-1, 1)).network
    >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    >>> y = np.eye(2)[(x[:, 0] - 2 * x[:, 1] + 0.5 < 0).astype(int)]
    >>> task = TaskSpec("sides", ("u", "v"), ("left", "right"), ((-1, 1),) * 2, loss="cross-entropy")
    >>> found = class_formulas(Checkpoint(net, task, Probe(x, y, x, y), {}), reference="right", time_limit=0.3)
    >>> found.formulas["left"].expression, found.fresh_agreement
    (u - 2*v + 1/2, 1.0)
    """
    task, probe = checkpoint.task, checkpoint.probe
    single = task.loss == "bce" and len(task.outputs) == 1
    classes = (f"not {task.outputs[0]}", task.outputs[0]) if single else task.outputs
    if (why := _why_none(checkpoint, len(classes))) or not (single or task.loss == "cross-entropy"):
        what = why or "outputs that are each a yes or no of their own"
        raise InputError(what, where=f"task {task.name!r}", expected="one class a row", got=f"loss {task.loss}")
    against = classes[0] if reference is None else reference
    if against not in classes:
        raise InputError("no such class", where="reference", expected=f"one of {', '.join(classes)}", got=against)

    def odds(x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows classes"]:
        found = _log_odds(checkpoint, x, single)
        return np.asarray(found - found[:, [classes.index(against)]])

    others = [name for name in classes if name != against]
    formulas = {}
    for name in others:
        place = classes.index(name)
        formulas[name] = network_formula(
            partial(_column, odds, place), names=task.inputs, output=f"log-odds of {name}",
            ranges=task.ranges, time_limit=time_limit / len(others), seed=seed, rows=probe.x_train,
        )  # fmt: skip
    found = ClassFormulas(tuple(classes), against, formulas, 0.0, 0.0, 0.0, 0.0, len(probe.x_test))
    low, high = np.array(task.ranges, dtype=np.float64).T
    fresh = np.random.default_rng((seed, 1)).uniform(low, high, (_POINTS, len(low)))
    targets = probe.y_test[:, 0].astype(int) if single else np.argmax(probe.y_test, axis=1)
    said, network = found.decide(probe.x_test), np.argmax(odds(probe.x_test), axis=1)
    return replace(
        found,
        agreement=float(np.mean(said == network)),
        fresh_agreement=float(np.mean(found.decide(fresh) == np.argmax(odds(fresh), axis=1))),
        right=float(np.mean(said == targets)),
        network_right=float(np.mean(network == targets)),
    )


def _why_none(checkpoint: Checkpoint, classes: int) -> str:
    """Why no formulas are sought; empty where they are."""
    columns = int(np.prod(checkpoint.probe.x_train.shape[1:]))
    if checkpoint.task.judged_by.right is None:
        return "targets that are no classes"
    if not checkpoint.network.layout.ends_are_neurons:
        return "inputs that are tokens"
    if columns > _MOST_INPUTS:
        return f"{columns} inputs, more than the {_MOST_INPUTS} of which formulas are sought"
    if columns != len(checkpoint.task.inputs):
        return "inputs that are read step by step"
    return f"{classes} classes, more than the {_MOST_CLASSES} of which formulas are sought" * (classes > _MOST_CLASSES)


def _column(function: Callable[[Matrix], Matrix], place: int, x: Matrix) -> Float64[np.ndarray, " rows"]:
    return np.asarray(function(x)[:, place])


def _log_odds(
    checkpoint: Checkpoint, x: Float64[np.ndarray, "rows inputs"], single: bool
) -> Float64[np.ndarray, "rows classes"]:
    """What the network gives each class, as logarithms: its outputs, or the logarithms of its probabilities."""
    outputs = np.asarray(checkpoint.predict(x), dtype=np.float64)
    if checkpoint.network.model.options.get("final") in ("softmax", "sigmoid"):
        low = np.log(np.maximum(outputs, _LEAST))
        outputs = low - np.log(np.maximum(1 - outputs, _LEAST)) if single else low
    return np.concatenate([np.zeros((len(x), 1)), outputs], axis=1) if single else outputs
