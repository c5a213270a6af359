"""Whether the network does its task at all, which is asked before anything else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bimt_train.checkpoints import Checkpoint, TaskScore, task_score
from bimt_train.checkpoints.readers.other_readings import OtherReading, other_readings
from bimt_train.extras import installed, missing_extra
from bimt_train.showing import Shown


@dataclass(frozen=True, repr=False)
class NetworkFit(Shown):
    """How a network does on its rows, and what had to be assumed to read it.

    Attributes
    ----------
    score : TaskScore or None
        Beside that of a constant; None where the targets are the network's own outputs.
    assumed : tuple of str
        What was not stored with the network, and why it was read as it was.
    better_readings : tuple of OtherReading
        Readings under which it fits its rows clearly better.
    not_run : str
        What to type to have what runs it, where that is not installed; else empty.
    given : tuple of str
        What training began with, and whether the network uses it; a line each.

    Examples
    --------
    >>> score = TaskScore("r2", 0.98, 0.0, 0.02, 1.0, {"y": 0.98}, 300, True)
    >>> NetworkFit(score, (), ()).statement
    'network: does its task: r2 0.9800 on 300 rows (a constant: 0)'
    """

    score: TaskScore | None
    assumed: tuple[str, ...]
    better_readings: tuple[OtherReading, ...]
    not_run: str = ""
    given: tuple[str, ...] = ()

    def _brief(self) -> str:
        return self.statement

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "NetworkFit":
        """Hold a checkpoint's network against its rows.

        Parameters
        ----------
        checkpoint : Checkpoint
            The network, its rows, and what its reader assumed.

        Returns
        -------
        NetworkFit
            What was found.
        """
        assumed = tuple(map(str, checkpoint.config.get("assumed", ())))
        given = tuple(map(_given, checkpoint.config.get("given", ())))
        if not installed("torch"):
            return cls(None, assumed, (), missing_extra("torch", "running a network").hint, given)
        return cls(task_score(checkpoint), assumed, other_readings(checkpoint), given=given)

    def assuming(self, said: str) -> "NetworkFit":
        """The fit with one more thing that had to be assumed.

        Parameters
        ----------
        said : str
            What was assumed, and why.

        Returns
        -------
        NetworkFit
            A new value.
        """
        return replace(self, assumed=(*self.assumed, said))

    @property
    def fits(self) -> bool | None:
        """Whether the network does its task as it was read; None where no targets are known."""
        return None if self.score is None else self.score.fits and not self.better_readings

    @property
    def useless(self) -> bool:
        """Whether it is hardly better than a constant, so that there is nothing to prune or to explain."""
        return self.score is not None and self.score.useless

    def misses(self, output: str) -> bool:
        """Whether an output is missed, so that no formula of the rows is the network's.

        Parameters
        ----------
        output : str
            The output's name.

        Returns
        -------
        bool
            True where the network as a whole does not fit, or leaves more than half of this output unexplained.
        """
        if self.score is None:
            return False
        return not self.fits or self.score.outputs.get(output, 1.0) < 0.5

    @property
    def statement(self) -> str:
        """All of this in one line."""
        if self.not_run:
            return f"network: not run, so it is neither pruned nor given formulas; {self.not_run} brings what runs it"
        if self.score is None:
            return "network: no targets are known; its own outputs stand for them"
        score, baseline = self.score, f"{self.score.baseline:.4f}".rstrip("0").rstrip(".")
        said = f"{score.measure} {score.score:.4f} on {score.rows} rows (a constant: {baseline})"
        verdict = "does its task"
        if self.useless:
            verdict = "hardly better than a constant, so it is not pruned"
        elif not score.fits:
            verdict = "does its task only in part"
        elif self.better_readings:
            verdict = "does not fit its rows as it was read"
        hint = "".join(f"; tried: {reading}" for reading in self.better_readings)
        return f"network: {verdict}: {said}{hint}"

    def to_json(self) -> dict[str, Any]:
        """The fit as plain values."""
        plain: dict[str, Any] = {"score": None, "baseline": None, "measure": None, "loss": None}
        plain |= {"baseline_loss": None, "outputs": {}, "rows": 0}
        return (plain if self.score is None else self.score.to_json()) | {
            "fits": self.fits,
            "statement": self.statement,
            "assumed": list(self.assumed),
            "given": list(self.given),
            "better_readings": [
                {"options": reading.options, "score": reading.score.score} for reading in self.better_readings
            ],
        }


def _given(one: Mapping[str, Any]) -> str:
    """A module, or a trained network, that training began with, and whether the network uses it."""
    formulas = one.get("formulas", {})
    said = [f"{name} = {formulas.get(name, '?')}" for name in one.get("outputs", ())]
    what = f"the module {', '.join(said)} of {', '.join(one['inputs'])}" if said else f"a network of {one.get('task')}"
    kept = "kept" if one["kept"] else "trained too"
    used = f"used, by weights of at most {one['strongest']:.2g}" if one["used"] else "not used"
    return f"began with {what}, {kept}: {used}"
