"""What a file of weights does not say of itself, as the user says it."""

from dataclasses import dataclass
from pathlib import Path

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
    layout: Path | None = None

    @property
    def foreign(self) -> bool:
        """Whether anything is said that only a file of weights needs."""
        unsaid = (self.final, self.loss, self.standardize) == ("auto", "auto", "raw")
        said = (self.activation, self.probe, self.target, self.ranges, self.key, self.orientation)
        return any(said) or not unsaid
