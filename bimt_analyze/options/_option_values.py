"""What every value of options can do: check its numbers, change some fields, become JSON and come back."""

import json
from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import Any, Self

from bimt_train import InputError
from bimt_train.did_you_mean import did_you_mean
from bimt_train.showing import Shown


def option(
    default: Any,
    help: str = "",
    *,
    flag: str = "",
    group: str = "Analysis",
    least: int | float | None = None,
    most: int | float | None = None,
    unit: str = "",
) -> Any:
    """A field of an `OptionValues`, with its range and what the command line needs of it.

    Parameters
    ----------
    default : any
        The field's value if left out.
    help : str
        A sentence for ``--help``.
    flag : str
        The option's name on the command line; without one it is for Python alone.
    group : str
        The heading of ``--help`` under which it stands.
    least, most : number or None
        The range of its values.
    unit : str
        What may stand behind the number on the command line, as the G of 8G.
    """
    metadata = {"help": help, "group": group, "least": least, "most": most, "unit": unit}
    metadata |= {"flag": flag} if flag else {}
    return field(default=default, metadata=metadata)


class OptionValues(Shown):
    """A base of frozen dataclasses whose fields are plain values; see `option`."""

    def __post_init__(self) -> None:
        for each in fields(self):
            least, most, value = each.metadata.get("least"), each.metadata.get("most"), getattr(self, each.name)
            if (least is not None and not value >= least) or (most is not None and not value <= most):
                expected = f"{least:g} or more" if most is None else f"from {least:g} to {most:g}"
                raise InputError("an option out of its range", where=each.name, expected=expected, got=str(value))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all fields, in their order."""
        return tuple(each.name for each in fields(cls))

    def with_changes(self, **changes: Any) -> Self:
        """The options with some fields changed.

        Parameters
        ----------
        **changes
            Field -> value.

        Returns
        -------
        OptionValues
            The new options; the old ones stay as they are.

        Raises
        ------
        InputError
            There is no such field, or a number is out of its range.
        """
        if strange := sorted(set(changes) - set(self.names())):
            where, hint = type(self).__name__, did_you_mean(strange[0], self.names())
            expected, got = ", ".join(self.names()), ", ".join(strange)
            raise InputError("unknown options", where=where, expected=expected, got=got, hint=hint)
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON values; `from_json` is the inverse."""
        plain: dict[str, Any] = json.loads(json.dumps({name: getattr(self, name) for name in self.names()}))
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The options that `to_json` wrote.

        Parameters
        ----------
        data : mapping
            Field -> plain value; fields that are left out have their defaults.

        Returns
        -------
        OptionValues
            The options.

        Raises
        ------
        InputError
            There is no such field, or a number is out of its range.
        """
        return cls().with_changes(**{name: tuple(v) if isinstance(v, list) else v for name, v in data.items()})
