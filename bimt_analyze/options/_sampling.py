"""What a file of weights does not say of itself, as the user says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bimt_train import InputError
from bimt_train.showing import Shown


@dataclass(frozen=True, repr=False)
class Sampling(Shown):
    """What a file of weights does not say of itself; all empty for a checkpoint of this project.

    Attributes
    ----------
    activation : str or None
        Activation between the layers.
    probe : Path or None
        A table of rows to ask the network about.
    target : tuple of str
        Columns of the table that are outputs; all others are inputs.
    table : mapping of str to object
        How the table is read: what `bimt_train.tasks.table_task` takes, by name, as ``{"inputs": ("a", "b")}``.
    ranges : tuple of (float, float)
        In place of a table: one pair for all inputs, or one for each.
    parts : str or None
        The known decomposition of the task, as ``y1: x1 x3; y2: x2 x4``; allowed for every checkpoint.
    final : str
        What follows the last layer: "none", "sigmoid", "softmax", "tanh"; "auto" takes what fits the rows best.
    loss : str
        A name in `bimt_train.losses.LOSSES`; "auto" takes the one that fits the rows best.
    standardize : str
        Columns that the network saw with mean 0 and deviation 1: "raw" (none), "inputs", "outputs" or "both".
    model : str or None
        A function that makes the module to which a file's weights belong, as ``file.py:make``; or a kind of model from
        outside the project that a checkpoint needs. The file is run.
    key : str or None
        Which of several networks in one file, by the path of its entry: "ema", or "state.model".
    orientation : str or None
        How all weights are stored, "out-in" or "in-out"; for files whose names and shapes do not tell.
    roles : tuple of str
        Tensors with their roles, as "W1=weight"; a role is weight, kernel, bias or ignore. If every weight is among
        them, the layers stand in this order.
    batch_norm : str or None
        Whether batch norms stand "before" or "after" the activation, where names do not tell.
    lora_scale : float or None
        What low-rank products are multiplied by: alpha / rank.
    layout : Path or None
        A layout in TOML for the module that ``model`` makes; left out, the module is traced.

    Examples
    --------
    >>> from bimt_analyze import Sampling
    >>> Sampling(activation="relu", ranges=((-1.0, 1.0),)).foreign, Sampling().foreign
    (True, False)
    """

    activation: str | None = None
    probe: Path | None = None
    target: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    parts: str | None = None
    model: str | None = None
    final: str = "auto"
    loss: str = "auto"
    standardize: str = "raw"
    key: str | None = None
    orientation: str | None = None
    roles: tuple[str, ...] = ()
    batch_norm: str | None = None
    lora_scale: float | None = None
    layout: Path | None = None
    table: Mapping[str, Any] = field(default_factory=dict)

    @property
    def foreign(self) -> bool:
        """Whether anything is said that only a file of weights needs."""
        unsaid = (self.final, self.loss, self.standardize) == ("auto", "auto", "raw")
        rows = (self.probe, self.target, self.ranges)
        return any((self.activation, *rows, self.key, self.reading)) or not unsaid

    @property
    def reading(self) -> dict[str, Any]:
        """How tensors are read, as `bimt_train.checkpoints.read_foreign` takes it; what was not said is left out."""
        orientation = None if self.orientation is None else self.orientation.replace("-", "_")
        given = {"roles": dict(map(_role_of, self.roles)), "orientation": orientation, "batch_norm": self.batch_norm,
                 "lora_scale": self.lora_scale}  # fmt: skip
        return {name: value for name, value in given.items() if value not in (None, {})}


def _role_of(text: str) -> tuple[str, str]:
    """A tensor's name and its role; the name may have further signs of equality."""
    name, _, role = text.rpartition("=")
    if not name or not role:
        raise InputError(
            "a role that cannot be read", where="--role", expected="TENSOR=ROLE, as in 0.scale=ignore", got=repr(text)
        )
    return name, role
