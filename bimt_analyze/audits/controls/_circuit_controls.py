"""What the controls of a circuit come to: its numbers, the conditions that make it faithful, and whether they hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bimt_train.showing import Shown

from ..chance._significance import LEVEL
from ._control import KEPT, Control
from ._edge_stability import EdgeStability
from ._kept_behaviour import KeptBehaviour

LEFT_OUT = 0.25
"""The least share of the weights that is outside a circuit: nearly all of a network is no circuit of it."""

NEEDED = 5  # conditions, the first of them, that must have been measured

STABLE = 0.8
"""The least mean Jaccard index of the edges over draws of the rows."""


@dataclass(frozen=True, repr=False)
class Condition(Shown):
    """One condition of a faithful circuit.

    Attributes
    ----------
    name : str
        What is asked for, in words.
    value : float or None
        What was measured; None where it was not.
    bound : float
        What it is held against.
    holds : bool or None
        Whether it holds; None where it was not measured.

    Examples
    --------
    >>> Condition("keeps the behaviour without a refit", 0.98, 0.9, True).to_json()["holds"]
    True
    """

    name: str
    value: float | None
    bound: float
    holds: bool | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True, repr=False)
class CircuitControls(Shown):
    """A circuit beside its controls; every number is defined at `circuit_controls`.

    Attributes
    ----------
    does : bool or None
        Whether the network does its task, on rows that are held out; None where its targets are its own outputs.
    weights : int
        All weights of the network.
    edges : int
        Those in the circuit.
    kept : KeptBehaviour or None
        How much of the behaviour the circuit keeps; None where the network does not do its task.
    targets : int or None
        How many numbers the circuit is held against; None where they are the network's own outputs.
    stability : EdgeStability or None
        The edges over draws of the rows.
    controls : tuple of Control
        The same pruning elsewhere.
    left_out : tuple of str
        What was not done, and why.
    by_refit : KeptBehaviour or None
        Where the audited circuit owes what it does to its refit: what it keeps. All other numbers are then those of the
        circuit that the same pruning finds without a refit. None elsewhere.
    edges_by_refit : int or None
        The weights of that refitted circuit.

    Examples
    --------
    >>> fresh = Control(name="untrained, own outputs", null=True, kept=(0.2,) * 20, observed=0.98)
    >>> kept = KeptBehaviour(cut=0.98, refitted=0.99, means=0.98, resampled=0.97, adversarial=0.8)
    >>> found = CircuitControls(
    ...     does=None, weights=100, edges=20, kept=kept, targets=None, stability=EdgeStability(10, 0.95, 0.9),
    ...     controls=(fresh,),
    ... )
    >>> found.faithful, [condition.name for condition in found.failed]
    (True, [])
    """

    does: bool | None
    weights: int
    edges: int
    kept: KeptBehaviour | None = None
    targets: int | None = None
    stability: EdgeStability | None = None
    controls: tuple[Control, ...] = ()
    left_out: tuple[str, ...] = ()
    by_refit: KeptBehaviour | None = None
    edges_by_refit: int | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The rule: a circuit is faithful if all that were measured hold, and none of the first five is missing."""
        return tuple(self._conditions())

    def _conditions(self) -> Iterator[Condition]:
        if self.does is False or self.kept is None:
            yield Condition("the network does its task on held-out rows", 0.0, 1.0, False)
            return
        yield _at_least("a quarter of the weights or more is left out", 1 - self.edges / self.weights, LEFT_OUT)
        yield _at_least("its weights keep the behaviour as they are, the others being 0", self.kept.cut, KEPT)
        yield _at_least("they keep it while the others send what they send in other rows", self.kept.resampled, KEPT)
        nulls = [control for control in self.controls if control.null]
        most = max((control.median for control in nulls), default=None)
        often = max((control.reached / len(control.kept) for control in nulls), default=None)
        typical, rare = (
            "as many weights of a typical control keep less",
            "of no kind one control in twenty keeps as much",
        )
        yield Condition(typical, most, KEPT, None if most is None else most < KEPT)
        yield Condition(rare, often, LEVEL, None if often is None else often < LEVEL)
        jaccard = None if self.stability is None else self.stability.jaccard
        yield _at_least("its edges are those of other draws of the rows (mean Jaccard)", jaccard, STABLE)
        if self.targets is not None:
            enough = "there are more targets than weights in the circuit, which could else know them by heart"
            yield Condition(enough, float(self.targets), float(self.edges), self.targets > self.edges)

    @property
    def failed(self) -> tuple[Condition, ...]:
        """The conditions that do not hold."""
        return tuple(condition for condition in self.conditions if condition.holds is False)

    @property
    def faithful(self) -> bool:
        """Whether the circuit is more than the same pruning finds anywhere."""
        needed = self.conditions[:NEEDED]
        return not self.failed and len(needed) == NEEDED and all(condition.holds for condition in needed)

    def control(self, name: str) -> Control | None:
        """The control of a name, if it was made.

        Parameters
        ----------
        name : str
            As `Control` has it.

        Returns
        -------
        Control or None
            The control.
        """
        return next((control for control in self.controls if control.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        names = ("faithful", "does", "weights", "edges", "targets", "edges_by_refit")
        return {name: getattr(self, name) for name in names} | {
            "kept": _plain(self.kept),
            "by_refit": _plain(self.by_refit),
            "stability": _plain(self.stability),
            "controls": [_plain(control) for control in self.controls],
            "conditions": [_plain(condition) for condition in self.conditions],
            "left_out": list(self.left_out),
        }


def _at_least(name: str, value: float | None, bound: float) -> Condition:
    return Condition(name, value, bound, None if value is None else bool(value >= bound))


def _plain(value: Control | Condition | EdgeStability | KeptBehaviour | None) -> dict[str, Any] | None:
    """A value as JSON can hold it: None for NaN or an infinity."""
    if value is None:
        return None
    plain = value.to_json()
    return {name: None if isinstance(one, float) and not np.isfinite(one) else one for name, one in plain.items()}
