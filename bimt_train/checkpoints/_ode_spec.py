"""What makes a task one of motion: its outputs are derivatives of its inputs by time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import TaskError
from ..expressions._json_text import as_names, as_text
from ..showing import Shown


@dataclass(frozen=True, repr=False)
class OdeSpec(Shown):
    """What the inputs and outputs of a task mean, where these are the states of a system and their derivatives by time.

    Attributes
    ----------
    time : str
        What the times are called.
    derivatives : tuple of str
        For each output, the input whose derivative it is.
    speeds : tuple of (str, str)
        Inputs whose derivative is another input by declaration, and that one: the second order.

    Examples
    --------
    >>> OdeSpec("t", ("v",), (("x", "v"),))
    OdeSpec(dx/dt = v; dv/dt learned)
    """

    time: str
    derivatives: tuple[str, ...]
    speeds: tuple[tuple[str, str], ...] = ()

    def _brief(self) -> str:
        given = [f"d{one}/d{self.time} = {speed}" for one, speed in self.speeds]
        return "; ".join([*given, f"{', '.join(f'd{one}/d{self.time}' for one in self.derivatives)} learned"])

    def check(self, inputs: Sequence[str], outputs: Sequence[str], where: str) -> None:
        """Refuse a declaration that is of other inputs and outputs.

        Parameters
        ----------
        inputs : sequence of str
            The task's inputs.
        outputs : sequence of str
            The task's outputs.
        where : str
            What a message calls the task.

        Raises
        ------
        TaskError
            Not every input has one derivative, or not every output is one.
        """
        moved = [*self.derivatives, *(one for one, _ in self.speeds)]
        speeds_known = all(speed in inputs for _, speed in self.speeds)
        if len(self.derivatives) != len(outputs) or sorted(moved) != sorted(inputs) or not speeds_known:
            expected = f"{len(outputs)} derivatives of {', '.join(inputs)}, each once"
            raise TaskError("derivatives that do not fit the task", where=where, expected=expected, got=self._brief())

    def to_json(self) -> dict[str, Any]:
        """Write the declaration as plain values, for a JSON file."""
        return {
            "time": self.time,
            "derivatives": list(self.derivatives),
            "speeds": [list(pair) for pair in self.speeds],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "OdeSpec":
        """Make the declaration that `to_json` wrote.

        Parameters
        ----------
        data : mapping
            What `to_json` returned.

        Returns
        -------
        OdeSpec
            An equal declaration.

        Raises
        ------
        KeyError, TypeError, ValueError
            A field is missing or of another type.
        """
        pairs = [as_names(pair) for pair in data["speeds"]]
        return cls(as_text(data["time"]), as_names(data["derivatives"]), tuple((one, speed) for one, speed in pairs))
